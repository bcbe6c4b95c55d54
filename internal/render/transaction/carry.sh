# Carry the script on standard input to this host, run it, print its result.
# Arguments: NAME SHA256 LIMIT MODE ACTION [VERSION DIGEST]; the first line of
# standard input is the environment file in base64, the rest is the script.
set -u
umask 077
name=$1 sum=$2 limit=$3 mode=$4 action=$5
shift 5
mkdir -p /run/kinectl
work=$(mktemp -d "/run/kinectl/$name.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap '' PIPE HUP
IFS= read -r environment
printf %s "$environment" | base64 -d >"$work/environment"
cat >"$work/run"
if [ "$(sha256sum <"$work/run")" != "$sum  -" ]; then
	echo '{"result":"failed","changed":false,"reason":"the script did not arrive whole","log":[]}'
	exit 1
fi
case $mode in
status) /bin/sh "$work/run" status "$work" >"$work/log" 2>&1 </dev/null ;;
check) /bin/sh "$work/run" check "$action" "$work" >"$work/log" 2>&1 </dev/null ;;
*)
	who="${SUDO_USER:-$(id -un)}${SSH_CONNECTION:+ from ${SSH_CONNECTION%% *}}"
	systemd-run --quiet --wait --collect --unit="kinectl-$name" --description="Release of $name" --setenv=KINECTL_WHO="$who" \
		--property=StandardInput=null --property=StandardOutput="append:$work/log" --property=StandardError="append:$work/log" \
		--property=RuntimeMaxSec="$limit" --property=TimeoutStopSec="$limit" --property=ExecStopPost="/bin/sh $work/run guard $work $$" \
		/bin/sh "$work/run" transaction "$action" "$work" "$@" >"$work/start" 2>&1 </dev/null
	code=$?
	;;
esac
if [ -s "$work/result" ]; then
	result=$(cat "$work/result")
elif grep -q 'already' "$work/start"; then
	result='{"result":"locked","changed":false,"reason":"another release of this service is under way on this host","log":[]}'
	code=4
else
	words=$(cat "$work/start" "$work/log" 2>/dev/null | tail -n 5 | tr -c '[:alnum:] ./:=_-' ' ')
	result="{\"result\":\"failed\",\"changed\":false,\"reason\":\"the transaction ended without a result\",\"log\":[\"$words\"]}"
	code=1
fi
rm -rf "$work"
printf '%s\n' "$result"
exit "${code:-0}"
