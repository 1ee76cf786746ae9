# Run inside the container by sh, after assignments of the variables that it reads (see checkout.go). POSIX sh, git 2.20.
set -eu
unset GIT_DIR GIT_WORK_TREE GIT_COMMON_DIR GIT_INDEX_FILE GIT_OBJECT_DIRECTORY GIT_NAMESPACE GIT_ALLOW_PROTOCOL
PATH=${PATH:-/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin}:/usr/local/bin
LC_ALL=C GIT_TERMINAL_PROMPT=0 GIT_LFS_SKIP_SMUDGE=1
export PATH LC_ALL GIT_TERMINAL_PROMPT GIT_LFS_SKIP_SMUDGE

command -v git >/dev/null 2>&1 || {
  echo "$no_git" >&2
  exit 1
}
# Hooks that an image brings, and gc in the background, have no part in this. Nothing is at stake yet, so that git (2.36 and later) does not wait for the
# disk: to sync one ref means to sync all that was just copied.
quiet_git() { git -c core.hooksPath=/dev/null -c gc.auto=0 -c maintenance.auto=false -c core.fsync=none "$@"; }

mkdir -p -- "$workspace"
cd -- "$workspace"
if [ -e .git ] && [ "$(git config --local --get sketch.branch || :)" = "$branch" ]; then
  echo "$done" >&2 # the last line of this script was reached before
  exit 0
fi
if [ ! -e .git ]; then
  quiet_git init -q ${format:+"--object-format=$format"}
fi
# What a killed git leaves would stop the next one. Nobody else is at work here before the first checkout is complete.
git_dir=$(git rev-parse --git-dir)
rm -f -- "$git_dir"/*.lock

git config "remote.$remote.url" "$url"
git config --replace-all "remote.$remote.fetch" "+refs/heads/*:refs/remotes/$remote/*"
git config user.name "$name"
git config user.email "$email"
case $step in
  begin) exit 0 ;; # objects are copied now, or not
  fetch) quiet_git fetch --progress --force --tags --update-shallow "$remote" "+refs/heads/*:refs/remotes/$remote/*" "+$base:$base" ;;
esac
# Files that the image has in this folder give way to the repository's; others stay.
quiet_git checkout --progress --force --no-track -B "$branch" "$commit" --
git config sketch.branch "$branch"
