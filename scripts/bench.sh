#!/usr/bin/env bash
# Measures the backend from the outside against the real engine, then the packages' own benchmarks, and prints both. PARTS=REGEXP chooses among
# the parts of the former (bin/bench -h names them), BENCH=REGEXP among the latter.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

scripts/engine.sh
SKETCH_IDE_BASE_IMAGE=$(scripts/base-image.sh)
SKETCH_IDE_AGENT=$PWD/bin/sketch-ide
export SKETCH_IDE_BASE_IMAGE SKETCH_IDE_AGENT
CGO_ENABLED=0 go build -o bin/bench ./internal/bench # static, since it runs inside the container too
bin/bench -run "${PARTS:-}"
go test -run '^$' -bench "${BENCH:-.}" -p 1 ./... | grep -vE '^(ok|PASS|\?)|no test files'
