# --- the ways in -----------------------------------------------------------

same_as_now() {
	[ "$from" = "$package_version" ] && same_environment &&
		[ -e "$pin" ] && [ ! -e "$txn/record" ] && kept_as_current && bound_to_numa || return 1
	if ! listening; then
		reason=
		return 1
	fi
	if [ "$runs" != true ]; then
		[ -z "$(altered)" ]
		return
	fi
	unit_state
	[ "$active $enabled $reload" = 'active enabled no' ] || return 1
	# A process whose program is gone from the disk is of another release, unless going
	# back has put the same there without a restart.
	main=$(unit_property MainPID)
	program=$(readlink "/proc/$main/exe")
	case $program in *' (deleted)') cmp -s "/proc/$main/exe" "${program% (deleted)}" ;; esac
}

# kept_as_current: what is installed may have come by hand, over another release.
kept_as_current() {
	current=$(current_release)
	[ -n "$current" ] && first_line "$current/version" && [ "$line_of" = "$package_version" ]
}

# same_environment: Prepare has only the digest of the new one.
same_environment() {
	if [ -e "$work/environment" ]; then cmp -s "$work/environment" "$live_environment"; else
		[ -e "$live_environment" ] && [ "$(digest_of "$live_environment")" = "$digest" ]
	fi
}

# has_credentials: what systemd is to decrypt for the service is here, and made
# for this host; without it no unit of the service starts (systemd-creds(1)).
has_credentials() {
	for each in $credentials; do
		file=$credstore/$name.$each
		make="run there, as root: mkdir -p -m 0700 $credstore && systemd-creds encrypt --name=$each - $file"
		if [ ! -s "$file" ]; then
			reason="security.credentials wants $file, which is not on this host; $make"
			return 1
		fi
		systemd-creds --name="$each" decrypt "$file" - >/dev/null 2>"$work/failure" && continue
		reason="this host cannot decrypt $file; $make"
		return 1
	done
}

# find_kept N: a release kept on this host; 0 when it has nothing to go back from.
find_kept() {
	kept_release=$home/releases/$1
	[ "$1" = 0 ] || [ -e "$kept_release/package.deb" ] && return
	reason="release $1 is not kept on this host"
	return 1
}

transaction() {
	take_turn --timeout 5 || { # the step of a deployer who is refused is short
		refuse locked
		return 4
	}
	sed '/^# end of parameters$/q' "$work/run" >"$work/parameters"
	read_installed
	case $action in restart | start | stop)
		power
		return
		;;
	esac
	if [ "$action" = remove ]; then
		remove
		return
	fi
	if [ "$action" = restore ] && [ "$1" = 0 ]; then
		reason='the release that is gone back from had not come to this host'
		version=$from
		refuse unchanged
		return 0
	fi
	if [ "$action" = restore ]; then
		find_kept "$1" || {
			refuse failed
			return 1
		}
		cp "$kept_release/environment" "$work/environment"
		cp "$kept_release/parameters" "$work/parameters"
		load_parameters "$work/parameters"
		package_version=$(cat "$kept_release/version")
	fi
	if [ "$action" = install ] && ! choose_variant; then
		refuse failed
		return 1
	fi
	digest=$(digest_of "$work/environment")
	if same_as_now; then
		refuse unchanged
		return 0
	fi
	last=$(current_release)
	last=${last##*/}
	release=$((${last:-0} + 1))
	if ! enough_room || ! begin; then
		not_begun
		return 1
	fi
	# Where the goal is kept, or, from the repository, before what is left.
	if [ "$action" = restore ]; then
		say "${kept_release##*/}" >"$txn/back-to"
	elif [ -n "${KINECTL_NEWEST:-}" ]; then
		say "$((KINECTL_NEWEST - 1))" >"$txn/back-to"
	fi
	if act && { judge || { failure_log && false; }; } && start_timers && commit "$([ "$action" = restore ] && echo restored || echo deployed)"; then
		return 0
	fi
	: "${reason:=the release could not be kept in $home/releases}"
	roll_back
}

# not_begun: why there is no record of this transaction. One that could not be undone
# stays, for the guard, a boot or a person.
not_begun() {
	unfinished || clear_transaction
	: "${reason:=the old state could not be written down in $txn}"
	end failed false
}

