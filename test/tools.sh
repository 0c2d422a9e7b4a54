#!/bin/sh
# Looks for the programs that some tests need, and installs what is missing
# where that is possible: as root, on a system with apt.
#
#   a browser   the form tests post from a real page
#   strace      the fault tests inject errors into system calls
#   postgresql  the second engine of the store
#   git         patches are put into files, and rules are pulled, as people do it
#   rabbitmq    a broker that messages go to; with Erlang, some 60 MB
set -eu

missing=""
browser=""
for name in chromium chromium-browser google-chrome google-chrome-stable headless-shell; do
  if command -v "$name" >/dev/null 2>&1; then browser="$name"; break; fi
done
[ -n "$browser" ] || missing="$missing chromium"
command -v strace >/dev/null 2>&1 || missing="$missing strace"
command -v git >/dev/null 2>&1 || missing="$missing git"
if ! command -v initdb >/dev/null 2>&1 && ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
  missing="$missing postgresql"
fi
if ! ls /usr/lib/rabbitmq/lib/*/sbin/rabbitmq-server >/dev/null 2>&1; then
  missing="$missing rabbitmq-server"
fi
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "installing for the tests:$missing"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  # shellcheck disable=SC2086 # a list of package names
  apt-get install -y -qq --no-install-recommends $missing >/dev/null
  case "$missing" in # the tests run a node of their own, the service is not needed
  *rabbitmq*) systemctl disable --now rabbitmq-server >/dev/null 2>&1 || true ;;
  esac
  exit 0
fi

echo "Some tests need:$missing" >&2
echo "Please install it, for example: sudo apt-get install$missing" >&2
if [ -n "${CI:-}" ]; then exit 1; fi
echo "Going on: those tests will be skipped." >&2
