#!/bin/sh
# PID 1 of a lab host, for a moment. Where the machine has the controllers on
# cgroup v1, systemd-nspawn mounts them read-only, and systemd would find none to
# set limits with. They show only the host's own groups, so it may write to them.
while read -r _ dir type options _; do
    case "$type $options" in
    "cgroup ro,"*) mount -o remount,bind,rw,nosuid,nodev,noexec "$dir" ;;
    esac
done </proc/self/mounts
exec /lib/systemd/systemd
