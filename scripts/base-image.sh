#!/usr/bin/env bash
# Makes sure that there is an image to run sessions in, and prints its name: SKETCH_IDE_BASE_IMAGE or the default one, pulled;
# where no registry can be reached, a small Debian made here.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

default=$(sed -n 's/^const DefaultBaseImage = "\(.*\)"$/\1/p' container/*.go)
made=sketch-ide/debian:bookworm
decide=15 # seconds for a registry to name the image's layers

present() { docker image inspect "$1" >/dev/null 2>&1; }

# pull IMAGE: gives up when no registry has answered in time; once one has, the layers may take as long as they need.
pull() {
  say "Pulling $1 …"
  local log pid deadline=$((SECONDS + decide)) status=0
  log=$(mktemp)
  docker pull "$1" >"$log" 2>&1 &
  pid=$!
  while kill -0 $pid 2>/dev/null && ! grep -q 'Pulling from' "$log"; do
    if [ $SECONDS -ge $deadline ]; then
      kill $pid
      break
    fi
    sleep 0.1
  done
  wait $pid || status=$?
  [ $status = 0 ] || say "No registry gave it: $(tail -n 1 "$log")"
  rm -f "$log"
  return $status
}

# make_image TAG: Debian with what a session is shown with: git, python3 for a web server, and curl, ps and ip to look around.
make_image() {
  may_install || die "Set SKETCH_IDE_BASE_IMAGE to an image that this engine has: none can be pulled, and one is made only by root on Debian or Ubuntu."
  install_packages debootstrap debian-archive-keyring ca-certificates
  say "Making $1 with debootstrap (about a minute) …"
  local root log
  root=$(mktemp -d) log=$(mktemp)
  trap "rm -rf '$root' '$log'" EXIT
  if ! debootstrap --variant=minbase --include=ca-certificates,curl,git,iproute2,libpython3-stdlib,procps,python3-minimal \
    bookworm "$root/image" >"$log" 2>&1; then
    tail -n 15 "$log" >&2
    die "debootstrap failed."
  fi
  # Folders stay, for packages that expect them.
  (cd "$root/image" && find var/cache/apt var/lib/apt/lists var/log usr/share/{doc,info,locale,man} ! -type d -delete)
  tar -C "$root/image" --numeric-owner -c . | docker import --change 'CMD ["/bin/bash"]' - "$1" >/dev/null
}

if [ -n "${SKETCH_IDE_BASE_IMAGE:-}" ]; then
  present "$SKETCH_IDE_BASE_IMAGE" || pull "$SKETCH_IDE_BASE_IMAGE" || die "SKETCH_IDE_BASE_IMAGE=$SKETCH_IDE_BASE_IMAGE cannot be had."
  echo "$SKETCH_IDE_BASE_IMAGE"
elif present "$default"; then
  echo "$default"
elif present "$made"; then
  echo "$made"
elif pull "$default"; then
  echo "$default"
else
  make_image "$made"
  echo "$made"
fi
