#!/bin/sh
# Stops and disables the units of {{ .Name }} before they go. An upgrade leaves
# them as they are.
set -e
{{- if .Names }}

if [ "$1" = remove ]; then
	if [ -d /run/systemd/system ]; then
		# What cannot be stopped must not keep the package here for ever.
		systemctl stop{{ range .Running }} {{ . }}{{ end }} || true
		systemctl --quiet --no-reload disable{{ range .Names }} {{ . }}{{ end }} || true
	else
		SYSTEMD_OFFLINE=1 systemctl --quiet disable{{ range .Names }} {{ . }}{{ end }} || true
	fi
fi
{{- end }}
