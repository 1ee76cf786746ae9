#!/usr/bin/env bash
# In a real terminal: what is typed while a message arrives goes where it is typed. Prints TAP like the specs do.
# tmux.sh DIRECTORY: works in there; NVIM and the stand-in's STUB_DIR are in the environment.
set -euo pipefail

dir=$1 socket=$1/tmux
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../../testlib.sh"
trap 'mux kill-server 2>/dev/null || true' EXIT

eventually() { within 60 "$@"; }
shows() { screen | grep -qF -- "$1"; }
told() { timeout 10 "$NVIM" --server "$dir/nvim.sock" --remote-expr 'execute("messages")' 2>&1 | grep -qF -- "$1"; }
tell() { node -e "require('node:net').connect('$STUB_DIR/control.sock').end(process.argv[1] + '\n')" "$1"; }
port() { tell "{\"op\":\"port\",\"port\":{\"number\":$1,\"process\":\"a-process-with-a-name-that-is-not-short\"}}"; }

mux new-session -d -s editor -x 60 -y 15 "$NVIM" --listen "$dir/nvim.sock" -u NONE --cmd "set rtp^=$here/.. noswapfile shortmess+=I" \
  +"runtime plugin/sketch.lua" "$dir/text.txt"
eventually shows '~'
mux send-keys -t editor ':Sketch start' Enter
eventually shows 'is ready' && result 0 "a session starts" || result 1 "a session starts"

# Typing goes on while five messages arrive; each is longer than the line.
mux send-keys -t editor i
missing=0
for number in 3001 3002 3003 3004 3005; do
  port "$number" &
  for word in alpha beta gamma delta; do
    mux send-keys -t editor -l "$word "
  done
  wait $!
  eventually told "Port $number" || missing=1
  mux send-keys -t editor Enter
done
result $missing "messages arrive in insert mode"
mux send-keys -t editor Escape
mux send-keys -t editor ':w' Enter
wanted=$(printf 'alpha beta gamma delta \n%.0s' 1 2 3 4 5)
written() { [ "$(cat "$dir/text.txt" 2>/dev/null)" = "$wanted" ]; }
eventually written && result 0 "no key is taken in insert mode" || result 1 "no key is taken in insert mode"

# A command line that is being typed is not overwritten; the message follows.
mux send-keys -t editor -l ':echo "a command '
port 3006
mux send-keys -t editor -l 'line"'
eventually shows ':echo "a command line"' && result 0 "a command line stays" || result 1 "a command line stays"
mux send-keys -t editor Enter
eventually told 'Port 3006' && result 0 "its message follows" || result 1 "its message follows"

# A crash is told like anything else; Neovim's own message about it would be longer than the line.
mux send-keys -t editor o
tell '{"op":"exit","code":7}' || true
mux send-keys -t editor -l 'typed during '
eventually told 'the backend ended' && crash=0 || crash=1
mux send-keys -t editor -l 'a crash'
mux send-keys -t editor Escape ':w' Enter
survived() { tail -n 1 "$dir/text.txt" | grep -qx 'typed during a crash'; }
eventually survived || crash=1
result $crash "a crash is told, and takes no key"

mux send-keys -t editor ':qall!' Enter
gone() { ! mux has-session -t editor 2>/dev/null; }
eventually gone && result 0 "it quits" || result 1 "it quits"

echo "# $passed passed, $failed failed"
[ "$failed" = 0 ]
