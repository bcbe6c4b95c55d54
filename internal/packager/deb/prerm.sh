#!/bin/sh
# Stops {{ .Name }} before its files go. An upgrade leaves it running.
set -e

if [ "$1" = remove ]; then
	if [ -d /run/systemd/system ]; then
		systemctl stop {{ .Name }}.service
	fi
	systemctl --quiet disable {{ .Name }}.service
fi
