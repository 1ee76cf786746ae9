#!/usr/bin/env bash
# Puts a real VS Code (code-server), the Node it insists on and a browser driver into a cache directory, and prints that
# directory. Needs Node 20 or later with npm, the npm registry, and chromium; no compiler. Takes about 20 s and 450 MB once.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/toolchain" && pwd)
key=$(cat "$here"/* "${BASH_SOURCE[0]}" | sha256sum | cut -c1-12)
root=${SKETCH_IDE_E2E_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/sketch-ide}
cache=$root/vscode-e2e-$key

mkdir -p "$root"
exec 9>"$root/vscode-e2e.lock"
flock 9
if [ -d "$cache" ]; then
  echo "$cache"
  exit 0
fi

work=$(mktemp -d "$root/vscode-e2e-new.XXXXXX")
trap 'rm -rf "$work"' EXIT
install() { npm "$@" --ignore-scripts --no-audit --no-fund --no-progress --loglevel=error >&2; }

cp "$here"/package.json "$here"/package-lock.json "$here"/.npmrc "$work"
cd "$work"
install ci
ln -s "$(echo node_modules/node-linux-*/bin)" bin

# code-server installs VS Code's own dependencies in a script of its own; this is that without the compiler.
cd node_modules/code-server/lib/vscode
# Its npm-shrinkwrap.json is honoured, but lacks a peer dependency, which `npm ci` refuses.
PATH=$work/bin:$PATH install install --omit=dev
cp "$here/spdlog.cjs" node_modules/@vscode/spdlog/index.js
cp "$here/native-watchdog.cjs" node_modules/@vscode/native-watchdog/index.js
chmod +x node_modules/node-pty/prebuilds/linux-*/spawn-helper 2>/dev/null || true

# Not needed to test an extension; half of the size.
rm -rf node_modules/@github node_modules/@microsoft/mxc-sdk extensions/copilot extensions/mermaid-markdown-features \
  "$work"/node_modules/node-linux-*/include

rm -rf "$root"/vscode-e2e-[0-9a-f]*/ # of earlier versions
mv "$work" "$cache"
trap - EXIT
echo "$cache"
