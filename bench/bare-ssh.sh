#!/usr/bin/env bash
# The least that a release can do: on each host, over plain ssh, refresh the
# index, install the version, hold it, restart, wait for the first good answer.
#
#   bare-ssh.sh KEY PARALLEL PACKAGE VERSION URL HOST...
set -euo pipefail
key=$1 parallel=$2 package=$3 version=$4 url=$5
shift 5

steps="set -e
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --allow-downgrades --allow-change-held-packages $package=$version >/dev/null 2>&1
apt-mark hold $package >/dev/null
systemctl daemon-reload
systemctl restart $package
for i in \$(seq 200); do curl -sf '$url' >/dev/null && exit 0; sleep 0.05; done
exit 1"

printf '%s\n' "$@" | xargs -P "$parallel" -I HOST \
	ssh -F none -i "$key" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR root@HOST "$steps"