# finish_commit: the deployer is told of the release that this transaction has
# committed, and of no earlier one.
finish_commit() {
	line=$(cat "$txn/line")
	line=${line%\}}
	result=$(say "$line" | sed 's/.*"result":"\([a-z]*\)".*/\1/')
	failed=false reason=
	if [ -n "$(find "$txn/committed" -newer "$work/run")" ]; then tell; fi
	finish_earlier
}

finish_removal() {
	action=remove
	if finish_earlier; then
		from=$was reason=
		describe removed true
		tell
	else
		end failed
	fi
}

guard() {
	installs=1000 # the transaction's own lists of units are of before and after
	take_lock
	said=
	[ ! -e "$work/result" ] || read -r said <"$work/result"
	case $said in
	*'"result":"locked"'*) ;; # the host is another one's, and so is what is left here
	*)
		finish_for_good
		if unfinished; then try_again; fi
		;;
	esac
	rm -f "$work/environment" "$work/run" "$work/parameters" "/run/kinectl/$name.step"
	forget_home
	# The deployer's end reads the result and removes the folder, if it still lives.
	kill -0 "$1" 2>/dev/null || rm -rf "$work"
}

# as_recorded: the action of the transaction that this one ends.
as_recorded() {
	first_line "$txn/action"
	action=${line_of:-install} # an earlier kinectl did not write it down
}

# try_again: what cannot be undone now, on a full disk say, is undone when it can be. The
# deployer is told of it.
try_again() {
	said=$(systemd-run --quiet --collect --no-block --unit="$retry_unit" --description="Undo the release of $name that was interrupted" \
		--property=Restart=on-failure --property=RestartSec=10 --property=StartLimitIntervalSec=0 \
		/bin/sh -c "if [ -e $txn/run ]; then exec /bin/sh $txn/run retry; fi" 2>&1)
	case $?:$said in
	0:* | *already*) reason="$reason; this host tries it again every 10 s, see docs/recovery.md" ;;
	*) reason="$reason; trying it again could not be started (${said:-systemd-run failed}): recover this host by hand, see docs/recovery.md" ;;
	esac
	if [ "${result:-}" != failed ]; then return; fi # the release itself is good
	describe failed true
	tell
}

# finish_for_good: what was begun here and has no end. When going back fails, a next
# that answers is left.
finish_for_good() {
	if [ -e "$txn/power" ]; then
		finish_power online
	elif unfinished; then
		reason='the transaction was interrupted'
		from=$(cat "$txn/old/version" 2>/dev/null)
		was=$from
		digest=$(digest_of "$work/environment")
		if [ -e "$txn/removing" ]; then
			finish_removal
		elif [ -e "$txn/committed" ]; then
			finish_commit
		else
			as_recorded
			roll_back
		fi
	elif [ -e "$txn" ] || [ -L "$recover_link" ]; then
		clear_transaction
	fi
	unfinished || spare_next
}

recover() {
	take_lock
	work=$(mktemp -d /run/kinectl-recover.XXXXXX)
	trap 'rm -rf "$work"' EXIT
	finish_earlier "$1" && return
	say "$reason" >&2
	return 1
}

uptime
started=$now
verb=$1
action=install
work=
who=${KINECTL_WHO:-unknown}
sickness=
case $verb in
transaction)
	action=$2
	work=$3
	shift 3
	transaction "$@"
	;;
guard)
	work=$2
	guard "$3"
	;;
recover)
	recover offline
	;;
retry)
	recover online
	;;
check)
	action=$2
	work=$3
	shift 3
	check "$@"
	;;
status)
	work=$2
	status
	;;
survey)
	work=$2
	survey
	;;
history)
	work=$2
	tell_past "${3:-}"
	;;
plan)
	action=$2
	work=$3
	shift 3
	plan "$@"
	;;
before)
	work=$2
	before
	;;
lease)
	action=$2
	work=$3
	only_lease
	;;
freeze | unfreeze)
	action=$verb
	work=$3
	"$verb"
	;;
prepare)
	action=$2
	work=$3
	shift 3
	prepare "$@"
	;;
esac
