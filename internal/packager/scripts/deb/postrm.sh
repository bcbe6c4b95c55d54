#!/bin/sh
# Tells systemd that the units of {{ .Name }} are gone. Purging takes away what a
# release has written besides{{ if .Cache }}, and the cache{{ end }}; dpkg takes the configuration of the
# package. What somebody else put beside it, the user and /var/lib/{{ .Name }} stay:
# they are not ours to delete.
set -e

if [ "$1" = purge ]; then
	rm -f /etc/{{ .Name }}/environment /etc/systemd/system/{{ .Name }}.service.d/50-kinectl-numa.conf
{{- range .Timers }}
	rm -f /var/lib/systemd/timers/stamp-{{ . }}
{{- end }}
	for folder in /etc/{{ .Name }} /etc/systemd/system/{{ .Name }}.service.d; do
		[ ! -d "$folder" ] || rmdir --ignore-fail-on-non-empty "$folder"
	done
{{- if .Cache }}
	rm -rf /var/cache/{{ .Name }}
{{- end }}
fi
case "$1" in
remove | purge)
	if [ -d /run/systemd/system ]; then
		systemctl daemon-reload
{{- with .Running }}
		systemctl reset-failed{{ range . }} {{ . }}{{ end }} 2>/dev/null || true
{{- end }}
	fi
	;;
esac
