#!/usr/bin/env bash
# Builds the release into dist/: Linux and macOS, amd64 and arm64, each with both Linux agents inside, the VS Code extension for
# each of them with that executable inside, and their checksums. The same commit and Go version give the same executables.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

version=${VERSION:-$(git describe --tags --always --dirty)}
flags=(-trimpath -buildvcs=false -ldflags "-s -w -buildid= -X main.version=$version")
export CGO_ENABLED=0
embedded=agent/agentbin/embedded
mkdir -p $embedded dist
rm -f $embedded/* dist/*

for arch in amd64 arm64; do
  say "agent linux/$arch"
  GOOS=linux GOARCH=$arch go build "${flags[@]}" -o "$embedded/sketch-ide-linux-$arch" ./cmd/sketch-ide
  gzip -n -9 "$embedded/sketch-ide-linux-$arch"
done
for platform in linux-amd64 linux-arm64 darwin-amd64 darwin-arm64; do
  say "sketch-ide $platform"
  GOOS=${platform%-*} GOARCH=${platform#*-} go build "${flags[@]}" -tags release -o "dist/sketch-ide-$platform" ./cmd/sketch-ide
done

PATH=$(scripts/node.sh):$PATH
install_extension_packages
for platform in linux-amd64 linux-arm64 darwin-amd64 darwin-arm64; do
  target=${platform/amd64/x64}
  say "extension $target"
  npm --prefix editors/vscode run --silent package -- \
    --server "$PWD/dist/sketch-ide-$platform" --target "$target" --out "$PWD/dist/sketch-ide-vscode-$target.vsix" >&2
done
cd dist
if command -v sha256sum >/dev/null; then sha256sum sketch-ide-*; else shasum -a 256 sketch-ide-*; fi >SHA256SUMS
cat SHA256SUMS
