#!/usr/bin/env bash
# Shows the main job: a repository, its container, a web server inside, and the page on this machine's localhost.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

step() { printf '\n\033[1m▸ %s\033[0m\n' "$*"; }
[ -t 1 ] || step() { printf '\n> %s\n' "$*"; }

begun=$SECONDS
up=
dir=$(mktemp -d)
tidy() {
  trap - EXIT INT TERM
  if [ -n "$up" ] && kill -INT "$up" 2>/dev/null; then # --rm: the end of `up` removes the session
    wait "$up" || :
  fi
  rm -rf "$dir"
}
trap tidy EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

step "A Docker engine"
command -v curl >/dev/null || install_packages curl
scripts/engine.sh
echo "Docker $(docker version --format '{{.Server.Version}}') answers."

step "A base image"
image=$(scripts/base-image.sh)
echo "$image"

step "Building bin/sketch-ide"
make --no-print-directory build

step "A git repository with three commits"
repo=$dir/hello
mkdir "$repo"
git() { command git --no-pager -C "$repo" -c user.name='Sketch Demo' -c user.email=demo@example.com -c init.defaultBranch=main "$@"; }
git init -q
printf '# Hello\n' >"$repo/README.md"
git add . && git commit -qm 'Say what this is'
printf '<!doctype html>\n<title>Hello</title>\n<h1>Hello from inside the container</h1>\n' >"$repo/index.html"
git add . && git commit -qm 'Add a page'
printf 'body { font-family: sans-serif }\n' >"$repo/style.css"
git add . && git commit -qm 'Add a style'
git log --oneline

step "sketch-ide up, and a web server inside: python3 -m http.server 3000"
: >"$dir/up.log"
set -m # in a process group of its own, so that ctrl-C ends it once, by tidy
bin/sketch-ide up --rm --base-image "$image" "$repo" -- python3 -m http.server 3000 </dev/null >"$dir/up.log" 2>&1 & # that reads from the terminal would be stopped
up=$!
set +m
shown=0
show() { # what `up` has said since
  local lines
  lines=$(wc -l <"$dir/up.log")
  [ "$lines" = $shown ] || sed -n "$((shown + 1)),${lines}p" "$dir/up.log" # sed would print a first line past the last
  shown=$lines
}
toast=
until [ -n "$toast" ]; do
  show
  toast=$(grep -m 1 -E '^Port 3000 .*forwarded' "$dir/up.log" || :)
  [ -z "$toast" ] || show # it may have come since
  if [ -z "$toast" ] && ! kill -0 "$up" 2>/dev/null; then
    show
    die "sketch-ide up ended before the port was forwarded."
  fi
  sleep 0.05
done
url=$(grep -oE 'https?://[^ ]+' <<<"$toast")

step "curl $url"
curl --fail --silent --show-error --max-time 10 "$url"

step "Tidying up"
kill -INT "$up"
wait "$up" || :
up=
show
echo
echo "That took $((SECONDS - begun)) s."
