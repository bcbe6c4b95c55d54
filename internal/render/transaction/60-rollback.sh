# --- roll back -------------------------------------------------------------

# Bring the recorded state back, byte for byte. With "offline" the service is
# left to the boot that is under way.
restore() {
	# What is not written down whole is not believed: nothing would be "not installed".
	[ "$(cat "$txn/record")" = "$format" ] && [ -s "$txn/old/version" ] && [ -s "$txn/old/enabled" ] && [ -s "$txn/old/active" ] || return 1
	old=$(cat "$txn/old/version")
	rm -f "$txn/reserve"
	if [ "$1" = offline ]; then patience=--no-block; fi
	dpkg --configure -a >/dev/null 2>&1
	intact=no
	if [ -z "$old" ]; then
		stop_all
		purge || return 1
		# What a person had put there before belongs to that person.
		put_back "$txn/old/pin" "$pin" && put_back "$txn/old/environment" "$live_environment" && put_back "$txn/old/numa.conf" "$numa_conf" || return 1
		rmdir "/etc/$name" "${numa_conf%/*}" 2>/dev/null
		[ ! -e "$numa_conf" ] || systemctl daemon-reload
		return 0
	fi
	intact=yes
	came=$(owned_units)
	stale=$(for each in $(owned_units socket); do if unit_differs "$each"; then say "$each"; fi; done)
	if [ "$(installed_version "$name")" != "$old" ] || [ -n "$(altered)" ]; then
		intact=no
		install_file "$txn/old/package.deb" || return 1
	fi
	if [ -e "$txn/restarting" ]; then intact=no; fi
	put_back "$txn/old/pin" "$pin" && put_back "$txn/old/environment" "$live_environment" || return 1
	put_back "$txn/old/numa.conf" "$numa_conf" || return 1
	[ -e "$numa_conf" ] || unbind_from_numa
	if [ "$(cat "$txn/old/enabled")" != enabled ]; then systemctl --quiet disable "$name.service" 2>/dev/null; fi
	if [ "$intact" = yes ] && [ "$1" = online ]; then return 0; fi
	for each in $came; do
		case $each in *.socket | *.timer | "$name.service") [ -e "$unit_folder/$each" ] || forget "$each" ;; esac
	done
	systemctl daemon-reload
	# A release that starts nothing has disabled it.
	[ "$(cat "$txn/old/enabled")" != enabled ] || systemctl --quiet enable "$name.service"
	put_back_units
	systemctl reset-failed "$name.service" 2>/dev/null
	case $(cat "$txn/old/active") in
	active) swap_back ;;
	inactive | failed) [ ! -e "$unit_folder/$name.service" ] || systemctl $patience stop "$name.service" ;;
	# It waited for something, its database say: it goes on waiting, without us.
	*) systemctl --no-block restart "$name.service" ;;
	esac
}

# put_back_units: sockets and timers as the record has them. One that differs was
# opened by the new release, and its service must be down for the old one.
put_back_units() {
	# One that gave up under a service that dies at each start (TriggerLimitBurst= in
	# systemd.socket(5)) cannot listen again while next has its address.
	if next_runs && ! listening socket; then stop_next; fi
	# shellcheck disable=SC2086 # names of units, and no option
	if [ -n "$stale" ]; then systemctl $patience stop "$name.service" $stale; fi
	[ -e "$txn/old/states" ] || return 0
	while read -r each was running; do
		if [ "$was" = enabled ]; then was=enable; else was=disable; fi
		systemctl --quiet "$was" "$each"
		if [ "$running" = active ]; then running=start; else running=stop; fi
		systemctl $patience "$running" "$each"
	done <"$txn/old/states"
}

# After a failure: the old release, judged again by its own rules.
roll_back() {
	step roll-back
	first_line "$txn/why"
	why=${line_of:-$reason} # a second try keeps the reason of the release
	printf '%-1000s\n' "$why" 1<>"$txn/why"
	restore online || {
		put_in
		sync "$txn/why"
		reason="$why; going back failed too"
		describe failed true # and nothing for the history until it is known how it ends
		tell
		return 1
	}
	if [ -z "$old" ]; then
		reason="$why; not installed, as before"
		end rolled-back
		clear_transaction
		return 3
	fi
	if [ "$intact" = yes ]; then
		# Nothing of the new release had reached the service.
		reason=$why
		end failed false
		clear_transaction
		return 1
	fi
	asked=$version
	if [ -e "$txn/old/parameters" ]; then
		load_parameters "$txn/old/parameters"
	else
		probe_version=false # not installed by us: who knows what it says of itself
	fi
	if { [ "$(cat "$txn/old/active")" = active ] || [ "$runs" != true ]; } && ! judge; then
		reason="$why; back on $old, which is not healthy either: $reason"
		version=$asked
		end failed
		clear_transaction
		return 1
	fi
	version=$asked
	reason=$why
	case $(cat "$txn/old/active") in
	active | inactive) ;;
	*) reason="$why; back on $old, which was not healthy before: it was $(cat "$txn/old/active")" ;;
	esac
	end rolled-back
	clear_transaction
	return 3
}

# unfinished: something was begun here that neither has its end nor was undone.
unfinished() { [ -e "$txn/record" ] || [ -e "$txn/committed" ] || [ -e "$txn/removing" ] || [ -e "$txn/power" ]; }

# finish_earlier: what an earlier transaction left when even its guard failed.
finish_earlier() {
	if [ -e "$txn/power" ]; then
		# Apart: what it loads is not of the release that comes after it.
		(finish_power "${1:-online}")
	elif [ -e "$txn/removing" ]; then
		take_away || return 1
	elif [ -e "$txn/committed" ]; then
		close_transaction
	elif [ -e "$txn/record" ]; then
		restore "${1:-online}" || {
			reason="an earlier release left $txn and it cannot be undone: see docs/recovery.md"
			return 1
		}
		# Apart: the release that comes after it has its own version.
		(recovered "${1:-later}")
		clear_transaction
	else
		clear_transaction
	fi
	from=$(installed_version "$name")
}

# recovered online|offline|later: the one line in the history of a release that was undone by
# a retry, a boot, or the next release.
recovered() {
	as_recorded
	first_line "$txn/who"
	who=${line_of:-unknown} holder='' digest='' release=0
	first_line "$txn/why"
	case $1:$line_of in
	online:) reason='going back failed at first, and was tried again' ;;
	offline:) reason='the host lost its power or was restarted in the middle of a release' ;;
	later:) reason='the release was interrupted, and undone by the next one' ;;
	offline:*) reason="$line_of; going back was finished by a boot" ;;
	*) reason="$line_of; going back failed at first, and was tried again" ;;
	esac
	from=$(sed -n "s/^version='\(.*\)'\$/\1/p; /^# end of parameters\$/q" "$txn/run")
	version=${old:-none}
	describe recovered true
	record_history "$line}"
}
