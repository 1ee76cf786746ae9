#!/usr/bin/env bash
# Makes sure that there is a Node.js that the extension's tools run on, and prints the folder of its node and npm. A system's own
# is used where it is new enough; else the one of Debian fetches a newer one from the npm registry, for this user alone.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

node=24.21.0 npm=11.10.0
new_enough() { command -v node npm >/dev/null && [ "$(node -p 'process.versions.node.split(".")[0] >= 20')" = true ]; }

if new_enough; then
  dirname "$(command -v node)"
  exit
fi
dir=$cache_dir/node-$node
if [ ! -x "$dir/bin/npm" ]; then
  install_packages npm
  say "Installing Node.js $node into $dir …"
  case $(uname -m) in
    x86_64) platform=linux-x64 ;;
    aarch64) platform=linux-arm64 ;;
    *) die "Please install Node.js 20 or newer." ;;
  esac
  mkdir -p "$dir/bin"
  npm install --prefix "$dir" --ignore-scripts --no-audit --no-fund --no-save --loglevel=error "node-$platform@$node" "npm@$npm" >&2
  ln -sf "../node_modules/node-$platform/bin/node" "$dir/bin/node"
  ln -sf ../node_modules/npm/bin/npm-cli.js "$dir/bin/npm"
  ln -sf ../node_modules/npm/bin/npx-cli.js "$dir/bin/npx"
fi
echo "$dir/bin"
