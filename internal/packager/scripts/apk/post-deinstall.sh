#!/bin/sh
# Takes the cache of {{ .Name }} away and tells systemd. The user and
# /var/lib/{{ .Name }} stay: somebody's data is not ours to delete.
set -e

rm -rf /var/cache/{{ .Name }}
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
{{- with .Running }}
	systemctl reset-failed{{ range . }} {{ . }}{{ end }} 2>/dev/null || true
{{- end }}
fi
