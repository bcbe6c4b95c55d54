#!/bin/sh
# An Ansible module (the documented kind with its arguments as JSON in its text)
# that brings a transaction to a host, runs it as a unit and prints its result.
# Ansible pipes it into a shell: nothing of it is on a command line or a disk,
# and since all of it is one function, a text cut short does nothing.
main() {
	set -u
	umask 077
	IFS= read -r arguments <<'KINECTL_ARGUMENTS'
<<INCLUDE_ANSIBLE_MODULE_JSON_ARGS>>
KINECTL_ARGUMENTS
	argument stage && stage=$value
	[ -d /run/kinectl ] || (umask 022 && mkdir -p /run/kinectl)
	work=$(mktemp -d "/run/kinectl/$name.XXXXXX") || exit 1
	trap 'rm -rf "$work"' EXIT
	trap '' PIPE HUP
	script >"$work/run"
	argument action && set -- "$value" "$work"
	argument release && set -- "$@" "$value"
	argument digest && set -- "$@" "$value"
	argument holder && export KINECTL_HOLDER="$value"
	argument newest && export KINECTL_NEWEST="$value"
	case $stage in status | survey | history | plan) ;; *) login ;; esac
	case $stage:$arguments in
	status:*) look status "$work" ;;
	survey:*) look survey "$work" ;;
	history:*) argument lines && look history "$work" "$value" ;;
	plan:*)
		decode environment
		look plan "$@"
		;;
	release:*'"_ansible_check_mode": true'*)
		decode environment
		look check "$@"
		;;
	prepare:*'"_ansible_check_mode": true'*) printf '{"failed":false,"changed":false,"result":"ready"}' >"$work/result" ;;
	prepare:*) look prepare "$@" ;;
	lease:*'"_ansible_check_mode": true'*) printf '{"failed":false,"changed":false,"result":"ready"}' >"$work/result" ;;
	lease:*) look lease "$@" ;;
	freeze:*'"_ansible_check_mode": true'* | unfreeze:*'"_ansible_check_mode": true'*) printf '{"failed":false,"changed":true,"result":"checked"}' >"$work/result" ;;
	freeze:* | unfreeze:*)
		decode reason
		look "$stage" "$@"
		;;
	before:*'"_ansible_check_mode": true'*) printf '{"failed":false,"changed":false,"result":"ready"}' >"$work/result" ;;
	before:*)
		decode environment
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
	trap - EXIT
	printf '%s\n' "$result"
}

# argument NAME: one of the module's arguments into $value, and empty where it is
# none. No value has a quote in it. A shell takes the square of the time to what
# it looks for: the environment, which may be long, is the last argument of the playbook.
argument() {
	value=
	case $arguments in *"\"$1\": \""*) value=${arguments#*"\"$1\": \""} ;; esac
	value=${value%%\"*}
}

# decode NAME: an argument in base64, into a file of that name.
decode() { argument "$1" && printf %s "$value" | base64 -d >"$work/$1"; }

ended() { printf '{"failed":true,"changed":false,"result":"%s","reason":"%s","msg":"%s: %s","log":[]}' "$1" "$2" "$1" "$2"; }

# login: who is at the other end, not what the deployer's machine says of itself:
# the process above this one that sshd started, through `sudo` too. Where sshd says
# which key was used (sshd_config(5), ExposeAuthInfo), also the comment of that key.
login() {
	newline='
'
	above='' environs='' process=$$
	while [ "$process" -gt 1 ]; do
		above="$above $process" environs="$environs $process/environ"
		read -r process <"/proc/$process/stat" || break # "PID (COMMAND) STATE PARENT ..." in proc(5)
		process=${process##*) } && process=${process#* } && process=${process%% *}
	done
	# shellcheck disable=SC2086 # numbers
	told=$(cd /proc && grep -azH -e '^SSH_CONNECTION=' -e '^SSH_USER_AUTH=' $environs 2>/dev/null | tr '\n\0' ' \n')
	shell=
	for process in $above; do
		# The highest that has one is the user's own: `sudo` itself has it too, as root.
		if told_by "$process" SSH_CONNECTION; then shell=$process; elif [ -n "$shell" ]; then break; fi
	done
	: "${shell:=$$}"
	while read -r field _ KINECTL_LOGIN _; do [ "$field" != Uid: ] || break; done <"/proc/$shell/status" # proc(5): real, effective
	user=root
	[ "$KINECTL_LOGIN" = 0 ] || user=$(stat --format=%U "/proc/$shell")
	told_by "$shell" SSH_USER_AUTH
	key=$value
	told_by "$shell" SSH_CONNECTION || user=${SUDO_USER:-$user}
	case $user in UNKNOWN | *[!A-Za-z0-9@._+-]*) user=$KINECTL_LOGIN ;; esac
	if [ -f "$key" ]; then key=$(key_comment "$key"); else key=; fi
	KINECTL_WHO="${key:+$key as }$user${value:+ from ${value%% *}}"
	export KINECTL_LOGIN KINECTL_WHO
}

# told_by PID NAME: what that process has as this variable into $value, if it has it.
told_by() {
	value=
	case "$newline$told" in *"$newline$1/environ:$2="*) ;; *) return 1 ;; esac
	value="$newline$told"
	value=${value##*"$newline$1/environ:$2="}
	value=${value%%"$newline"*}
}

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
	decode environment
	argument configuration
	systemd-run --quiet --wait --collect --unit="kinectl-$name" --description="Release of $name" --setenv=KINECTL_WHO="$KINECTL_WHO" \
		--setenv=KINECTL_HOLDER="$KINECTL_HOLDER" --setenv=KINECTL_LOGIN="$KINECTL_LOGIN" --setenv=KINECTL_NEWEST="${KINECTL_NEWEST:-}" \
		--setenv=KINECTL_CONFIGURATION="$value" \
		--property=StandardInput=null --property=StandardOutput="append:$work/log" --property=StandardError="append:$work/log" \
		--property=RuntimeMaxSec="$limit" --property=TimeoutStopSec="$limit" --property=ExecStopPost="/bin/sh $work/run guard $work $$" \
		/bin/sh "$work/run" transaction "$@" >"$work/start" 2>&1 </dev/null && [ ! -s "$work/start" ] && return
	# systemd-run can lose its bus (and says so, with exit code 0) or its life, while the
	# unit goes on in our folder.
	if grep -q 'already' "$work/start"; then return; fi
	until state=$(systemctl show --property=ActiveState --value "kinectl-$name") && { [ "$state" = inactive ] || [ "$state" = failed ]; }; do sleep 0.2; done
}
