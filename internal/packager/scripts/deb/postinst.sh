#!/bin/sh
# Makes what {{ .Name }} needs on this host, ends units that have gone, and tells
# systemd. It starts nothing: that is up to whoever releases it. A release by
# kinectl tells systemd itself, and only when a unit has changed.
set -e

case "$1" in
configure | abort-upgrade | abort-remove | abort-deconfigure)
{{- with .Sysusers }}
	systemd-sysusers{{ range . }} {{ . }}{{ end }}
{{- end }}
{{- range .Private }}
	[ ! -e {{ . }} ] || chgrp {{ $.Group }} {{ . }}
{{- end }}
{{- with .Tmpfiles }}
	systemd-tmpfiles --create{{ range . }} {{ . }}{{ end }}
{{- end }}
	# Units of the version before that are no more.
	for link in /etc/systemd/system/*.wants/{{ .Name }}.* /etc/systemd/system/*.wants/{{ .Name }}-*; do
		if [ -L "$link" ] && [ ! -e "$link" ]; then
			if [ -d /run/systemd/system ]; then
				systemctl stop "${link##*/}" || true
			fi
			rm -f "$link"
		fi
	done
	if [ -d /run/systemd/system ] && [ -z "${KINECTL_TRANSACTION:-}" ]; then
		systemctl daemon-reload
	fi
	;;
esac
