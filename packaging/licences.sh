#!/bin/sh
# Prints the licences of all modules that are in the program, and of SQLite,
# which is in its driver. A module without a licence is an error.
set -eu
cd "$(dirname "$0")/.."
echo "hookgate contains the following software, under the licences printed here."
echo "SQLite itself, which comes with github.com/mattn/go-sqlite3, is in the public domain."
go list -deps -f '{{with .Module}}{{if .Version}}{{.Path}} {{.Version}} {{.Dir}}{{end}}{{end}}' . | sort -u | while read -r path version dir; do
  found=""
  for file in "$dir"/LICENSE* "$dir"/LICENCE* "$dir"/COPYING* "$dir"/License* "$dir"/license*; do
    [ -f "$file" ] || continue
    found=1
    printf '\n%s\n%s %s (%s)\n\n' "----------------------------------------------------------------------" "$path" "$version" "$(basename "$file")"
    cat "$file"
  done
  if [ -z "$found" ]; then
    echo "licences: $path $version has no licence" >&2
    exit 1
  fi
done
