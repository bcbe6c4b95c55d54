# --- judge -----------------------------------------------------------------

# One look at the unit, by one call.
unit_state() {
	active='' restarts='' reload='' enabled='' invocation=''
	while IFS='=' read -r key value; do
		case $key in
		ActiveState) active=$value ;;
		NRestarts) restarts=$value ;;
		NeedDaemonReload) reload=$value ;;
		UnitFileState) enabled=$value ;;
		InvocationID) invocation=$value ;;
		esac
	done <<-STATE
		$(systemctl show --property=ActiveState,NRestarts,NeedDaemonReload,UnitFileState,InvocationID "$name.service")
	STATE
}

# steady: it runs, and systemd has not had to start it again.
steady() {
	unit_state
	if [ "$restarts" != 0 ]; then
		reason="$name.service crashed and was started again by systemd"
		return 1
	fi
	if [ "$active" != active ] && [ "$active" != activating ]; then
		reason="$name.service is $active"
		return 1
	fi
}

# probe [TIMES]: one good answer, or three in a row.
probe() {
	times=${1:-1}
	case $probe_type in
	http)
		url=http://127.0.0.1:$probe_port$probe_path
		set -- --output "$body" "$url"
		[ "$times" = 1 ] || set -- "$@" "$@" "$@"
		# Each over a connection of its own, as clients come.
		answers=$(curl -q --silent --noproxy '*' --max-time 5 --fail-early --header 'Connection: close' --write-out '%{http_code} ' "$@")
		for answer in ${answers:-000}; do
			[ "$answer" != "$probe_status" ] || continue
			if [ "$answer" = 000 ]; then answer='no answer'; fi
			sickness="the probe $url got $answer, not $probe_status"
			return 1
		done
		# shellcheck disable=SC2086 # numbers
		set -- $answers
		[ "$#" = "$times" ] && return
		sickness="the probe $url got an answer that broke off"
		return 1
		;;
	tcp)
		# curl has no "connect and hang up"; the time to connect stays 0 when it could not.
		connected=$(curl -q --silent --noproxy '*' --max-time 1 --output /dev/null --write-out '%{time_connect}' "telnet://127.0.0.1:$probe_port" </dev/null)
		[ "$connected" != 0.000000 ] && return
		sickness="the probe of port $probe_port could not connect"
		return 1
		;;
	exec)
		# In the service's sandbox, as its user; the unit bounds its time.
		systemctl start "$name-probe.service" 2>/dev/null && return
		sickness="the probe's command failed: $(systemctl show --property=Result,ExecMainStatus "$name-probe.service" | paste -s -d ' ')"
		return 1
		;;
	esac
}

# The running program says itself which version it is: an old process that
# still answers must not pass for the new one.
says_version() {
	[ "$probe_version" = true ] || return 0
	if [ "$probe_type $probe_port $probe_path" != "http $metrics_port /metrics" ]; then
		curl -q --silent --noproxy '*' --max-time 5 --output "$body" "http://127.0.0.1:$metrics_port/metrics"
	fi
	told=$(version_in "$body")
	[ "$told" = "$version" ] && return
	sickness="port $metrics_port says that it is version '$told', not '$version'"
	if [ -z "$told" ]; then sickness="/metrics on port $metrics_port has no build_info{name=\"$name\",version=\"…\"}"; fi
	return 1
}

# version_in FILE: what build_info of the service says in a text of metrics.
version_in() { sed -n '/^build_info{/ { /[{,]name="'"$name"'"/ { s/.*[{,]version="\([^"]*\)".*/\1/p; q; }; }' "$1" 2>/dev/null; }

# Healthy: active, never restarted, three good probes in a row, the version that
# was asked for, and all still so after the settling time.
judge() {
	if [ "$runs" != true ]; then
		reason=$(altered | head -n 1)
		reason="${reason:+files are not as the package has them: $reason}"
		[ -z "$reason" ]
		return
	fi
	step judge
	body=$work/answer
	sickness=
	uptime
	deadline=$((now + probe_timeout))
	pause=5
	until three_good_probes && says_version; do
		steady || return 1
		uptime
		if [ "$now" -ge "$deadline" ]; then
			reason="$sickness, after $((probe_timeout / 100)) s"
			return 1
		fi
		sleep "$((pause / 100)).$(printf %02d $((pause % 100)))"
		if [ "$pause" -lt 100 ]; then pause=$((pause * 2)); fi
	done
	steady || return 1
	uptime
	settled=$((now + probe_settle))
	if [ "$probe_settle" -gt 0 ]; then step settle; fi
	while uptime && [ "$now" -lt "$settled" ]; do
		left=$((settled - now))
		if [ "$left" -gt 100 ]; then sleep 1; elif [ "$left" -gt 0 ]; then sleep "0.$(printf %02d $((left % 100)))"; fi
		steady || return 1
		probe || {
			went_bad steady
			return 1
		}
	done
	[ "$active" = active ] && return
	reason="$name.service is still $active"
	return 1
}

# went_bad STEADY: why, after a probe that failed. A process that has just died answers
# no longer, and a moment later systemd knows that it did, which says more.
went_bad() {
	sleep 0.2
	if "$1"; then reason="$sickness, after it had been healthy"; fi
}

three_good_probes() {
	if [ "$probe_type" = http ]; then probe 3; else probe && probe && probe; fi
}
