	# Takes the cache of {{ .Name }} away. The user and /var/lib/{{ .Name }} stay:
	# somebody's data is not ours to delete.
	rm -rf /var/cache/{{ .Name }}
{{- with .Running }}
	if [ -d /run/systemd/system ]; then
		systemctl reset-failed{{ range . }} {{ . }}{{ end }} 2>/dev/null || true
	fi
{{- end }}
