# Run inside the container by sh, after assignments of the variables that it reads (see pull.go). Standard input has the commits that the host has;
# standard output gets the pack of what it lacks. POSIX sh, git 2.20.
set -eu
unset GIT_DIR GIT_WORK_TREE GIT_COMMON_DIR GIT_INDEX_FILE GIT_OBJECT_DIRECTORY GIT_NAMESPACE
LC_ALL=C
export LC_ALL
cd -- "$workspace"
# What is unknown here is left out: pack-objects would fail on it. No bitmaps, which know of more that could be left out than the host can check.
{
  echo "$tip"
  git cat-file --batch-check='%(objectname) %(objecttype)' | sed -n 's/^\([0-9a-f]*\) commit$/^\1/p'
} | git -c pack.useBitmaps=false -c pack.writeBitmaps=false pack-objects --revs --stdout -q --delta-base-offset
