#!/usr/bin/env bash
# Tests the plugin in the real Neovim (NVIM, default nvim): against the stand-in for the backend, in a terminal (tmux), and
# against the real backend (SKETCH_IDE_SERVER, default bin/sketch-ide of this repository) with a real engine.
# run.sh [stub] [tmux] [backend]; ends with a line "N passed, N failed".
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)
. "$root/editors/testlib.sh"
suites=${*:-stub tmux backend}
export NVIM=${NVIM:-nvim}
backend=${SKETCH_IDE_SERVER:-$root/bin/sketch-ide}
stub=${STUB:-$root/editors/vscode/test/stub/sketch-ide.mjs}

work=$(mktemp -d)
# What Neovim and the backend keep stays in here. The "browser" writes down what it is asked to open.
export XDG_STATE_HOME=$work/state XDG_CACHE_HOME=$work/cache XDG_DATA_HOME=$work/data XDG_CONFIG_HOME=$work/config
unset DISPLAY

clean_up() {
  remove_sessions "$backend"
  rm -rf "$work"
}
trap clean_up EXIT

browser() {
  printf '#!/bin/sh\necho "$1" > "%s/opened"\n' "$1" >"$1/browser"
  chmod +x "$1/browser"
  export BROWSER=$1/browser
}

spec() { # SPEC: in the working directory
  timeout 300 "$NVIM" --headless -u NONE --cmd "set rtp^=$here/.. noswapfile" +'runtime plugin/sketch.lua' \
    +"lua package.path = '$here/?.lua;' .. package.path; require('harness').run('$here/$1_spec.lua')" 2>"$work/stderr" ||
    sed 's/^/  stderr: /' "$work/stderr"
}

run() { # NAME COMMAND...: counts the lines of TAP that it prints
  local log=$work/$1.tap p f
  echo "--- $1"
  shift
  "$@" | tee "$log" || true
  p=$(grep -c '^ok ' "$log" || true) f=$(grep -c '^not ok ' "$log" || true)
  if ! grep -qE '^# [0-9]+ passed' "$log"; then
    f=$((f + 1))
    echo "not ok - it did not come to its end"
  fi
  passed=$((passed + p)) failed=$((failed + f))
}

in_stub() { # DIRECTORY COMMAND...
  local dir=$1
  shift
  mkdir -p "$dir"
  cd "$dir"
  browser "$dir"
  SKETCH_IDE_SERVER=$stub STUB_DIR=$dir "$@"
}

in_backend() { # DIRECTORY COMMAND...
  local dir=$1
  shift
  mkdir -p "$dir/repository"
  cd "$dir/repository"
  browser "$dir"
  echo '<h1>hello from inside</h1>' >index.html
  git init -q -b main
  git add .
  git -c user.name=Ada -c user.email=ada@example.com commit -q -m first
  SKETCH_IDE_SERVER=$backend SKETCH_TEST_DIR=$dir "$@"
}

for suite in $suites; do
  case $suite in
    stub) run stub in_stub "$work/stub" spec stub ;;
    tmux) run tmux in_stub "$work/tmux" "$here/tmux.sh" "$work/tmux" ;;
    backend)
      if [ ! -x "$backend" ]; then
        echo "The backend $backend is missing: build it (make), or name another in SKETCH_IDE_SERVER."
        exit 1
      fi
      export SKETCH_IDE_BASE_IMAGE=${SKETCH_IDE_TEST_BASE:-${SKETCH_IDE_BASE_IMAGE:-sketch-ide/debian:bookworm}}
      run backend in_backend "$work/backend" spec backend
      ;;
  esac
done

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
