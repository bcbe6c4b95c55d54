#!/bin/sh
# Tells systemd that the unit is gone, and on purge removes what was set up on
# this host for {{ .Name }}. Its user stays, since files may belong to it.
set -e

if [ "$1" = purge ]; then
	rm -rf /etc/{{ .Name }} /etc/systemd/system/{{ .Name }}.service.d
fi
case "$1" in
remove | purge)
	if [ -d /run/systemd/system ]; then
		systemctl daemon-reload
		systemctl reset-failed {{ .Name }}.service 2>/dev/null || true
	fi
	;;
esac
