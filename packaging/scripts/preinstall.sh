#!/bin/sh
# The user whom the service runs as: there before the folder that is its own.
set -e
getent group hookgate >/dev/null || groupadd --system hookgate
getent passwd hookgate >/dev/null || useradd --system --gid hookgate --home-dir /var/lib/hookgate --no-create-home --shell /usr/sbin/nologin hookgate
