#!/bin/sh
# Makes what {{ .Name }} needs on this host. It starts nothing: that is up to
# whoever releases it. Most hosts with apk have no systemd.
set -e
{{- with .Sysusers }}

if command -v systemd-sysusers >/dev/null; then
	systemd-sysusers{{ range . }} {{ . }}{{ end }}
else
	grep -q '^{{ $.Group }}:' /etc/group || addgroup -S {{ $.Group }}
	grep -q '^{{ $.User }}:' /etc/passwd || adduser -S -D -H -h / -s /sbin/nologin -G {{ $.Group }} {{ $.User }}
fi
{{- end }}
{{- range .Private }}
[ ! -e {{ . }} ] || chgrp {{ $.Group }} {{ . }}
{{- end }}
{{- with .Tmpfiles }}

if command -v systemd-tmpfiles >/dev/null; then
	systemd-tmpfiles --create{{ range . }} {{ . }}{{ end }}
fi
{{- end }}

# Units of the version before that are no more.
for link in /etc/systemd/system/*.wants/{{ .Name }}.* /etc/systemd/system/*.wants/{{ .Name }}-*; do
	if [ -L "$link" ] && [ ! -e "$link" ]; then
		if [ -d /run/systemd/system ]; then
			systemctl stop "${link##*/}" || true
		fi
		rm -f "$link"
	fi
done
if [ -d /run/systemd/system ] && [ -z "${KINECTL_TRANSACTION:-}" ]; then
	systemctl daemon-reload
fi
