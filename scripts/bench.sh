#!/usr/bin/env bash
# Runs the benchmarks against the real engine, one package after the other, and prints their table.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

scripts/engine.sh
SKETCH_IDE_BASE_IMAGE=$(scripts/base-image.sh)
SKETCH_IDE_AGENT=$PWD/bin/sketch-ide
export SKETCH_IDE_BASE_IMAGE SKETCH_IDE_AGENT
go test -run '^$' -bench "${BENCH:-.}" -p 1 ./... | grep -vE '^(ok|PASS|\?)|no test files'
