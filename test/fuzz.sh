#!/bin/sh
# Runs every fuzz target of the repository, one after the other, for the given
# time each (default 10m), or as often as 500x says: a number of inputs has no
# deadline that a busy machine could miss.
#
# An input that reaches new code is made smaller by a few runs only: by default
# Go takes a minute for it, in which nothing else is
# tried, and inputs of some kilobytes then use up all the time there is. For it,
# an input that fails may be longer than it need be.
set -eu
cd "$(dirname "$0")/.."
time="${1:-10m}"

grep -rlE '^func Fuzz[A-Z]' --include='*_test.go' . | xargs -n 1 dirname | sort -u |
while read -r dir; do
  grep -hoE '^func Fuzz[A-Za-z0-9_]+' "$dir"/*_test.go | sed 's/^func //' | sort -u |
  while read -r target; do
    echo "fuzz $dir $target $time"
    ${GO:-go} test -run '^$' -fuzz "^${target}\$" -fuzztime "$time" -fuzzminimizetime 20x "$dir"
  done
done
