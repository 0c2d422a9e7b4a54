#!/bin/sh
set -e
# deb says remove, rpm 0; an upgrade leaves the service running.
case "${1:-}" in
remove | 0)
  if [ -d /run/systemd/system ]; then systemctl disable --now hookgate.service hookgate-backup.timer hookgate-pull.timer || true; fi
  ;;
esac
