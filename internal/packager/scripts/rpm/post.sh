# Makes what {{ .Name }} needs on this host and tells systemd of its units. It
# starts nothing: that is up to whoever releases it. A release by kinectl tells
# systemd itself, and only when a unit has changed.
set -e
{{- with .Sysusers }}
systemd-sysusers{{ range . }} {{ . }}{{ end }}
{{- end }}
{{- range .Private }}
[ ! -e {{ . }} ] || chgrp {{ $.Group }} {{ . }}
{{- end }}
{{- with .Tmpfiles }}
systemd-tmpfiles --create{{ range . }} {{ . }}{{ end }}
{{- end }}
if [ -d /run/systemd/system ] && [ -z "${KINECTL_TRANSACTION:-}" ]; then
	systemctl daemon-reload
fi
