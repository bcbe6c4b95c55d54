# --- looking, without touching ---------------------------------------------

check() {
	from=$(installed_version "$name")
	reason='nothing to do'
	changed=true
	if [ "$action" = remove ]; then
		reason="would remove $name ${from:-(not installed)}"
		if [ -z "$from" ]; then changed=false; fi
	elif [ "$action" = restore ] && { [ "$1" = 0 ] || ! find_kept "$1"; }; then
		changed=false
	elif [ "$action" = restore ]; then
		reason="would go back to $name $(cat "$kept_release/version") (now: ${from:-not installed})"
	elif ! choose_variant; then
		changed=false
	elif same_as_now; then
		changed=false
	elif [ "$from" = "$package_version" ]; then
		reason="would restart $name $package_version, with the environment of this release"
	elif [ "$runs" != true ]; then
		reason="would install $name $package_version (now: ${from:-not installed})"
	else
		reason="would install $name $package_version (now: ${from:-not installed}) and restart it"
	fi
	describe checked "$changed"
	tell
}

status() {
	current=$(current_release)
	health=none
	from=$(installed_version "$name")
	if [ -n "$from" ]; then
		[ ! -e "$current/parameters" ] || load_parameters "$current/parameters"
		body=$work/answer
		health=sick
		if looks_well; then health=healthy; fi
	fi
	reason=${sickness:-$reason}
	kept=
	for each in $(kept_releases); do
		kept="$kept${kept:+,}{\"release\":${each##*/},\"version\":\"$(cat "$each/version")\",\"digest\":\"$(cat "$each/digest")\",\"when\":$(stat --format=%Y "$each/digest")}"
	done
	busy=false
	if systemctl --quiet is-active "$transaction_unit"; then busy=true; fi
	unit_state
	if [ "$runs" != true ]; then active=none; fi
	say "{\"changed\":false,\"format\":$format,\"service\":\"$name\",\"version\":\"$from\",\"active\":\"$active\",\"since\":\"$(unit_property ActiveEnterTimestamp)\",\"health\":\"$health\",\"reason\":$(json_string "$reason"),\"busy\":$busy,\"kept\":[$kept],\"last\":$(grep '^{.*}$' "$history" 2>/dev/null | tail -n 1 | grep . || echo null)}" >"$work/result"
}

# looks_well: one look, without the patience of a judgement.
looks_well() {
	if [ "$runs" = true ]; then
		steady && probe && says_version || return 1
	else
		judge || return 1
	fi
	listening
}
