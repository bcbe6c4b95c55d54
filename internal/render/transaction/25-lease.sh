# --- the lease ---------------------------------------------------------------

# Whose this host is, for this service, over all the steps of a deploy. The folder
# is root's and in memory: a boot clears it. `holder` says who; `beat-ID` is of the
# login user, who writes the host's uptime there as long as the deployer lives. No
# clock but this host's own uptime matters.
lease=/run/kinectl/lease/$name
freezer=/var/lib/kinectl/.freeze # no service has a name with a dot

# The deployer's id and how many seconds its lease lasts, "ID:SECONDS"; nothing
# from a playbook that runs without its plugin.
holder=${KINECTL_HOLDER:-}
lease_seconds=${holder##*:}
holder=${holder%%:*}
misnamed=
case $holder in *[!0-9a-z]*) misnamed=yes holder= ;; esac
case $lease_seconds in '' | *[!0-9]* | ?????*) lease_seconds=60 ;; esac

holder_says() {
	first_line "$lease/holder"
	case $line_of in *"\"$1\":\""*) ;; *) return ;; esac
	line_of=${line_of##*"\"$1\":\""}
	say "${line_of%%\"*}"
}

# under_way: that a transaction has this host's lock, and whose it is. Its deployer may be gone, and
# the lease with it, but who had it last is still written there, unless this one came without.
under_way() {
	reason='another release of this service is under way on this host'
	owner=$(holder_says who)
	first_line "$txn/who"
	if [ -n "$owner" ] && [ "${line_of:-$owner}" = "$owner" ]; then reason="$reason: $(whose_lease)"; fi
}

# whose_lease: in words.
whose_lease() { say "$(holder_says what) by $(holder_says who), since $(holder_says since)"; }

# lease_lives: the last beat of its holder is not older than its lease lasts. An
# empty one was given back.
lease_lives() {
	read -r beat _ <"$lease/beat-$their" || return 1
	read -r up _ </proc/uptime
	beat=${beat%%.*} lasts=$(holder_says ttl)
	case $beat:$lasts in :* | *: | 0[0-9]* | *:0* | *[!0-9:]* | ?????????????*) return 1 ;; esac
	age=$((${up%%.*} - beat))
	[ "$age" -ge 0 ] && [ "$age" -le "$lasts" ]
} 2>/dev/null

# frozen: somebody said that nothing is to change here, and why.
frozen() {
	for each in _all "$name"; do
		[ -e "$freezer/$each" ] || continue
		ends='kinectl unfreeze'
		if [ "$each" = _all ]; then ends="$ends --all"; fi
		reason=$(sed -n 's/^{"who":"\([^"]*\)","since":"\([^"]*\)","reason":"\(.*\)"}$/frozen by \1 since \2: \3/p' "$freezer/$each" | sed 's/\\\(["\\]\)/\1/g')
		reason="${reason:-frozen: see $freezer/$each on this host}; \`$ends\` ends it"
		return
	done
	return 1
}

# refused: a freeze, or the lease of another one; reason says which. After Prepare,
# for deploy.before too, it is enough that another one had it meanwhile: what this deployer has seen there
# is no longer so.
refused() {
	if frozen; then return 0; fi
	their=$(holder_says id)
	[ -n "$their" ] && [ "$their" != "$holder" ] || return 1
	if lease_lives; then
		reason="under way on this host: $(whose_lease)"
	elif [ -n "$holder" ] && { [ "$verb" = transaction ] || [ "$verb" = before ]; }; then
		reason="the lease ran out, and this host has had another since: $(whose_lease)"
	else
		return 1
	fi
}

# hold_lease: take it or renew it, unless it is refused.
hold_lease() {
	if [ -n "$misnamed" ]; then
		reason='KINECTL_HOLDER of this run may have lower-case letters and digits only'
		return 1
	fi
	if refused; then return 1; fi
	[ -n "$holder" ] || return 0
	[ -d "$lease" ] || { (umask 022 && mkdir -p "$lease") && chmod 0755 "${lease%/lease/*}"; }
	read -r up _ </proc/uptime
	# Renewed in place, as the deployer beats. A transaction takes none that was given
	# back meanwhile: the deployer has gone then, and only the transaction is left.
	if [ "$their" = "$holder" ] && [ -s "$lease/beat-$holder" ]; then
		printf '%-20s\n' "$up" 1<>"$lease/beat-$holder"
		return
	fi
	if [ "$their" = "$holder" ] && [ "$verb" = transaction ] && [ -e "$lease/beat-$holder" ]; then return 0; fi
	if [ "$their" != "$holder" ]; then rm -f "$lease"/beat-*; fi
	# Its last beat first: whoever reads a holder finds one.
	if ! { say "$up" >"$lease/beat-$holder" && { [ "${KINECTL_LOGIN:-0}" = 0 ] || chown "$KINECTL_LOGIN" "$lease/beat-$holder"; }; }; then
		reason="the lease could not be written to $lease"
		return 1
	fi
	[ "$their" != "$holder" ] || return 0
	case $action in install) what="deploy of $version" ;; restore) what="rollback to $version" ;; *) what=$action ;; esac
	(umask 022 && say "{\"id\":\"$holder\",\"who\":\"$who\",\"what\":\"$what\",\"since\":\"$(date -u +%Y-%m-%dT%H:%M:%SZ)\",\"ttl\":\"$lease_seconds\"}" >"$lease/holder.new") &&
		mv "$lease/holder.new" "$lease/holder"
}

# take_turn: the lock of this moment, and the lease over all of them.
take_turn() {
	if take_lock "$@"; then
		hold_lease
		return
	fi
	if refused; then return 1; fi
	under_way
	return 1
}

# only_lease: for the host where deployers meet, and for those that --limit leaves out.
only_lease() {
	if take_turn --timeout 2; then
		describe ready false
		forget_home
	else
		describe locked false
	fi
	tell
}

# freeze, unfreeze: of a service, or of all under the name _all.
freeze() {
	reason=$(tr '\000-\037' ' ' <"$work/reason")
	note="{\"who\":\"$who\",\"since\":\"$(date -u +%Y-%m-%dT%H:%M:%SZ)\",\"reason\":$(json_string "$reason")}"
	(umask 022 && mkdir -p "$freezer")
	if say "$note" | replace "$freezer/$name" 0644 && sync "$freezer"; then
		record_freeze frozen
	else
		reason="$freezer/$name could not be written"
		describe failed false
	fi
	tell
}

# record_freeze RESULT: into the history of the service, or of every one that is here. Who
# has the host's lock may be at the same files, so the rotation is left to that.
record_freeze() {
	history_size=999999999
	set -- "$1" "$home"
	if [ "$name" = _all ]; then
		action="$action all"
		set -- "$1" "${home%/*}"/*
	fi
	describe "$1" true
	shift
	for each in "$@"; do
		history=$each/releases.jsonl
		[ ! -d "$each/releases" ] || record_history "$line}"
	done
}

unfreeze() {
	describe unfrozen false
	if [ -e "$freezer/$name" ]; then rm -f "$freezer/$name" && sync "$freezer" && record_freeze unfrozen; fi
	rmdir "$freezer" /var/lib/kinectl 2>/dev/null
	tell
}
