#!/usr/bin/env bash
# Makes sure that everything is there that the tests need beside Go, a Docker engine and a base image.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

# command:package, the package being Debian's.
needs=(
  gcc:gcc git:git curl:curl ssh:openssh-client /usr/sbin/sshd:openssh-server rsync:rsync ip:iproute2
  nvim:neovim emacs:emacs-nox tmux:tmux chromium:chromium busybox:busybox-static iptables:iptables psql:postgresql-client redis-cli:redis-tools rg:ripgrep
)
packages=()
for need in "${needs[@]}"; do
  command -v "${need%%:*}" >/dev/null || packages+=("${need#*:}")
done
has_eglot() { emacs --batch --eval "(progn (package-initialize) (require 'eglot))" >/dev/null 2>&1; } # Emacs 29 brings its own
has_eglot || packages+=(elpa-eglot)
case " ${packages[*]} " in *' gcc '*) packages+=(libc6-dev) ;; esac # the race detector is built by it
if [ ${#packages[@]} -gt 0 ]; then
  install_packages "${packages[@]}"
fi

scripts/arm64-image.sh

node=$(scripts/node.sh)
export PATH=$node:$PATH
install_extension_packages
editors/vscode/test/e2e/setup.sh >&2
if ! cmp -s editors/acp/package-lock.json editors/acp/node_modules/.sketch-lock; then
  npm --prefix editors/acp ci --no-audit --no-fund --loglevel=error >&2
  cp editors/acp/package-lock.json editors/acp/node_modules/.sketch-lock
fi
