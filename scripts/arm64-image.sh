#!/usr/bin/env bash
# Makes sure that there is a small image for arm64, with BusyBox and git from Debian's packages, and where this machine is another one, that
# its kernel runs such programs by qemu. Where it cannot, the tests see what sketch-ide says of such an image.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

image=sketch-ide/arm64:bookworm
packages=(busybox-static git libc6 libpcre2-8-0 zlib1g)

# emulate: the flags of Debian's registration have the kernel open qemu now, so that containers need not have it.
emulate() {
  [ "$(uname -m)" != aarch64 ] && may_install || return 0
  install_packages qemu-user-static
  local misc=/proc/sys/fs/binfmt_misc
  [ -e $misc/register ] || mount -t binfmt_misc binfmt_misc $misc 2>/dev/null || return 0
  [ -e $misc/qemu-aarch64 ] || cat /usr/lib/binfmt.d/qemu-aarch64.conf >$misc/register 2>/dev/null || say "This kernel does not run arm64 programs."
}

# fetch DIR: the packages, by a state of apt's own, so that this machine's keeps one architecture.
fetch() {
  local apt=(apt-get -qq -o APT::Architecture=arm64 -o APT::Architectures::=arm64 -o "Dir::State=$1/state" -o "Dir::Cache=$1/cache"
    -o Dir::State::status=/dev/null -o Acquire::Retries=3 -o Acquire::Languages=none -o APT::Sandbox::User=root)
  mkdir -p "$1/state/lists/partial" "$1/cache/archives/partial" "$1/debs"
  "${apt[@]}" update && cd "$1/debs" && "${apt[@]}" download "${packages[@]}"
}

make_image() {
  may_install || die "An image for arm64 is made only by root on Debian or Ubuntu; import one as $image."
  say "Making $image (some seconds) …"
  local dir log deb
  dir=$(mktemp -d) log=$(mktemp)
  trap "rm -rf '$dir' '$log'" EXIT
  (fetch "$dir") >"$log" 2>&1 || { tail -n 15 "$log" >&2 && die "The packages for arm64 could not be fetched."; }
  mkdir -p "$dir/root"/{bin,lib,etc,root,tmp}
  for deb in "$dir"/debs/*.deb; do dpkg-deb -x "$deb" "$dir/deb" && cp -a "$dir/deb/." "$dir/root/" && rm -rf "$dir/deb"; done
  rm -rf "$dir/root"/usr/share/{doc,man,locale,perl5,gitweb} "$dir/root"/var
  chmod 1777 "$dir/root/tmp"
  busybox --list | grep -vx busybox | while read -r applet; do ln -sf busybox "$dir/root/bin/$applet"; done # of the same release
  echo 'root:x:0:0:root:/root:/bin/sh' >"$dir/root/etc/passwd"
  echo 'root:x:0:' >"$dir/root/etc/group"
  load "$dir"
}

# load DIR: an image of DIR/root, in the form of docker save: docker import gives every image this machine's architecture.
load() {
  tar -C "$1/root" --numeric-owner --owner=0 --group=0 -cf "$1/layer.tar" .
  cat >"$1/config.json" <<EOF
{"architecture":"arm64","os":"linux","config":{"Cmd":["/bin/sh"]},"rootfs":{"type":"layers","diff_ids":["sha256:$(sha256sum <"$1/layer.tar" | cut -d' ' -f1)"]}}
EOF
  echo "[{\"Config\":\"config.json\",\"RepoTags\":[\"$image\"],\"Layers\":[\"layer.tar\"]}]" >"$1/manifest.json"
  tar -C "$1" -c layer.tar config.json manifest.json | docker load >/dev/null
}

emulate
docker image inspect $image >/dev/null 2>&1 || make_image
