# --- begin -----------------------------------------------------------------

# Ready a way back before anything is touched. The record appears last and by
# a rename: without it nothing has begun.
begin() {
	if unfinished; then finish_earlier || return 1; fi
	clear_leftovers
	install_recovery || return 1
	mkdir -p "$txn/old/system" && cp "$work/run" "$txn/run.new" || return 1
	# Room that nobody else can take: going back must work on a disk that fills up.
	reserve=$((${size:-0} + 8192))
	fallocate --length "${reserve}KiB" "$txn/reserve" 2>/dev/null || head -c "${reserve}K" /dev/zero >"$txn/reserve" || return 1
	say "$action" >"$txn/action" # for who goes back in our place, as the next two
	say "$who" >"$txn/who"
	printf '%1000s\n' '' >"$txn/why" # room for the reason, also on a full disk
	say "$from" >"$txn/old/version"
	unit_state
	[ -n "$active" ] || return 1
	say "$enabled" >"$txn/old/enabled"
	say "$active" >"$txn/old/active"
	say "$invocation" >"$txn/old/invocation"
	keep_units "$txn/old/system" && keep_states "$txn/old/states" || return 1
	if [ -e "$live_environment" ]; then cp -a "$live_environment" "$txn/old/environment" || return 1; fi
	if [ -e "$pin" ]; then cp -a "$pin" "$txn/old/pin" || return 1; fi
	if [ -e "$numa_conf" ]; then cp -a "$numa_conf" "$txn/old/numa.conf" || return 1; fi
	if [ -n "$from" ]; then
		kept=$(current_release)
		if [ -n "$kept" ] && first_line "$kept/version" && [ "$line_of" = "$from" ]; then
			ln "$kept/package.deb" "$txn/old/package.deb" && cp "$kept/parameters" "$txn/old/parameters" || return 1
		elif [ "$action" != remove ]; then
			fetch_package "$from" "$txn/old/package.deb" || {
				reason="$name $from is installed, but its package is neither kept here nor in the repository: there would be no way back"
				return 1
			}
		fi
	fi
	say "$format" >"$txn/record.new"
	write_down && mv "$txn/run.new" "$txn/run" && mv "$txn/record.new" "$txn/record" && sync "$txn"
}

# write_down: all of the record is on the disk, files before the folders that name them.
write_down() {
	set -- "$txn"/*.new "$txn/action" "$txn/who" "$txn/why" "$txn"/old/* "$txn"/old/system/* "$txn/old/system" "$txn/old" "$txn" "$home" "${recover_link%/*}"
	for each in "$@"; do
		shift
		[ ! -e "$each" ] || set -- "$@" "$each" # a pattern that stands for nothing
	done
	sync "$@"
}

# clear_leftovers: of one that had not begun.
clear_leftovers() {
	if [ -e "$txn" ] || [ -e "$txn.over" ]; then rm -rf "$txn" "$txn.over"; fi
}

# A transient unit is gone after a power cut; this one is found at every boot.
install_recovery() {
	[ -d "${recover_link%/*}" ] || mkdir -p "${recover_link%/*}"
	cmp -s - "$recover_template" <<-UNIT || say "$recovery_unit" | replace "$recover_template" 0644 || return 1
		$recovery_unit
	UNIT
	[ -L "$recover_link" ] || ln -s "$recover_template" "$recover_link"
}

recovery_unit='# Written by kinectl. Enabled for a service only while a release of it is under way.
[Unit]
Description=Finish or undo the release of %i that was interrupted
Documentation=https://github.com/kinectl/kinectl/blob/main/docs/recovery.md
After=local-fs.target
Before=%i.service

[Service]
Type=oneshot
ExecStart=/bin/sh -c "if [ -e /var/lib/kinectl/%i/txn/run ]; then exec /bin/sh /var/lib/kinectl/%i/txn/run recover; fi; rm -rf /var/lib/kinectl/%i/txn /var/lib/kinectl/%i/txn.over; rm -f /etc/systemd/system/multi-user.target.wants/kinectl-recover@%i.service"
TimeoutStartSec=10min'

# Room for the old package beside the new one, or nothing begins.
enough_room() {
	need=$((2 * ${size:-0} + 32768))
	df -P -k /usr /var >"$work/room" && while read -r _ _ _ free _ place; do
		case $free in *[!0-9]*) continue ;; esac # the heading
		if [ "$free" -lt "$need" ]; then
			reason="disk full: $((free / 1024)) MiB free on $place, $((need / 1024)) MiB needed"
			return 1
		fi
	done <"$work/room"
}
