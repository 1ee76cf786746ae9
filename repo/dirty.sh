# Run inside the container by sh, after assignments of the variables that it reads (see dirty.go). Standard input is a pack. POSIX sh, git 2.20.
set -eu
unset GIT_DIR GIT_WORK_TREE GIT_COMMON_DIR GIT_INDEX_FILE GIT_OBJECT_DIRECTORY GIT_NAMESPACE
LC_ALL=C GIT_LFS_SKIP_SMUDGE=1
export LC_ALL GIT_LFS_SKIP_SMUDGE
cd -- "$workspace"
quiet_git() { git -c core.hooksPath=/dev/null -c gc.auto=0 "$@"; }
quiet_git unpack-objects -q
# The files as they are on the host, and then the index alone as it is there: what is in the one and not in the other is unstaged, or not known to git.
quiet_git read-tree --reset -u "$files"
quiet_git read-tree --reset "$index"
quiet_git update-index -q --refresh || : # it says by its status that there are changes
