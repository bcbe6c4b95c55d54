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

# nobody_elses: a first install takes nothing from others. dpkg refuses to
# overwrite a file of another package, but does not see through the links of
# merged folders, and it lets packages share a folder.
nobody_elses() {
	[ -z "$from" ] || return 0
	taken=$(dpkg-query --search "/usr/bin/$name" "/bin/$name" "/usr/sbin/$name" "/sbin/$name" \
		"$unit_folder/$name.service" "/lib/systemd/system/$name.service" "/etc/$name" 2>/dev/null | grep -v "^$name:" | head -n 1)
	if [ -n "$taken" ]; then
		reason="${taken##*: } belongs to the package ${taken%%[:,]*} on this host: the service needs another name"
		return 1
	fi
	person=$(id -u "$user" 2>/dev/null || say 0)
	if [ "$person" -ge 1000 ] && [ "$person" -lt 60000 ]; then
		reason="the user $user is a person's on this host (uid $person): security.owner needs another name"
		return 1
	fi
}

# prepare [N] [DIGEST]: refuse what cannot go well, and fetch what will be installed, on
# every host before the first is touched.
prepare() {
	take_lock --nonblock || {
		refuse locked
		return
	}
	if [ -e "$txn" ] && ! finish_earlier; then
		refuse failed
		return
	fi
	rm -rf "$home/before"
	from=$(installed_version "$name")
	differs=true
	case $action in
	install)
		digest=$(say "$2" | cut -c 1-12)
		if ! choose_variant || ! nobody_elses || ! has_credentials || ! numa_binding >"$work/numa.conf" || ! { [ "$from" = "$package_version" ] || { enough_room && refresh_index && apt_install --download-only; }; }; then
			refuse failed
			return
		fi
		if same_as_now; then differs=false; fi
		;;
	restore)
		find_kept "$1" || {
			refuse failed
			return
		}
		if [ "$1" != 0 ]; then
			credentials=$(load_parameters "$kept_release/parameters" && say "$credentials")
			has_credentials || {
				refuse failed
				return
			}
		fi
		;;
	esac
	rmdir "$home" /var/lib/kinectl 2>/dev/null
	describe ready false
	line="$line,\"differs\":$differs"
	tell
}
