#!/usr/bin/env bash
# The fast checks: formatting, go vet, linters, go.mod, generated files, tests that need no engine, and the extension's.
# They all run, whatever fails; what failed is named at the end.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

failed=()
check() {
  local name=$1
  shift
  say "$name"
  "$@" || failed+=("$name")
}
formatted() { # go fmt knows no generated or ignored folders; git does
  local files
  files=$(git ls-files -co --exclude-standard '*.go' | xargs gofmt -l)
  [ -z "$files" ] || { say "$files" && return 1; }
}
# Tests that start containers take minutes; what those packages' tests say of the sources is looked at here too.
quick() {
  go list ./... | grep -vE '/(container|session|ports|cmd/sketch-ide|internal/(bench|dockertest))$' | xargs go test &&
    go test -run '^Test(Imports|EveryPackage|Docs)' ./cmd/sketch-ide && go test -skip Container ./ports
}
extension() { (cd editors/vscode && PATH=$node:$PATH npm run --silent "$1"); }

check "gofmt" formatted
check "go vet" go vet ./...
check "golangci-lint" go tool -modfile=tools.mod golangci-lint run
check "go mod tidy" go mod tidy -diff
check "quick tests" quick
if [ -d editors/vscode/node_modules ]; then
  node=$(scripts/node.sh)
  check "extension" extension check
  check "extension's unit tests" extension test
fi
[ ${#failed[@]} = 0 ] || die "Failed: $(IFS=,; echo "${failed[*]}")"
