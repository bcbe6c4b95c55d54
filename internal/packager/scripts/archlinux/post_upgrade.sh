	# Units of the version before that are no more.
	for link in /etc/systemd/system/*.wants/{{ .Name }}.* /etc/systemd/system/*.wants/{{ .Name }}-*; do
		if [ -L "$link" ] && [ ! -e "$link" ]; then
			if [ -d /run/systemd/system ]; then
				systemctl stop "${link##*/}" || true
			fi
			rm -f "$link"
		fi
	done
