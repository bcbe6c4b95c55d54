# --- the units of the package ------------------------------------------------

unit_folder=/usr/lib/systemd/system

# owned_units [KIND]: the names of the units in the installed package. dpkg knows
# them; a pattern would find those of hello-world beside those of hello. Its answer
# is kept until a package is installed or removed.
owned_units() {
	[ -e "$work/units$installs" ] || dpkg-query --listfiles "$name" 2>/dev/null |
		sed -n "s,^$unit_folder/\\([^/]*[^/@]\\.\\(service\\|socket\\|timer\\)\\)\$,\\1,p" >"$work/units$installs"
	while read -r owned; do
		case $owned in *".${1:-${owned##*.}}") say "$owned" ;; esac
	done <"$work/units$installs"
}

installs=0
forget_units() { installs=$((installs + 1)); }

# old_units: the same of the release that was here before, from the record.
old_units() {
	for old_unit in "$txn"/old/system/*; do [ ! -e "$old_unit" ] || say "${old_unit##*/}"; done
}

keep_units() {
	[ -d "$1" ] || mkdir -p "$1"
	# shellcheck disable=SC2046 # names of units
	set -- $(owned_units) "$1"
	[ "$#" = 1 ] || (cd "$unit_folder" && cp -p "$@")
}

# unit_differs UNIT: not the same text as in the release before.
unit_differs() { ! cmp -s "$txn/old/system/$1" "$unit_folder/$1"; }

# units_differ: telling systemd of new units costs more than all else in a
# release, and most releases change none.
units_differ() {
	for each in $(owned_units); do
		if unit_differs "$each"; then return 0; fi
	done
	for each in $(old_units); do
		if [ ! -e "$unit_folder/$each" ]; then return 0; fi
	done
	! same_file "$txn/old/numa.conf" "$numa_conf"
}

# unit_states: of each unit named on standard input a line with its name, whether
# it is enabled and whether it is active. Fails when systemd does not answer.
unit_states() {
	xargs -r systemctl show --property=Id,ActiveState,UnitFileState |
		awk -F = '/^Id=/ { id = $2 } /^ActiveState=/ { active = $2 } /^UnitFileState=/ { enabled = $2 }
			function tell() { if (id != "") print id, enabled == "" ? "none" : enabled, active; id = active = enabled = "" }
			/^$/ { tell() } END { tell() }'
}

listeners() { owned_units socket && owned_units timer; }

# keep_states FILE: of sockets and timers, whole or not at all.
keep_states() {
	: >"$1"
	[ -n "$(listeners)" ] || return 0
	listeners | unit_states >"$1" && [ "$(wc -l <"$1")" = "$(listeners | wc -l)" ] && ! grep -q ' $' "$1"
}

# listening [KIND]: every socket and timer is as it should be.
listening() {
	listeners=$(if [ "$#" = 0 ]; then listeners; else owned_units "$1"; fi)
	[ -n "$listeners" ] || return 0
	idle=$(say "$listeners" | unit_states | grep -v ' enabled active$' | head -n 1)
	[ -n "$idle" ] || return 0
	reason=$(say "$idle" | while read -r each state running; do say "$each is $running and $state, not active and enabled"; done)
	return 1
}

# forget UNIT...: stop and disable units whose files may be gone already.
forget() {
	systemctl $patience stop "$@" >/dev/null 2>&1
	systemctl reset-failed "$@" >/dev/null 2>&1
	for each in "$@"; do
		find /etc/systemd/system -mindepth 2 -maxdepth 2 -type l \( -path "*.wants/$each" -o -path "*.requires/$each" \) -delete
	done
	rmdir /etc/systemd/system/sockets.target.wants /etc/systemd/system/timers.target.wants 2>/dev/null
	return 0
}

# drop_units: what the release before had and this one lacks. Its tasks may run
# to their end: only what would start them goes.
drop_units() {
	for gone in $(old_units); do
		case $gone in *.socket | *.timer | "$name.service") [ -e "$unit_folder/$gone" ] || forget "$gone" ;; esac
	done
}

# open_sockets: a socket whose unit is the same goes on listening; one that is new
# or another can only be opened while its service is down.
open_sockets() {
	sockets=$(owned_units socket)
	[ -n "$sockets" ] || return 0
	if ! listening socket; then
		say "$sockets" | xargs systemctl --quiet enable || return 1
	fi
	stale=
	for each in $sockets; do
		if unit_differs "$each" || ! systemctl --quiet is-active "$each"; then stale="$stale $each"; fi
	done
	[ -n "$stale" ] || return 0
	systemctl stop "$name.service"
	# Its folder in /run went with it, and the marker there.
	[ -z "$drained" ] || mark_drained || return 1
	say "$stale" | xargs systemctl restart && return
	reason="$stale could not listen"
	reason=${reason# }
	return 1
}

# start_timers: the last step before a commit, since a task of a release that
# is not kept should not run.
start_timers() {
	timers=$(owned_units timer)
	if [ -n "$timers" ]; then
		if ! listening timer; then say "$timers" | xargs systemctl --quiet enable; fi
		for each in $timers; do
			if unit_differs "$each"; then systemctl restart "$each"; else systemctl start "$each"; fi
		done
	fi
	listening
}

# stop_all: every unit of the package, its tasks too.
stop_all() {
	every=$({ owned_units && old_units; } | sort -u)
	[ -n "$every" ] || return 0
	# Together, or a socket would start its service again.
	say "$every" | xargs systemctl disable --now >/dev/null 2>&1
	say "$every" | xargs systemctl reset-failed >/dev/null 2>&1
	for each in $every; do forget "$each"; done
}
