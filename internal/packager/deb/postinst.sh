#!/bin/sh
# Makes the user of {{ .Name }} and tells systemd of the unit. It starts
# nothing: that is up to whoever releases it. A release by kinectl tells systemd
# itself, and only when a unit has changed.
set -e

case "$1" in
configure | abort-upgrade | abort-remove | abort-deconfigure)
	systemd-sysusers {{ .Name }}.conf
	if [ -d /run/systemd/system ] && [ -z "${KINECTL_TRANSACTION:-}" ]; then
		systemctl daemon-reload
	fi
	;;
esac
