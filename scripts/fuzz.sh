#!/usr/bin/env bash
# Runs every fuzz target of the module for FUZZTIME (default 20s), one after the other, then the stress test of ports and faults for STRESS
# (default 2m) against the real engine.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

failed=0
while IFS=: read -r file target; do
  say "${file%/*} $target"
  go test "./${file%/*}" -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZTIME:-20s}" >artifacts/fuzz.log 2>&1 || {
    failed=1
    cat artifacts/fuzz.log >&2
  }
done < <(mkdir -p artifacts && git ls-files -co --exclude-standard '*_test.go' | xargs grep -oE '^func Fuzz[A-Za-z0-9_]*' | sed 's/func //')

say "session TestStress"
scripts/engine.sh
SKETCH_IDE_BASE_IMAGE=$(scripts/base-image.sh)
export SKETCH_IDE_BASE_IMAGE SKETCH_IDE_STRESS=${STRESS:-2m}
go test -race -timeout 0 ./session -run '^TestStress$' -count 1 >artifacts/stress.log 2>&1 || {
  failed=1
  cat artifacts/stress.log >&2
}
exit $failed
