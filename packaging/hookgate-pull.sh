#!/bin/sh
# Brings the newest commit of a branch into force: the clone that holds the config
# of HOOKGATE_CONFIG goes to it, and the running server reads it. A commit that
# `hookgate check` refuses is not taken: the clone stays where it is, rules are told
# (config_refused), once for each commit, and the exit status is 1.
# docs/rules-in-git.md says how to set it up.
set -eu
config=${HOOKGATE_CONFIG:-/etc/hookgate/config.yaml}
branch=${HOOKGATE_BRANCH:-main}
cd "$(dirname "$config")"
file=$(basename "$config")
prefix=$(git rev-parse --show-prefix)
cd "$(git rev-parse --show-toplevel)"

git fetch --quiet origin "$branch"
new=$(git rev-parse FETCH_HEAD)
refused=refs/hookgate/refused
if [ "$new" = "$(git rev-parse HEAD)" ] || [ "$new" = "$(git rev-parse --quiet --verify $refused || true)" ]; then
  exit 0
fi
name=$(git log -1 --format='%h %s' "$new")

# The commit in a folder of its own, with what lies beside the config and is in no
# commit, as .env.
try=$(mktemp -d)
trap 'git worktree remove --force "$try/new" >/dev/null 2>&1 || true; rm -rf "$try"' EXIT
git worktree add --quiet --detach "$try/new" "$new"
here=$PWD
git ls-files --others --directory | sed 's,/$,,' | while IFS= read -r path; do
  [ -e "$try/new/$path" ] || { mkdir -p "$(dirname "$try/new/$path")"; ln -s "$here/$path" "$try/new/$path"; }
done

if ! said=$(cd "$try/new/$prefix" && hookgate check --no-color --quiet "$file" 2>&1); then
  echo "refused, the version before stays in force: $name" >&2
  echo "$said" >&2
  error=$(echo "$said" | grep -m1 '^error' || echo "$said" | tail -n 1)
  at=$(echo "$error" | sed -n 's/^error[^ ]* \([^ :]*\):[0-9].*/\1/p')
  if hookgate -c "$config" events send hookgate config_refused --sample --set "file=${at:-$file}" --set "error=$error" \
    --set "text=The commit $name was refused, the version before stays in force: $error" >/dev/null; then
    git update-ref $refused "$new"
  fi
  exit 1
fi
git update-ref -d $refused
git reset --quiet --hard "$new"
echo "$name"
status=0
hookgate -c "$config" reload || status=$?
if [ "$status" = 4 ]; then
  echo "no server runs: it begins with this version" >&2
  exit 0
fi
exit "$status"
