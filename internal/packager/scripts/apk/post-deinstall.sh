#!/bin/sh
# {{ if .Cache }}Takes the cache of {{ .Name }} away and tells{{ else }}Tells{{ end }} systemd. The user and
# /var/lib/{{ .Name }} stay: somebody's data is not ours to delete.
set -e

{{ if .Cache }}rm -rf /var/cache/{{ .Name }}
{{ end }}if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
{{- with .Running }}
	systemctl reset-failed{{ range . }} {{ . }}{{ end }} 2>/dev/null || true
{{- end }}
fi
