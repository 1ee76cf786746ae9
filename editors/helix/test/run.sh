#!/usr/bin/env bash
# Tests the configuration of docs/clients/helix.md in the real Helix (HX, default hx) in a terminal (tmux), against the real backend
# (SKETCH_IDE_SERVER) and a real engine. Ends with "N passed, N failed".
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)
. "$root/editors/testlib.sh"
backend=${SKETCH_IDE_SERVER:-$root/bin/sketch-ide}
work=$(mktemp -d)
socket=$work/tmux server=
export SKETCH_IDE_BASE_IMAGE=${SKETCH_IDE_BASE_IMAGE:-sketch-ide/debian:bookworm}
export XDG_STATE_HOME=$work/state XDG_CACHE_HOME=$work/cache XDG_CONFIG_HOME=$work/config PATH=$work/bin:$PATH
unset DISPLAY WAYLAND_DISPLAY BROWSER

clean_up() {
  mux kill-server 2>/dev/null || true
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  remove_sessions "$backend" 2>/dev/null
  rm -rf "$work"
}
trap clean_up EXIT

explain() {
  screen | sed 's/^/  | /' || true
  tail -n 5 "$XDG_CACHE_HOME/helix/helix.log" 2>/dev/null | sed 's/^/  log: /' || true
}
finish() {
  echo "$passed passed, $failed failed"
  exit "$failed"
}
# eventually NAME COMMAND...: passed once the command succeeds, failed when two minutes are over.
eventually() {
  local name=$1
  shift
  if ! within 120 "$@"; then
    result 1 "$name"
    finish # what comes next builds on it
  fi
  result 0 "$name"
}
shows() { screen | grep -qE -- "$1"; }
opened() { grep -qsE '^http://localhost:[0-9]+/?$' "$work/opened"; }
page() { curl -fsS --max-time 5 "$(head -n 1 "$work/opened")" | grep -q main.py; }
listed() { "$backend" ps --json | grep -q '"name"'; }
not() { ! "$@"; }
command_line() { mux send-keys -t editor ":lsp-workspace-command $1" Enter; }
sent=
explains() { # a command is not known before the backend has answered to initialize
  shows 'no session' && return
  if [ -z "$sent" ] || shows 'not supported'; then
    sent=1
    command_line sketch.openPort
  fi
  return 1
}

mkdir -p "$XDG_CONFIG_HOME/helix" "$work/bin" "$work/repository"
cat >"$XDG_CONFIG_HOME/helix/languages.toml" <<END
[language-server.sketch]
command = "$backend"
args = ["serve", "--stdio"]

[[language]]
name = "python"
language-servers = ["sketch"]
END
printf '#!/bin/sh\necho "$1" >>"%s/opened"\n' "$work" >"$work/bin/xdg-open"
chmod +x "$work/bin/xdg-open"
cd "$work/repository"
echo 'print("hello")' >main.py
git init -q -b main
git add .
git -c user.name=Ada -c user.email=ada@example.com commit -q -m first

mux new-session -d -s editor -x 100 -y 15 "${HX:-hx}" main.py
eventually "it shows the file" shows 'print'
eventually "an error is shown" explains
command_line sketch.start
eventually "a session starts, and its name is shown" shows 'sketch-[a-z-]+ is ready'
name=$(mux capture-pane -p -t editor | grep -oE 'sketch-[a-z0-9-]+ is ready' | head -n 1 | cut -d' ' -f1)
"$backend" ssh "$name" -- python3 -m http.server 3000 </dev/null >/dev/null 2>&1 &
server=$!
eventually "a port is shown in the status line" shows 'Port 3000 .*forwarded'
mux send-keys -t editor i typed
eventually "what is typed goes into the text" shows 'typedprint'
mux send-keys -t editor Escape
eventually "it is in normal mode again" shows ' NOR '
command_line sketch.ports
eventually "the ports are listed" shows '^3000.*\(python3\)'
command_line sketch.openPort
eventually "the browser is opened" opened
eventually "its page is there" page
command_line sketch.stop
eventually "the session ends" not listed
mux send-keys -t editor ':q!' Enter
eventually "it quits" not mux has-session -t editor 2>/dev/null
finish
