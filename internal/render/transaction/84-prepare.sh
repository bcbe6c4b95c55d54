# --- prepare -----------------------------------------------------------------

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

# as_seen: the newest release here is the one that was seen when it was chosen what this
# host goes back to. Another one may have come since, from whoever had the lease then.
as_seen() {
	newest=$(current_release)
	newest=${newest##*/}
	case ${KINECTL_NEWEST:-} in '' | "${newest:-0}") return ;; esac
	reason='another release has come to this host since it was chosen what to go back to: see kinectl status, and ask again'
	if [ "$KINECTL_NEWEST" = unknown ]; then reason='this host did not answer when it was chosen what to go back to: ask again'; fi
	return 1
}

# prepare [N] [DIGEST]: refuse what cannot go well, and fetch what will be installed, on
# every host before the first is touched.
prepare() {
	if ! take_turn --timeout 2; then
		refuse locked
		return
	fi
	differs=true
	if { [ ! -e "$txn" ] || finish_earlier; } && may_go_on "$@"; then
		describe ready false
		line="$line,\"differs\":$differs"
		tell
	else
		refuse failed
	fi
	forget_home
}

may_go_on() {
	if [ -e "$home/before" ]; then rm -rf "$home/before"; fi
	read_installed
	case $action in
	install)
		digest=$(printf %.12s "$2")
		as_seen && choose_variant && nobody_elses && has_credentials && numa_binding >"$work/numa.conf" || return 1
		[ "$from" = "$package_version" ] || { enough_room && refresh_index && download; } || return 1
		if same_as_now; then differs=false; else ports_free; fi
		;;
	restore)
		as_seen && find_kept "$1" || return 1
		[ "$1" != 0 ] || return 0
		credentials=$(load_parameters "$kept_release/parameters" && say "$credentials")
		has_credentials
		;;
	esac
}
