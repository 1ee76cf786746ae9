#!/usr/bin/env bash
# Shows the agent at work without a key and a network: a repository whose test fails, a container, a scripted model's server (scripts/demo-agent/scenario.json) that
# speaks Anthropic's API on this machine's loopback, and real tools. The fix comes back as a branch.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

step() { printf '\n\033[1m▸ %s\033[0m\n' "$*"; }
[ -t 1 ] || step() { printf '\n> %s\n' "$*"; }

begun=$SECONDS
model=
dir=$(mktemp -d)
tidy() {
  trap - EXIT INT TERM
  if [ -n "$model" ] && kill -INT "$model" 2>/dev/null; then
    wait "$model" || :
  fi
  rm -rf "$dir"
}
trap tidy EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

step "A Docker engine, a base image, bin/sketch-ide"
scripts/engine.sh
image=$(scripts/base-image.sh)
make --no-print-directory build
go build -o "$dir/model" ./internal/fakellm/serve

step "A git repository whose test fails"
repo=$dir/greet
cp -r scripts/demo-agent/repo "$repo"
mv "$repo/gitignore" "$repo/.gitignore"
sed -i "s|BASE_IMAGE|$image|" "$repo/Dockerfile.sketch"
git() { command git --no-pager -C "$repo" -c user.name='Sketch Demo' -c user.email=demo@example.com -c init.defaultBranch=main "$@"; }
git init -q
git config user.name 'Sketch Demo'
git config user.email demo@example.com
git add . && git commit -qm 'Greet'
git log --oneline

step "A model's server that follows scripts/demo-agent/scenario.json"
"$dir/model" -key demo-key scripts/demo-agent/scenario.json >"$dir/address" &
model=$!
until [ -s "$dir/address" ]; do
  kill -0 "$model" 2>/dev/null || die "The model's server did not start."
  sleep 0.05
done
cat >"$dir/settings.json" <<END
{ "models": [{ "name": "scripted", "provider": "anthropic", "model": "scenario", "baseUrl": "$(cat "$dir/address")", "apiKeyEnv": "DEMO_KEY",
               "contextWindow": 200000, "prices": { "input": 3, "output": 15, "cacheRead": 0.3, "cacheWrite": 3.75 } }] }
END
cat "$dir/settings.json"

step "sketch-ide up --one-shot --prompt 'Fix the failing test, then show me the server.'"
DEMO_KEY=demo-key bin/sketch-ide up --rm --settings "$dir/settings.json" --one-shot --prompt 'Fix the failing test, then show me the server.' "$repo"

step "What is on this machine now: git log and diff of its branch"
branch=$(git for-each-ref --format='%(refname:short)' refs/heads/sketch/)
git log --format='%h %an: %s%n%b' "main..$branch"
git diff "main...$branch"

echo
echo "That took $((SECONDS - begun)) s."
