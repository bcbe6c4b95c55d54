# --- a restart that loses no request -----------------------------------------
#
# systemd holds the sockets (NAME.socket). While NAME.service restarts, NAME-next.service
# answers on them: the same program, environment and sandbox, with its metrics on a
# Unix socket. It comes first and is judged first, so that what never becomes healthy
# is found out before NAME.service is touched.

next_unit=$name-next.service
next_metrics=/run/$name-next/metrics.sock
next_accept=/run/$name-next/accept
next_marker=/run/kinectl/$name.next # NAME-next may run: no boot finds it

next_runs() { [ -e "$next_marker" ]; }

# can_swap: old and new may run side by side, on sockets that are open. A person
# who masks NAME-next.service has said no.
can_swap() {
	[ "$runs" = true ] && [ -z "$patience" ] || return 1
	case "$newline$(owned_units service)$newline" in *"$newline$next_unit$newline"*) ;; *) return 1 ;; esac
	[ "$(systemctl show --property=LoadState --value "$next_unit")" = loaded ] || return 1
	[ "$({ owned_units socket && say "$name.service"; } | xargs systemctl show --property=ActiveState --value | sort -u | grep .)" = active ]
}

# swap_service: NAME.service restarts, by a swap where that can be. When it fails,
# a next that answers is left: going back needs it, and stops it.
swap_service() {
	if ! next_runs && can_swap; then
		{ start_next && judge_next; } || {
			failure_log
			give_up_next
			return 1
		}
		let_in
	fi
	launch restart || {
		failure_log
		reason="$name.service did not start"
		if grep -q 'start operation timed out' "$work/failure"; then reason="$name.service never said that it was ready (Type=notify)"; fi
		return 1
	}
	stop_next
}

# swap_back: the release of the record answers again. What was never stopped goes on;
# else a next of whichever release is there until it answers, so far as one can be.
swap_back() {
	if [ -n "$patience" ]; then
		systemctl $patience restart "$name.service"
		return
	fi
	if ! untouched; then
		if ! next_runs && next_of_old; then let_in; fi
		launch restart || return 1
	fi
	stop_next
}

# launch start|restart: NAME.service, with systemd's count of restarts at 0 from there on.
# It goes on counting when it was about to start the service again itself (NRestarts in
# org.freedesktop.systemd1(5)), and a crash of the release before is not one of this.
launch() {
	systemctl "$1" "$name.service" || return 1
	systemctl reset-failed "$name.service" 2>/dev/null
	return 0
}

# next_of_old: by the rules of the release of the record, above all how long it may
# take. Apart: a release that comes after this one has its own.
next_of_old() (
	[ ! -e "$txn/old/parameters" ] || load_parameters "$txn/old/parameters"
	can_swap && start_next
)

# untouched: NAME.service is still the start that it was when the record was made
# (InvocationID in systemd.exec(5)).
untouched() {
	unit_state
	[ "$active" = active ] && [ "$invocation" = "$(cat "$txn/old/invocation" 2>/dev/null)" ]
}

# start_next: returns when it says that it is ready.
start_next() {
	mkdir -p /run/kinectl && : >"$next_marker" || return 1
	uptime
	next_deadline=$((now + probe_timeout))
	timeout "$((probe_timeout / 100 + 1))" systemctl start "$next_unit" && return
	reason="$name $version was not ready within $((probe_timeout / 100)) s, beside the one that runs"
	uptime
	if [ "$now" -lt "$next_deadline" ]; then reason="$name $version did not start, beside the one that runs"; fi
	return 1
}

# let_in: from here on it accepts clients; a program on the package service waits for
# the file, and takes it away. The folder is the service's, which could have put a link
# there: rename follows none.
let_in() {
	[ -S "$next_metrics" ] || return 0
	: >"$next_marker.accept" && mv -fT "$next_marker.accept" "$next_accept"
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		[ -e "$next_accept" ] || return 0
		sleep 0.05
	done
}

# give_up_next: one that never got ready may not hear that it shall stop either.
give_up_next() {
	timeout 5 systemctl stop "$next_unit" >/dev/null 2>&1 || systemctl kill --signal=SIGKILL "$next_unit" >/dev/null 2>&1
	stop_next
}

# stop_next: one that goes on after all keeps its marker, for whoever tries again.
stop_next() {
	next_runs || return 0
	systemctl stop "$next_unit" >/dev/null 2>&1 ||
		case $(systemctl show --property=ActiveState --value "$next_unit") in inactive | failed) ;; *) return 0 ;; esac
	systemctl reset-failed "$next_unit" >/dev/null 2>&1
	rm -f "$next_marker"
}

# spare_next: stop it, unless it is what answers while NAME.service does not run.
spare_next() {
	next_runs || return 0
	if ! systemctl --quiet is-active "$name.service" && systemctl --quiet is-active "$next_unit"; then return 0; fi
	stop_next
}

# judge_next: as judge, but over the socket that only the next one has, and with the
# settling time, which NAME.service then need not spend again. A program that does not listen there
# has said that it is ready, and no more can be asked.
judge_next() {
	if [ ! -S "$next_metrics" ]; then
		sleep 0.3
		[ -S "$next_metrics" ] || {
			next_steady
			return
		}
	fi
	until next_answers && next_answers && next_answers; do
		next_steady || return 1
		uptime
		if [ "$now" -ge "$next_deadline" ]; then
			reason="$sickness, after $((probe_timeout / 100)) s"
			return 1
		fi
		sleep 0.1
	done
	uptime
	settled=$((now + probe_settle))
	while uptime && [ "$now" -lt "$settled" ]; do
		sleep 0.2
		next_steady || return 1
		next_answers || {
			went_bad next_steady
			return 1
		}
	done
	next_steady || return 1
	probe_settle=0
}

next_steady() {
	next_state=$(systemctl show --property=ActiveState --value "$next_unit")
	[ "$next_state" = active ] && return
	reason="$name $version was ready and is $next_state now, beside the one that runs"
	return 1
}

# next_answers: the probe's path where the probe asks the metrics port, which stands
# for this socket; and the version that was asked for.
next_answers() {
	body=$work/next
	wanted=200
	path=/metrics
	if [ "$probe_type $probe_port" = "http $metrics_port" ]; then
		wanted=$probe_status
		path=$probe_path
	fi
	answer=$(ask_next "$path")
	if [ "$answer" != "$wanted" ]; then
		sickness="the next one's $path got $answer, not $wanted"
		return 1
	fi
	[ "$probe_version" = true ] || return 0
	if [ "$path" != /metrics ]; then answer=$(ask_next /metrics); fi
	told=$(version_in "$body")
	[ "$told" = "$version" ] && return
	sickness="the next one says that it is version '$told', not '$version'"
	return 1
}

ask_next() { curl -q --silent --max-time 5 --unix-socket "$next_metrics" --output "$body" --write-out '%{http_code}' "http://localhost$1"; }
