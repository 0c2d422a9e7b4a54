#!/bin/sh
set -e
install -d -o hookgate -g hookgate -m 0750 /etc/hookgate
install -d -o hookgate -g hookgate -m 0700 /var/lib/hookgate
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload || true
  systemctl try-restart hookgate.service || true # an upgrade
fi
if [ ! -e /etc/hookgate/config.yaml ]; then
  cat <<'TEXT'
hookgate is installed. Next:

  sudo -u hookgate hookgate init -c /etc/hookgate/config.yaml
  sudo systemctl enable --now hookgate
  sudo -u hookgate hookgate events send sitejet --sample

What is documented is in /usr/share/doc/hookgate; man hookgate has the commands.
TEXT
fi
