	# The user of {{ .Name }} and /var/lib/{{ .Name }} stay: somebody's data is not
	# ours to delete.
	{{ if .Cache }}rm -rf /var/cache/{{ .Name }}{{ else }}:{{ end }}
{{- with .Running }}
	if [ -d /run/systemd/system ]; then
		systemctl reset-failed{{ range . }} {{ . }}{{ end }} 2>/dev/null || true
	fi
{{- end }}
