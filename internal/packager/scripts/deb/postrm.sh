#!/bin/sh
# Tells systemd that the units of {{ .Name }} are gone. Purging takes away
# configuration and cache too. The user and /var/lib/{{ .Name }} stay: somebody's
# data is not ours to delete.
set -e

if [ "$1" = purge ]; then
	rm -rf /etc/{{ .Name }} /var/cache/{{ .Name }}
	rm -rf{{ range .Names }} /etc/systemd/system/{{ . }}.d{{ end }}
	rm -f{{ range .Timers }} /var/lib/systemd/timers/stamp-{{ . }}{{ end }}
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
