# How it goes: begin (write down the old state, ready a way back), act, judge,
# then commit or roll back. `kinectl-NAME.service` is the unit that it runs as:
# systemd lets one unit of a name run, so the name is this host's lock, and the
# unit's ExecStopPost= calls `guard` here however the transaction ended.
#
#   run transaction install DIR           install $version with DIR/environment
#   run transaction restore DIR N         go back to release N, kept on this host
#   run transaction remove DIR            take the service away, keep its data
#   run guard DIR PID                     after the unit: undo what nobody committed
#   run recover                           after a boot: the same, offline
#   run check ACTION DIR [N]              say what would be done
#   run prepare ACTION DIR [N] [DIGEST]   fetch, and refuse what cannot go well
#   run before DIR                        run deploy.before of $version
#   run status DIR                        say what is here, as one line of JSON
#   run survey DIR                        the same for every service of the host
#   run history DIR N                     the last lines of the history, in base64
#   run plan ACTION DIR [N]               say what would be done, with the texts that differ

set -u
umask 077
export LC_ALL=C DEBIAN_FRONTEND=noninteractive
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
export KINECTL_TRANSACTION=1 # the package's own scripts leave systemd to this one

home=/var/lib/kinectl/$name
txn=$home/txn
history=$home/releases.jsonl
history_size=1048576 # bytes; then it becomes releases.jsonl.1, and the one before that goes
live_environment=/etc/$name/environment
pin=/etc/apt/preferences.d/kinectl-$name
source_list=/etc/apt/sources.list.d/kinectl.sources
recover_template=/etc/systemd/system/kinectl-recover@.service
retry_unit=kinectl-retry@$name.service
recover_link=/etc/systemd/system/multi-user.target.wants/kinectl-recover@$name.service
transaction_unit=kinectl-$name.service
credstore=/etc/credstore.encrypted

newline='
'
reason=
patience= # of systemctl: --no-block during a boot
release=0
from=
digest=

# --- small pieces ----------------------------------------------------------

say() { printf '%s\n' "$*"; }

# uptime: hundredths of a second since boot into $now, without starting a process.
uptime() {
	read -r now _ </proc/uptime
	now=${now%.*}${now#*.}
	while [ "${now#0}" != "$now" ] && [ "${#now}" -gt 1 ]; do now=${now#0}; done
}

# step WORD: what goes on here now, and since when, for a deployer who looks.
step() {
	[ -d /run/kinectl ] || mkdir -p /run/kinectl
	uptime
	umask 022
	say "$1 $now" >"/run/kinectl/$name.step"
	umask 077
}

# json_string TEXT: most have nothing that must be written another way.
json_string() {
	case $1 in
	*[!' '-~]* | *[\\\"]*) printf '"%s"' "$(printf %s "$1" | tr '\000-\037' ' ' | sed 's/\\/\\\\/g; s/"/\\"/g')" ;;
	*) printf '"%s"' "$1" ;;
	esac
}

# The last lines of a text as the members of a JSON array.
json_lines() {
	tail -n 12 | cut -b 1-500 | tr '\000-\011\013-\037' ' ' | sed 's/\\/\\\\/g; s/"/\\"/g; s/^/"/; s/$/"/' | paste -s -d ,
}

installed_version() {
	dpkg-query --show --showformat='${db:Status-Abbrev}${Version}' "$1" 2>/dev/null |
		sed -n 's/^.i //p'
}

# read_installed: the version of the service that is installed into $from, and its size
# in KiB into $size; and what dpkg itself is of, the host's $architecture.
read_installed() {
	from='' size=''
	# shellcheck disable=SC2016 # dpkg-query expands them
	while read -r package state installed arch kib; do
		case $package:$state in
		dpkg:?i) architecture=$arch ;;
		"$name":?i) from=$installed size=$kib ;;
		esac
	done <<-PACKAGES
		$(dpkg-query --show --showformat='${Package} ${db:Status-Abbrev} ${Version} ${Architecture} ${Installed-Size}\n' "$name" dpkg 2>/dev/null)
	PACKAGES
}

unit_property() { systemctl show --property="$1" --value "$name.service"; }

# altered: what is not as the package has it. Configuration is a person's to change,
# and a small image leaves documentation out (dpkg(1), --path-exclude).
altered() { dpkg --verify "$name" 2>&1 | grep -v -e '^.\{9\} c ' -e '^missing  */usr/share/\(doc\|man\|lintian\|locale\|info\)/'; }

# same_file A B: the same text, or neither is there.
same_file() { { [ ! -e "$1" ] && [ ! -e "$2" ]; } || cmp -s "$1" "$2"; }

