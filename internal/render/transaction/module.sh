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
	(umask 022 && mkdir -p /run/kinectl)
	work=$(mktemp -d "/run/kinectl/$name.XXXXXX") || exit 1
	trap 'rm -rf "$work"' EXIT
	trap '' PIPE HUP
	script >"$work/run"
	set -- "$(argument action)" "$work" "$(argument release)" "$(argument digest)"
	KINECTL_HOLDER=$(argument holder)
	export KINECTL_HOLDER
	case $stage in status | survey | history | plan) ;; *) login ;; esac
	case $stage:$arguments in
	status:*) look status "$work" ;;
	survey:*) look survey "$work" ;;
	history:*) look history "$work" "$(argument lines)" ;;
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
	lease:*'"_ansible_check_mode": true'*) printf '{"failed":false,"changed":false,"result":"ready"}' >"$work/result" ;;
	lease:*) look lease "$@" ;;
	freeze:*'"_ansible_check_mode": true'* | unfreeze:*'"_ansible_check_mode": true'*) printf '{"failed":false,"changed":true,"result":"checked"}' >"$work/result" ;;
	freeze:* | unfreeze:*)
		argument reason | base64 -d >"$work/reason"
		look "$stage" "$@"
		;;
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

# login: who is at the other end, not what the deployer's machine says of itself:
# the process above this one that sshd started, through `sudo` too. Where sshd says
# which key was used (sshd_config(5), ExposeAuthInfo), also the comment of that key.
login() {
	process=$$ shell=
	# The highest that has one is the user's own: `sudo` itself has it too, as root.
	while [ "$process" -gt 1 ]; do
		last=$process
		if [ -n "$(login_variable SSH_CONNECTION)" ]; then shell=$last; elif [ -n "$shell" ]; then break; fi
		process=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$last/status")
	done
	last=${shell:-$$}
	connection=$(login_variable SSH_CONNECTION)
	KINECTL_LOGIN=$(stat --format=%u "/proc/$last")
	user=$(id -un "$KINECTL_LOGIN")
	[ -n "$connection" ] || user=${SUDO_USER:-$user}
	key=$(login_variable SSH_USER_AUTH)
	if [ -f "$key" ]; then key=$(key_comment "$key"); else key=; fi
	KINECTL_WHO="${key:+$key as }$user${connection:+ from ${connection%% *}}"
	export KINECTL_LOGIN KINECTL_WHO
}

login_variable() { tr '\0' '\n' <"/proc/$last/environ" 2>/dev/null | sed -n "s/^$1=//p"; }

# key_comment FILE: what stands behind the key in authorized_keys, with the plain
# letters only: its owner wrote it.
key_comment() {
	key=$(sed -n 's/^publickey [^ ]* \([^ ]*\).*/\1/p' "$1" | head -n 1)
	[ -n "$key" ] || return
	folder=$(getent passwd "$user" | cut -d : -f 6)
	for each in $(sshd -T -C "user=$user,host=localhost,addr=127.0.0.1" 2>/dev/null | sed -n 's/^authorizedkeysfile //p' | sed "s,%u,$user,g; s,%h,$folder,g"); do
		case $each in /*) cat "$each" ;; *) cat "$folder/$each" ;; esac
	done 2>/dev/null |
		grep -F -m 1 -- "$key" | sed 's/.* [A-Za-z0-9+/]\{40,\}=*//' | tr -cd '[:alnum:]@._+-' | cut -c 1-60
}

# look VERB...: run the script here and now; it touches nothing of the service.
look() { /bin/sh "$work/run" "$@" >"$work/log" 2>&1 </dev/null; }

# release ACTION DIR [N]: run the transaction as a unit, which goes
# on whatever becomes of this shell. Its name is the host's lock.
release() {
	argument environment | base64 -d >"$work/environment"
	systemd-run --quiet --wait --collect --unit="kinectl-$name" --description="Release of $name" --setenv=KINECTL_WHO="$KINECTL_WHO" \
		--setenv=KINECTL_HOLDER="$KINECTL_HOLDER" --setenv=KINECTL_LOGIN="$KINECTL_LOGIN" \
		--setenv=KINECTL_CONFIGURATION="$(argument configuration)" \
		--property=StandardInput=null --property=StandardOutput="append:$work/log" --property=StandardError="append:$work/log" \
		--property=RuntimeMaxSec="$limit" --property=TimeoutStopSec="$limit" --property=ExecStopPost="/bin/sh $work/run guard $work $$" \
		/bin/sh "$work/run" transaction "$@" >"$work/start" 2>&1 </dev/null
	# systemd-run can lose its bus, or its life, while the unit goes on in our folder.
	if grep -q 'already' "$work/start"; then return; fi
	until state=$(systemctl show --property=ActiveState --value "kinectl-$name") && { [ "$state" = inactive ] || [ "$state" = failed ]; }; do sleep 0.2; done
}
