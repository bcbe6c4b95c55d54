# After an upgrade, ends the units that the new version has no more. After a
# removal, takes its cache away and tells systemd. Changed configuration, the user
# and /var/lib/{{ .Name }} stay: somebody's data is not ours to delete.
set -e
for unit in{{ range .Names }} {{ . }}{{ end }}; do
	if [ "$1" = 0 ] || [ -e "/usr/lib/systemd/system/$unit" ]; then
		continue
	fi
	if [ -d /run/systemd/system ]; then
		systemctl stop "$unit" || true
	fi
	rm -f /etc/systemd/system/*.wants/"$unit"
done
if [ "$1" = 0 ]; then
{{- if .Cache }}
	rm -rf /var/cache/{{ .Name }}
{{- end }}
{{- range .Timers }}
	rm -f /var/lib/systemd/timers/stamp-{{ . }}
{{- end }}
	if [ -d /run/systemd/system ]; then
		systemctl daemon-reload
{{- with .Running }}
		systemctl reset-failed{{ range . }} {{ . }}{{ end }} 2>/dev/null || true
{{- end }}
	fi
fi
