# Sourced by the other scripts: how they speak, where they keep things, how they install Debian packages.
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '%s\n' "$*" >&2; }
die() {
  say "$@"
  exit 1
}

cache_dir=${XDG_CACHE_HOME:-$HOME/.cache}/sketch-ide

# may_install: are we root on Debian or Ubuntu?
may_install() {
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null && grep -qsE '^ID(_LIKE)?=.*(debian|ubuntu)' /etc/os-release
}

# install_packages NAME...: the missing ones of these Debian packages, without recommended ones.
install_packages() {
  local name missing=()
  for name in "$@"; do
    dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q '^install ok installed' || missing+=("$name")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  may_install || die "Please install with your package manager: ${missing[*]}"
  say "Installing ${missing[*]} …"
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3)
  local log
  log=$(mktemp)
  # The package lists are fetched only where there are none, or where they are too old to find what they name.
  if ! "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >"$log" 2>&1; then
    if ! { "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
      tail -n 20 "$log" >&2
      die "Could not install ${missing[*]}."
    fi
  fi
  rm -f "$log"
}

# install_extension_packages: the packages of its lock file, once.
install_extension_packages() {
  local lock=editors/vscode/package-lock.json modules=editors/vscode/node_modules
  ! cmp -s "$lock" "$modules/.sketch-lock" || return 0
  say "Installing the extension's packages …"
  npm --prefix editors/vscode ci --no-audit --no-fund --loglevel=error >&2
  cp "$lock" "$modules/.sketch-lock"
}
