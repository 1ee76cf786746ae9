# Run inside the container by sh, after assignments of workspace and shared. Standard input has the names of the packs' files, a line each.
set -eu
unset GIT_DIR GIT_WORK_TREE GIT_COMMON_DIR GIT_INDEX_FILE GIT_OBJECT_DIRECTORY GIT_NAMESPACE
cd -- "$workspace"
# The folder may be another one of that name (the engine sees other files than sketch-ide does), or not be readable here (SELinux).
while read -r name; do
  [ -r "$shared/pack/$name" ] || {
    echo "$shared/pack/$name cannot be read" >&2
    exit 1
  }
done
printf '%s\n' "$shared" >>"$(git rev-parse --git-path objects/info/alternates)"