digest_of() {
	sum=$(sha256sum <"$1")
	say "${sum%"${sum#????????????}"}"
}

# first_line FILE: into $line_of, and empty where there is none.
first_line() {
	line_of=
	[ ! -e "$1" ] || read -r line_of <"$1"
}

# Write standard input to $1 with mode $2: aside, synced, renamed.
replace() {
	cat >"$1.kinectl-new" && { [ "$2" = 0600 ] || chmod "$2" "$1.kinectl-new"; } && sync "$1.kinectl-new" &&
		mv -f "$1.kinectl-new" "$1"
}

# Copy $1 to $2, or take $2 away when there is no $1.
put_back() {
	if [ -e "$1" ]; then
		(umask 022 && mkdir -p "${2%/*}") && cp -a "$1" "$2.kinectl-new" && sync "$2.kinectl-new" && mv -f "$2.kinectl-new" "$2"
	else
		rm -f "$2"
	fi
}

# The releases kept on this host, in no order.
kept_releases() {
	for each in "$home"/releases/[0-9]*; do
		case ${each##*/} in *[!0-9]*) ;; *) [ ! -d "$each" ] || say "$each" ;; esac
	done
}

current_release() { last_release 1; }

oldest_release() { last_release -1; }

# last_release SIGN: the one with the highest number, or with -1 the lowest.
last_release() {
	found=
	for each in $(kept_releases); do
		if [ -z "$found" ] || [ "$(($1 * ${each##*/}))" -gt "$(($1 * ${found##*/}))" ]; then found=$each; fi
	done
	[ -z "$found" ] || say "$found"
}

# load_parameters FILE: those of another release, which may have been written
# before some of them were thought of.
load_parameters() {
	runs=true ports='' drain=0 numa_netdevs='' distributions='' before='' credentials=''
	. "$1"
}

# forget_home: the folder of a service that was never here is nobody's.
forget_home() { [ -e "$home/releases" ] || rmdir "$home" /var/lib/kinectl 2>/dev/null; }

# choose_variant: where each distribution has a package of its own, by its version:
# "debian12=1.2.0~deb12".
choose_variant() {
	[ -n "$distributions" ] || return 0
	here=$(. /etc/os-release && say "${ID:-}${VERSION_ID:-}")
	for each in $distributions; do
		[ "${each%%=*}" = "$here" ] || continue
		package_version=${each#*=}
		return
	done
	reason="this host is ${here:-without an /etc/os-release}; $name $version is made for $(say "$distributions" | sed 's/=[^ ]*//g')"
	return 1
}

# take_lock: one at a time works on this service here, be it a transaction, a
# guard, a recovery or a deployer that prepares. The folder itself is the lock, so
# none can be left behind; the kernel frees it with the process and its children.
take_lock() {
	while { [ -d "$home" ] || mkdir -p "$home"; } && command exec 9<"$home" && flock "$@" 9; do
		# Who had it before may have taken the empty folder away: then it is no lock.
		# shellcheck disable=SC3013 # Debian Policy does not name -ef, dash has it
		if [ /proc/self/fd/9 -ef "$home" ]; then return; fi
	done
	reason='another release of this service is under way on this host'
	return 1
}

# --- the result ------------------------------------------------------------

# describe RESULT CHANGED: what happened, as a line of JSON in $line.
describe() {
	result=$1
	failed=false
	case $result in failed | rolled-back | locked) failed=true ;; esac
	uptime
	tenths=$(((now - started) / 10))
	line="{\"format\":$format,\"service\":\"$name\",\"action\":\"$action\",\"version\":\"$version\",\"digest\":\"$digest\",\"from\":\"$from\",\"release\":$release,\"result\":\"$result\",\"changed\":$2,\"reason\":$(json_string "$reason"),\"who\":$(json_string "$who"),\"when\":\"$(date -u +%Y-%m-%dT%H:%M:%SZ)\",\"seconds\":$((tenths / 10)).$((tenths % 10)),\"roll\":\"$holder\""
}

# tell: the line to the deployer, in the words of an Ansible module, with the
# last log lines of what failed.
tell() {
	lines=
	if [ -s "$work/failure" ]; then lines=$(json_lines <"$work/failure"); fi
	say "$line,\"failed\":$failed,\"msg\":$(json_string "$result${reason:+: }$reason"),\"log\":[$lines]}" >"$work/result.new"
	mv "$work/result.new" "$work/result"
}

# record_history: the line into the history, once however often it is tried.
record_history() {
	# The stop keeps the end of the line, which a power cut may have torn away: then
	# the next one must not be swallowed.
	last=$(tail -n 1 "$history" 2>/dev/null; echo .)
	case $last in
	"$1$newline.") return 0 ;;
	. | *"$newline.") ;;
	*) echo >>"$history" ;;
	esac
	[ "$last" != "$1." ] || return 0
	if [ "$(stat --format=%s "$history" 2>/dev/null || echo 0)" -ge "$history_size" ]; then mv -f "$history" "$history.1"; fi
	say "$1" >>"$history" && sync "$history"
}

# end RESULT [CHANGED]: the last word of a transaction, with "false" of one that failed
# before it had come to the service.
end() {
	describe "$1" "${2:-true}"
	record_history "$line}"
	tell
}

# refuse RESULT: the last word when nothing was touched, nor tried.
refuse() {
	describe "$1" false
	tell
}
