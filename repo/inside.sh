# Run inside the container by sh, after assignments of the variables that it reads (see inside.go): writes the name of a tree with the files as they are.
# POSIX sh, git 2.20.
set -eu
unset GIT_DIR GIT_WORK_TREE GIT_COMMON_DIR GIT_INDEX_FILE GIT_OBJECT_DIRECTORY GIT_NAMESPACE
LC_ALL=C
export LC_ALL
cd -- "$workspace"
# A copy of the index, so that what is staged stays as it is, and nobody at work here meets a lock.
dir=$(git rev-parse --absolute-git-dir)
GIT_INDEX_FILE=$dir/sketch-index.$$
export GIT_INDEX_FILE
trap 'rm -f -- "$GIT_INDEX_FILE" "$GIT_INDEX_FILE.lock"' EXIT
if [ -f "$dir/index" ]; then cp -- "$dir/index" "$GIT_INDEX_FILE"; fi
git -c core.hooksPath=/dev/null -c core.fsmonitor=false -c advice.addEmbeddedRepo=false add -A --ignore-errors -- . || : # what cannot be read is left out
git write-tree
