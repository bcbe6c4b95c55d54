#!/bin/sh
# Stops and disables the units of {{ .Name }} before they go.
set -e
{{- if .Names }}

if [ -d /run/systemd/system ]; then
	# What cannot be stopped must not keep the package here for ever.
	systemctl stop{{ range .Running }} {{ . }}{{ end }} || true
	systemctl --quiet --no-reload disable{{ range .Names }} {{ . }}{{ end }} || true
fi
{{- end }}
