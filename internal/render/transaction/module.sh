#!/bin/sh
# An Ansible module (the documented kind with its arguments as JSON in its text)
# that brings a transaction to a host, runs it as a unit and prints its result.
# Ansible pipes it into a shell: nothing of it is on a command line or a disk,
# and since all of it is one function, a text cut short does nothing.
main() {
	set -u
	umask 077
	arguments=$(
		cat <<'KINECTL_ARGUMENTS'
<<INCLUDE_ANSIBLE_MODULE_JSON_ARGS>>
KINECTL_ARGUMENTS
	)
	stage=$(argument stage)
	mkdir -p /run/kinectl
	work=$(mktemp -d "/run/kinectl/$name.XXXXXX") || exit 1
	trap 'rm -rf "$work"' EXIT
	trap '' PIPE HUP
	script >"$work/run"
	set -- "$(argument action)" "$work" "$(argument release)" "$(argument digest)"
	case $stage:$arguments in
	status:*) look status "$work" ;;
	plan:*)
		argument environment | base64 -d >"$work/environment"
		look plan "$@"
		;;
	release:*'"_ansible_check_mode": true'*)
		argument environment | base64 -d >"$work/environment"
		look check "$@"
		;;
	prepare:*'"_ansible_check_mode": true'*) printf '{"failed":false,"changed":false,"result":"ready"}' >"$work/result" ;;
	prepare:*) look prepare "$@" ;;
	before:*'"_ansible_check_mode": true'*) printf '{"failed":false,"changed":false,"result":"ready"}' >"$work/result" ;;
	before:*)
		argument environment | base64 -d >"$work/environment"
		look before "$work"
		;;
	release:*) release "$@" ;;
	esac
	if [ -s "$work/result" ]; then
		result=$(cat "$work/result")
	elif grep -q 'already' "$work/start" 2>/dev/null; then
		result=$(ended locked 'another release of this service is under way on this host')
	else
		result=$(ended failed "the transaction ended without a result: $(cat "$work/start" "$work/log" 2>/dev/null | tail -n 5 | tr -c '[:alnum:] ./:=_-' ' ')")
	fi
	rm -rf "$work"
	printf '%s\n' "$result"
}

# argument NAME: one of the module's arguments, none of which has a quote in it.
argument() { printf '%s' "$arguments" | sed -n "s/.*\"$1\": \"\\([^\"]*\\)\".*/\\1/p"; }

ended() { printf '{"failed":true,"changed":false,"result":"%s","reason":"%s","msg":"%s: %s","log":[]}' "$1" "$2" "$1" "$2"; }

# look VERB...: run the script here and now; it touches nothing of the service.
look() { /bin/sh "$work/run" "$@" >"$work/log" 2>&1 </dev/null; }

# release ACTION DIR [N]: run the transaction as a unit, which goes
# on whatever becomes of this shell. Its name is the host's lock.
release() {
	argument environment | base64 -d >"$work/environment"
	# Who: the login, not what the deployer's machine says of itself.
	who="${SUDO_USER:-$(id -un)}${SSH_CONNECTION:+ from ${SSH_CONNECTION%% *}}"
	systemd-run --quiet --wait --collect --unit="kinectl-$name" --description="Release of $name" --setenv=KINECTL_WHO="$who" \
		--property=StandardInput=null --property=StandardOutput="append:$work/log" --property=StandardError="append:$work/log" \
		--property=RuntimeMaxSec="$limit" --property=TimeoutStopSec="$limit" --property=ExecStopPost="/bin/sh $work/run guard $work $$" \
		/bin/sh "$work/run" transaction "$@" >"$work/start" 2>&1 </dev/null
	# systemd-run can lose its bus, or its life, while the unit goes on in our folder.
	if grep -q 'already' "$work/start"; then return; fi
	until state=$(systemctl show --property=ActiveState --value "kinectl-$name") && { [ "$state" = inactive ] || [ "$state" = failed ]; }; do sleep 0.2; done
}
