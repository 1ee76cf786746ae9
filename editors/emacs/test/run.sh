#!/usr/bin/env bash
# Tests sketch.el in the real Emacs with its eglot, against the real backend (SKETCH_IDE_SERVER) and a real engine. Ends with "N passed, N failed".
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)
. "$root/editors/testlib.sh"
backend=${SKETCH_IDE_SERVER:-$root/bin/sketch-ide}
work=$(mktemp -d)
export SKETCH_IDE_SERVER=$backend XDG_STATE_HOME=$work/state HOME=$work SKETCH_IDE_BASE_IMAGE=${SKETCH_IDE_BASE_IMAGE:-sketch-ide/debian:bookworm}

clean_up() {
  remove_sessions "$backend"
  rm -rf "$work"
}
trap clean_up EXIT

mkdir "$work/repository"
cd "$work/repository"
echo 'print("hello")' >main.py
cat >.dir-locals.el <<END
((python-mode . ((eglot-workspace-configuration . (:sketch (:models [(:model "m" :apiKeyCommand ["touch" "$work/taken"])] :forwardPorts [3999]))))))
END
git init -q -b main
git add .
git -c user.name=Ada -c user.email=ada@example.com commit -q -m first
timeout 300 emacs --batch -L "$here/.." -l "$here/sketch-test.el" 2>"$work/messages" | tee "$work/tap" || true
passed=$(grep -c '^ok ' "$work/tap" || true) failed=$(grep -c '^not ok ' "$work/tap" || true)
if ! grep -q '^# end' "$work/tap"; then
  failed=$((failed + 1))
  echo "not ok - it did not come to its end"
fi
[ "$failed" = 0 ] || sed 's/^/  messages: /' "$work/messages"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
