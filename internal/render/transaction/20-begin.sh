# --- begin -----------------------------------------------------------------

# Ready a way back before anything is touched. The record appears last and by
# a rename: without it nothing has begun.
begin() {
	if unfinished; then finish_earlier || return 1; fi
	rm -rf "$txn" "$txn.over"
	install_recovery || return 1
	mkdir -p "$txn/old" || return 1
	replace "$txn/run" 0700 <"$work/run" || return 1
	# Room that nobody else can take: going back must work on a disk that fills up.
	reserve=$((${size:-0} + 8192))
	fallocate --length "${reserve}KiB" "$txn/reserve" 2>/dev/null || head -c "${reserve}K" /dev/zero >"$txn/reserve" || return 1
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
		if [ -n "$kept" ] && [ "$(cat "$kept/version")" = "$from" ]; then
			ln "$kept/package.deb" "$txn/old/package.deb" && cp "$kept/parameters" "$txn/old/parameters" || return 1
		elif [ "$action" != remove ]; then
			fetch_package "$from" "$txn/old/package.deb" || {
				reason="$name $from is installed, but its package is neither kept here nor in the repository: there would be no way back"
				return 1
			}
		fi
	fi
	say "$format" >"$txn/record.new"
	find "$txn" -type f ! -name reserve -exec sync {} + && sync "$txn/old/system" "$txn/old" "$txn" "$home" && mv "$txn/record.new" "$txn/record" && sync "$txn"
}

# A transient unit is gone after a power cut; this one is found at every boot.
install_recovery() {
	mkdir -p "${recover_link%/*}"
	recovery_unit >"$work/recover.service"
	cmp -s "$work/recover.service" "$recover_template" || replace "$recover_template" 0644 <"$work/recover.service" || return 1
	ln -sf "$recover_template" "$recover_link" && sync "${recover_link%/*}"
}

recovery_unit() {
	cat <<'UNIT'
# Written by kinectl. Enabled for a service only while a release of it is under way.
[Unit]
Description=Finish or undo the release of %i that was interrupted
Documentation=https://github.com/kinectl/kinectl/blob/main/docs/recovery.md
After=local-fs.target
Before=%i.service

[Service]
Type=oneshot
ExecStart=/bin/sh -c 'if [ -e /var/lib/kinectl/%i/txn/run ]; then exec /bin/sh /var/lib/kinectl/%i/txn/run recover; fi; rm -rf /var/lib/kinectl/%i/txn /var/lib/kinectl/%i/txn.over; rm -f /etc/systemd/system/multi-user.target.wants/kinectl-recover@%i.service'
TimeoutStartSec=10min
UNIT
}

# Room for the old package beside the new one, or nothing begins.
enough_room() {
	size=$(dpkg-query --show --showformat='${Installed-Size}' "$name" 2>/dev/null || true)
	need=$((2 * ${size:-0} + 32768))
	for place in /usr /var; do
		free=$(df -P -k "$place" | awk 'NR == 2 { print $4 }')
		if [ "$free" -lt "$need" ]; then
			reason="disk full: $((free / 1024)) MiB free on $place, $((need / 1024)) MiB needed"
			return 1
		fi
	done
}
