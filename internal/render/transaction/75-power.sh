# --- restart, stop, start ----------------------------------------------------
#
# There is no older state to go back to. $txn/power says what is wanted; whoever
# finds it after a kill or a power cut brings the service there, once.

# power: what `kinectl restart`, `stop` and `start` do here; action says which.
power() {
	# First: what it leaves is what there is to look at.
	if unfinished && ! finish_earlier; then
		refuse failed
		return 1
	fi
	reason=
	as_deployed
	if [ -z "$from" ] && [ "$action" != stop ]; then
		reason='not installed'
		refuse failed
		return 1
	fi
	if power_needless; then
		refuse unchanged
		return 0
	fi
	begin_power || {
		unfinished || clear_transaction
		: "${reason:=what is wanted could not be written down in $txn}"
		refuse failed
		return 1
	}
	if switch_power; then
		end_power
		return
	fi
	end failed
	clear_transaction
	return 1
}

# as_deployed: the probe, drain and version of the release that is here, which the
# deployer's spec may be older or newer than.
as_deployed() {
	current=$(current_release)
	probe_version=false
	[ -e "$current/parameters" ] || return 0
	load_parameters "$current/parameters"
	digest=$(cat "$current/digest")
	release=${current##*/}
}

# power_needless: it is as it should be. A service that was stopped is not started by a
# restart of its group.
power_needless() {
	unit_state
	if [ "$runs" != true ]; then
		reason="$name has no service"
		[ -z "$(listeners)" ] || [ "$action" = restart ]
		return
	fi
	case $action in
	stop)
		reason='stopped already'
		is_stopped
		;;
	start)
		[ "$active $enabled" = 'active enabled' ] && listening && reason='runs already'
		;;
	restart)
		reason='it was stopped: kinectl start starts it'
		is_stopped
		;;
	esac
}

# is_stopped: nothing of it runs, and no boot would start it. No answer of systemd is none.
is_stopped() {
	[ -n "$from" ] || return 0
	states=$({ { [ "$runs" != true ] || say "$name.service"; } && listeners; } | unit_states)
	[ -n "$states" ] && ! say "$states" | grep -q -e ' enabled ' -e ' active$' -e 'activating$'
}

begin_power() {
	reason=
	# A release that was not kept: the commit of this one would make it the current.
	rm -rf "$txn" "$txn.over" "$home"/releases/*.new
	install_recovery && mkdir -p "$txn/old" && replace "$txn/run" 0700 <"$work/run" &&
		say "$active" >"$txn/old/active" && say "$invocation" >"$txn/old/invocation" &&
		say "$from" >"$txn/old/version" && say "$who" >"$txn/who" && say "$action" >"$txn/power.new" &&
		find "$txn" -type f -exec sync {} + && sync "$txn/old" "$txn" "$home" "${recover_link%/*}" && mv "$txn/power.new" "$txn/power" && sync "$txn"
}

# switch_power: out of traffic, and then what action says.
switch_power() {
	if [ "$action" != start ]; then
		if [ "$drain" -gt 0 ]; then step drain; fi
		take_out || return 1
		await_drained
	fi
	: >"$txn/restarting"
	step "$action"
	if [ "$reload" = yes ]; then systemctl daemon-reload; fi
	case $action in
	stop) switch_off ;;
	start) switch_on ;;
	restart)
		[ "$active" != failed ] || systemctl reset-failed "$name.service"
		swap_service && judged
		;;
	esac
}

judged() {
	judge && return
	failure_log
	return 1
}

# switch_on: at every boot too. A socket cannot be opened under a service that runs.
switch_on() {
	{ { [ "$runs" != true ] || say "$name.service"; } && listeners; } | xargs -r systemctl --quiet enable || {
		reason="the units of $name could not be enabled"
		return 1
	}
	if ! listening socket; then
		systemctl $patience stop "$name.service"
		# shellcheck disable=SC2046 # names of units
		systemctl $patience start $(owned_units socket) || {
			failure_log
			reason="the sockets of $name could not be opened"
			return 1
		}
	fi
	reason=
	if [ "$runs" = true ]; then
		systemctl reset-failed "$name.service" 2>/dev/null
		if [ -n "$patience" ]; then systemctl $patience start "$name.service"; else launch start; fi || {
			failure_log
			reason="$name.service did not start"
			return 1
		}
		[ -n "$patience" ] || judged || return 1
	fi
	owned_units timer | xargs -r systemctl $patience start
	[ -n "$patience" ] || listening
}

# switch_off: the service, its sockets, its timers and the tasks of those, together,
# or a socket would start its service again.
switch_off() {
	owned_units | xargs -r systemctl --quiet disable >/dev/null 2>&1
	owned_units | xargs -r systemctl $patience stop >/dev/null 2>&1
	owned_units | xargs -r systemctl reset-failed >/dev/null 2>&1
	if [ -n "$patience" ] || is_stopped; then return 0; fi
	reason="$name did not stop"
	return 1
}

# end_power: it is done, and told once. Renaming is the point of no return.
end_power() {
	reason=${1:-}
	case $action in
	stop) describe stopped true ;;
	start) describe started true ;;
	*) describe restarted true ;;
	esac
	say "$line}" >"$txn/line" && sync "$txn/line"
	mv "$txn/power" "$txn/committed" && sync "$txn"
	tell
	close_transaction
	return 0
}

# finish_power online|offline: what an interrupted one leaves to do. A restart that had not come to the
# service is given up; during a boot systemd does it.
finish_power() {
	if [ "$1" = offline ]; then patience=--no-block; fi
	action=$(cat "$txn/power")
	who=$(cat "$txn/who")
	from=$(installed_version "$name")
	as_deployed
	unit_state
	reason="the $action was interrupted"
	case $action in
	stop) switch_off ;;
	start) switch_on ;;
	*)
		if [ -z "$patience" ] && untouched; then
			reason='the restart was interrupted before the service was touched'
			false
		elif [ -z "$patience" ]; then
			launch start && judged
		fi
		;;
	esac && end_power 'interrupted, and finished by the host' && return
	end failed
	clear_transaction
	return 1
}
