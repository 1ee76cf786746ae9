#!/usr/bin/env bash
# Everything that CI runs: the set-up, the static checks, and all tests, the ones against the real engine, OpenSSH and editors
# included. Parts go on after a failed one; a failed or skipped test fails the run. Logs and screenshots go to artifacts/.
# Ends with a line "N passed, N failed, N skipped".
set -euo pipefail
. "$(dirname "$0")/lib.sh"

begun=$SECONDS
passed=0 failed=0 skipped=0 bad=()
artifacts=$PWD/artifacts
rm -rf "$artifacts"
mkdir -p "$artifacts"

heading() { printf '\n=== %s\n' "$*"; }
spent() { printf '(%s: %d s)\n' "$1" $((SECONDS - $2)); }

# step NAME COMMAND...: something that only can fail.
step() {
  local name=$1 since=$SECONDS
  shift
  heading "$name"
  if ! "$@" 2>&1; then
    failed=$((failed + 1))
    bad+=("$name")
  fi
  spent "$name" "$since"
}

# tests NAME LIMIT COMMAND...: a part that counts its tests, by a closing line like ours or by that of node --test.
tests() {
  local name=$1 limit=$2 log=$artifacts/$1.log since=$SECONDS status=0
  shift 2
  heading "$name"
  timeout --kill-after=20 "$limit" "$@" 2>&1 | tee "$log" || status=${PIPESTATUS[0]}
  local p f s
  p=$(count passed pass "$log") f=$(count failed fail "$log") s=$(count skipped skipped "$log")
  if [ "$status" != 0 ] && [ "$f" = 0 ] || [ "$((p + f + s))" = 0 ]; then
    f=$((f + 1))
    echo "$name: ended with status $status after $p tests"
  fi
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
  [ "$((f + s))" = 0 ] || bad+=("$name$(not_ok "$log")")
  spent "$name" "$since"
}

# count WORD NODE_WORD FILE: the last number that stands before WORD, or after NODE_WORD in a summary of node --test.
count() {
  sed -nE -e "s/^(.*[^0-9])?([0-9]+) $1(,.*)?\$/\2/p" -e "s/^(#|ℹ) $2 ([0-9]+)\$/\2/p" "$3" | tail -n 1 | grep . || echo 0
}

# not_ok FILE: the first names of failed tests, in brackets: of lines like TAP's, or of node --test's other reporter.
not_ok() {
  local names
  names=$(sed -nE -e 's/^ *not ok( [0-9]+)? - (.*)$/\2/p' -e 's/^ *✖ (.*) \([0-9.]+ms\)$/\1/p' "$1" | awk '!seen[$0]++' | awk 'NR <= 8')
  [ -z "$names" ] || echo " (${names//$'\n'/, })"
}

formatted() {
  local files
  files=$(git ls-files -co --exclude-standard '*.go' | xargs gofmt -l)
  [ -z "$files" ] || { echo "not formatted:" && echo "$files" && return 1; }
}
cross() { # the whole module for each platform of a release; vet reads the tests too
  local platform
  for platform in linux/amd64 linux/arm64 darwin/amd64 darwin/arm64; do
    echo "$platform"
    CGO_ENABLED=0 GOOS=${platform%/*} GOARCH=${platform#*/} go build ./... || return 1
  done
  GOOS=darwin GOARCH=arm64 CGO_ENABLED=0 go vet ./...
}
extension=(npm --prefix editors/vscode run --silent)

finish() {
  heading "result after $((SECONDS - begun)) s"
  [ ${#bad[@]} = 0 ] || echo "Not passed: $(printf '%s; ' "${bad[@]}")"
  echo "$passed passed, $failed failed, $skipped skipped" | tee "$artifacts/result.txt"
  [ "$((failed + skipped))" = 0 ]
  exit
}
give_up() { # without the set-up there is nothing to test
  failed=1 bad=("set-up: $1")
  finish
}

heading "set-up"
since=$SECONDS
lint=(go tool -modfile=tools.mod golangci-lint)
"${lint[@]}" version >"$artifacts/golangci-lint.log" 2>&1 & # its first build takes minutes, the set-up waits for downloads
building=$!
scripts/engine.sh || give_up "Docker engine"
SKETCH_IDE_BASE_IMAGE=$(scripts/base-image.sh) || give_up "base image"
scripts/test-deps.sh || give_up "what the tests need"
newer=$(scripts/newer-editors.sh) || give_up "newer editors"
PATH=$(scripts/node.sh):$PATH
spent "set-up" "$since"

step "build" make --no-print-directory build
# What runs inside must be static, and a test binary, which the race detector links dynamically, is not.
SKETCH_IDE_AGENT=$PWD/bin/sketch-ide SKETCH_IDE_SERVER=$PWD/bin/sketch-ide
export PATH SKETCH_IDE_BASE_IMAGE SKETCH_IDE_AGENT SKETCH_IDE_SERVER SKETCH_IDE_ARTIFACTS=$artifacts

step "gofmt" formatted
step "go vet" go vet ./...
step "cross-compile" cross
wait $building || cat "$artifacts/golangci-lint.log"
step "golangci-lint" "${lint[@]}" run
tests "go" 25m go run ./scripts/gotest -log "$artifacts/go-test.json" -- -race -shuffle=on -timeout 20m ./...
step "extension: types and lint" "${extension[@]}" check
tests "extension-unit" 5m "${extension[@]}" test
tests "vscode" 20m "${extension[@]}" test:e2e
tests "neovim" 8m editors/nvim/test/run.sh
tests "neovim-newer" 8m env NVIM="$newer/nvim" editors/nvim/test/run.sh
tests "helix" 8m env HX="$newer/hx" editors/helix/test/run.sh
tests "emacs" 8m editors/emacs/test/run.sh
tests "acp" 5m npm --prefix editors/acp run --silent test
finish
