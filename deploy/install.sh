#!/bin/sh
# Install Tamis on a Debian with systemd: `deploy/install.sh WHEEL`, as root; again for another version.
# Programs go to /opt/tamis, settings to /etc/tamis, the home to /var/lib/tamis. Nothing is started.
set -eu
[ $# -eq 1 ] && [ -f "$1" ] || { echo "usage: install.sh WHEEL (made by: pip wheel --no-deps .)" >&2; exit 2; }
here=$(dirname "$(readlink -f "$0")")
units=/etc/systemd/system

ldconfig -p | grep -q 'libgomp\.so\.1' || { echo "libgomp is not installed (Debian: apt-get install libgomp1)" >&2; exit 1; }
[ -x /opt/tamis/bin/python ] || python3 -m venv /opt/tamis
/opt/tamis/bin/pip install --quiet --require-hashes -r "$here/serving/requirements.lock"
/opt/tamis/bin/pip install --quiet --no-deps --force-reinstall "$1"

install -D -m 644 "$here/systemd/tamis.sysusers.conf" /etc/sysusers.d/tamis.conf
systemd-sysusers /etc/sysusers.d/tamis.conf
install -d -m 750 -g tamis /etc/tamis
[ -e /etc/tamis/tamis.toml ] || install -m 640 -g tamis "$here/systemd/tamis.toml" /etc/tamis/tamis.toml
install -d -m 700 -o tamis -g tamis /var/lib/tamis
install -D -m 644 -t "$units" "$here"/systemd/*.service "$here"/systemd/*.timer
install -D -m 644 -t "$units/tamis-.service.d" "$here"/systemd/tamis-.service.d/*.conf
[ ! -d /run/systemd/system ] || systemctl daemon-reload

cat <<'END'
installed. As root:
  runuser -u tamis -- /opt/tamis/bin/tamis promote --rules --by NAME --reason "first day"   # or restore, or train
  systemctl enable --now tamis-serve.service
  systemctl enable --now tamis-backup.timer tamis-verify.timer tamis-monitor.timer tamis-retain.timer
END
