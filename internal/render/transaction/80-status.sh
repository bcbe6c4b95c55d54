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
	elif [ "$action" = restart ] || [ "$action" = stop ] || [ "$action" = start ]; then
		as_deployed
		if power_needless; then changed=false; else reason="would $action $name ${from:-(not installed)}"; fi
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
	would=$reason
	if refused; then reason="$would; now it would be refused: $reason"; fi
	describe checked "$changed"
	tell
}

status() {
	sweep /run/kinectl
	current=$(current_release)
	[ ! -e "$current/parameters" ] || load_parameters "$current/parameters"
	from=$(installed_version "$name")
	health=none drifts='' clashes='' busy=false
	# Once more: what began meanwhile has changed what was seen.
	if at_work || { look_closely && at_work; }; then
		busy=true health=changing drifts='' clashes=''
		reason=$(holding)
		: "${reason:=a release whose deployer is gone, which this host ends by itself}"
	fi
	kept=
	for each in $(kept_releases | sort -t / -k 7 -n); do
		committed=$(stat --format=%Y "$each/digest" 2>/dev/null) || continue # a commit beside this has taken it away
		kept="$kept${kept:+,}{\"release\":${each##*/},\"version\":\"$(cat "$each/version")\",\"digest\":\"$(cat "$each/digest")\",\"configuration\":\"$(tr -cd '0-9a-f' 2>/dev/null <"$each/configuration")\",\"when\":$committed}"
	done
	unit_state
	line="{\"changed\":false,\"format\":$format,\"service\":\"$name\",\"group\":\"$(group_of_service)\",\"version\":\"$from\",\"since\":\"$(unit_property ActiveEnterTimestamp)\",\"health\":\"$health\",\"reason\":$(json_string "$reason"),\"busy\":$busy,\"kept\":[$kept]"
	line="$line,\"drift\":[$drifts],\"conflicts\":[$clashes]"
	if [ "$runs" != true ]; then active=none enabled=none; fi
	line="$line,\"active\":\"$active\",\"enabled\":\"$enabled\",\"lease\":$(json_string "$(holding)"),\"freeze\":$(json_string "$(if frozen; then say "$reason"; fi)")"
	say "$line,\"committed\":$(committed_line | grep . || echo null),\"last\":$(last_release_line | grep . || echo null)}" >"$work/result"
}

# look_closely: health, drift and ports, of a host on which nobody is at work: in the
# middle of a release nothing of it is as it was deployed, and that is no fault.
look_closely() {
	if [ -n "$from" ]; then
		body=$work/answer
		health=sick
		stopped=$(stopped_on_purpose)
		if [ -n "$stopped" ]; then
			health=stopped
			reason=$(say "$stopped" | sed 's/.*"who":"\([^"]*\)","when":"\([^"]*\)".*/stopped by \1, \2/')
		elif looks_well; then
			health=healthy
		fi
	fi
	reason=${sickness:-$reason}
	unit_state
	drifts=$(drift | json_lines)
	clashes=$([ -z "$from" ] || conflicts | json_lines)
	return 0
}

# at_work: a transaction, its guard, or whoever goes on after them, at this moment. The
# pause before another try is nobody's work, and may last as long as the fault does.
at_work() {
	systemctl show --property=SubState --value "$transaction_unit" "$retry_unit" "${recover_link##*/}" |
		grep -v -e '^dead$' -e '^failed$' -e '^exited$' -e '^auto-restart' | grep -q .
}

# sweep FOLDER: what a stage that was killed left there, which nothing can need after
# a day: no transaction may take so long.
sweep() { find "$1" -mindepth 1 -maxdepth 1 -type d -name "$name.??????" -mmin +1440 -exec rm -rf {} +; }

# past: the lines of the history, the oldest first. One that a power cut tore is none.
past() { cat "$history.1" "$history" 2>/dev/null | grep -a '^{.*}$'; }

# last_release_line: the newest of what changed the service, and not of who may.
last_release_line() { past | grep -v -e '"action":"freeze' -e '"action":"unfreeze' | tail -n 1; }

# committed_line: the newest of a release that stayed. Restarts, and releases that went back,
# have changed nothing of that.
committed_line() { past | grep -E '"result":"(deployed|restored)"' | tail -n 1; }

# stopped_on_purpose: the line of the history that says so, if it is what holds now.
stopped_on_purpose() {
	is_stopped && past | grep -E '"result":"(stopped|started|restarted|deployed|restored)"' | tail -n 1 | grep '"result":"stopped"'
}

# holding: whose lease the host is under, in words.
holding() {
	their=$(holder_says id)
	if [ -n "$their" ] && lease_lives; then whose_lease; fi
}

# group_of_service: of the inventory, as the package's own spec has it.
group_of_service() { sed -n 's/^  group: *\([A-Za-z0-9_-]*\).*/\1/p' "/usr/share/kinectl/$name/spec.yml" 2>/dev/null | head -n 1; }

# tell_past N: the last lines of the history.
tell_past() {
	case $1 in '' | *[!0-9]* | ?????*) set -- 20 ;; esac
	say "{\"changed\":false,\"lines\":\"$(past | tail -n "$1" | base64 | tr -d '\n')\"}" >"$work/result"
}

# survey: the status of every service that has a release here, each by a script of
# its own name; which release that is, the status finds out itself.
survey() {
	all=
	for each in /var/lib/kinectl/*/releases; do
		each=${each%/releases} && each=${each##*/}
		case $each in *[!a-z0-9-]*) continue ;; esac
		mkdir "$work/$each" || continue
		sed "1,/^# end of parameters\$/s/^name=.*/name='$each'/" "$work/run" >"$work/$each/run"
		/bin/sh "$work/$each/run" status "$work/$each" >/dev/null 2>&1 </dev/null
		if [ -s "$work/$each/result" ]; then all="$all${all:+,}$(cat "$work/$each/result")"; fi
	done
	say "{\"changed\":false,\"services\":[$all]}" >"$work/result"
}

# recovered_by_itself: it crashed, and has run for ten minutes since. What crashes again and
# again is seen, and one crash is not the state of the service for ever.
recovered_by_itself() {
	[ "$active" = active ] && [ "$restarts" != 0 ] || return 1
	uptime
	[ $((now - $(unit_property ActiveEnterTimestampMonotonic) / 10000)) -ge 60000 ] && reason=
}

# looks_well: one look, without the patience of a judgement.
looks_well() {
	if [ "$runs" = true ]; then
		{ steady || recovered_by_itself; } && probe && says_version || return 1
	else
		judge || return 1
	fi
	listening
}
