#!/usr/bin/env bash
# Runs every fuzz target of the module for FUZZTIME (default 20s), one after the other.
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
exit $failed
