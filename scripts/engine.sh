#!/usr/bin/env bash
# Makes sure that a Docker engine answers. As root on Debian or Ubuntu it installs and starts one; elsewhere it says what to do.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

answers() { command -v docker >/dev/null && timeout 10 docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

# forget_stale FILE NAME: a pid file survives a crash, and its number may by now be another program's or a dead one's, for which a daemon gives up.
forget_stale() {
  local pid
  pid=$(cat "$1" 2>/dev/null) || return 0
  if [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$2" ] && ! grep -qs '^State:[[:space:]]*[ZX]' "/proc/$pid/status"; then
    return 0
  fi
  rm -f "$1"
}

daemon= # process id, where we started it
start_daemon() {
  if [ -d /run/systemd/system ]; then
    systemctl start docker
    return
  fi
  local run=/var/run
  forget_stale $run/docker.pid dockerd
  forget_stale $run/docker/containerd/containerd.pid containerd
  mkdir -p "$cache_dir"
  say "Starting dockerd (log: $cache_dir/dockerd.log) …"
  setsid dockerd >"$cache_dir/dockerd.log" 2>&1 </dev/null &
  daemon=$!
}

answers && exit 0
if [ -n "${DOCKER_HOST:-}" ]; then
  die "No Docker engine answers at DOCKER_HOST=$DOCKER_HOST."
fi
if ! may_install; then
  die "No Docker engine answers: install and start Docker (https://docs.docker.com/engine/install/), and let this user reach it."
fi
install_packages docker.io iptables ca-certificates
answers || start_daemon
deadline=$((SECONDS + 60))
retries=5 # one that was killed a moment ago may still be on its way out
until answers; do
  if [ -n "$daemon" ] && ! kill -0 "$daemon" 2>/dev/null; then
    if [ $retries -gt 0 ] && grep -q 'pid file found' "$cache_dir/dockerd.log"; then
      retries=$((retries - 1))
      sleep 1
      start_daemon
      continue
    fi
    die "dockerd does not run here: $(grep -v level=info "$cache_dir/dockerd.log" | tail -n 3)"
  fi
  [ $SECONDS -lt $deadline ] || die "The Docker engine does not answer after a minute (log: $cache_dir/dockerd.log)."
  sleep 0.2
done
