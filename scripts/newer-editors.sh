#!/usr/bin/env bash
# Makes sure that Neovim and Helix of Debian 13 are there, and prints the folder of nvim and hx. Debian's apt fetches and checks the
# packages, which are unpacked for this user alone: what the system has stays as it is. Another suite may be named (forky).
set -euo pipefail
. "$(dirname "$0")/lib.sh"

# own_mirror: where this machine's Debian comes from, which mostly has the other suites too. Another distribution's mirrors have not.
# It is nothing where apt has no package lists.
own_mirror() (
  . /etc/os-release
  [ "$ID" != debian ] || apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
    awk -v own="${VERSION_CODENAME:-}" '$1 == own && $2 == "main" && $3 ~ /^https?:/ && !uri { uri = $3 } END { print uri }'
)

# debian_mirror: where debootstrap, which knows a mirror that has all suites, would take one from; it is on other distributions too.
debian_mirror() {
  install_packages debootstrap
  sed -nE 's/^[[:space:]]*(default_mirror |DEF_MIRROR=)"?([^"]+)"?$/\2/p' /usr/share/debootstrap/scripts/sid /usr/sbin/debootstrap | head -n 1
}

# fetch MIRROR: the packages and all that they need.
fetch() {
  [ -n "$1" ] || return 1
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $1 $suite main" >"$dir/sources.list"
  "${apt[@]}" update >&2 && "${apt[@]}" install -y --no-install-recommends --download-only neovim hx >&2
}

suite=${1:-trixie}
dir=$cache_dir/editors-$suite-1 # the number changes with what is made of the packages
if [ -e "$dir/ready" ]; then
  echo "$dir/bin"
  exit
fi
command -v apt-get >/dev/null || die "Please run this on Debian or Ubuntu, whose apt fetches these editors."
install_packages patchelf debian-archive-keyring
say "Fetching Neovim and Helix of Debian's $suite …"
rm -rf "$dir"
mkdir -p "$dir"/{bin,tree,lists/partial,archives/partial}
: >"$dir/status" # nothing is installed, so all that they need is fetched
apt=(apt-get -qq -o Dir::Etc::sourcelist="$dir/sources.list" -o Dir::Etc::sourceparts=/dev/null -o Dir::State::lists="$dir/lists"
  -o Dir::State::status="$dir/status" -o Dir::Cache::archives="$dir/archives" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=
  -o Debug::NoLocking=1 -o APT::Sandbox::User="$(id -un)" -o Acquire::Languages=none -o Acquire::Retries=3)
fetch "${DEBIAN_MIRROR:-$(own_mirror)}" || fetch "$(debian_mirror)" ||
  die "Neovim and Helix of Debian's $suite could not be fetched. Please name a mirror that has it in DEBIAN_MIRROR."
for package in "$dir"/archives/*.deb; do
  dpkg-deb -x "$package" "$dir/tree"
done

# They were linked with a newer C library than this system may have, so they get the loader and the libraries that came along.
usr=$dir/tree/usr
libraries=$(dirname "$(find "$usr/lib" -name libc.so.6 -print -quit)")
loader=$(find "$libraries" -maxdepth 1 -name 'ld-linux*.so.*' -print -quit)
for program in "$usr/bin/nvim" "$usr/lib/hx/hx"; do
  patchelf --set-interpreter "$loader" --force-rpath --set-rpath "$libraries" "$program"
done
cat >"$dir/bin/nvim" <<END
#!/bin/sh
VIMRUNTIME='$usr/share/nvim/runtime' exec '$usr/bin/nvim' --cmd 'set rtp+=$usr/lib/nvim' "\$@"
END
cat >"$dir/bin/hx" <<END
#!/bin/sh
HELIX_RUNTIME='$usr/lib/hx/runtime' exec '$usr/lib/hx/hx' "\$@"
END
chmod +x "$dir"/bin/*
"$dir/bin/nvim" --version | head -n 1 >&2
"$dir/bin/hx" --version >&2
rm -rf "$dir"/{lists,archives}
touch "$dir/ready"
echo "$dir/bin"
