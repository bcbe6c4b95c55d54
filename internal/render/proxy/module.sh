#!/bin/sh
# An Ansible module (the documented kind with its arguments as JSON in its text)
# that works on a proxy, for one service: stage `routes` writes what the proxy is to
# know, `out` takes a host out of traffic at nginx, `in` brings it back. Since all
# of it is one function, a text cut short does nothing.
main() {
	set -u
	umask 022
	export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
	arguments=$(
		cat <<'KINECTL_ARGUMENTS'
<<INCLUDE_ANSIBLE_MODULE_JSON_ARGS>>
KINECTL_ARGUMENTS
	)
	trap '' PIPE HUP
	service=$(argument service)
	kind=$(argument kind)
	marks=/run/kinectl-proxy/$service
	check=no
	case $arguments in *'"_ansible_check_mode": true'*) check=yes ;; esac
	if ! { mkdir -p "$marks" && exec 9</run/kinectl-proxy && flock 9; }; then ended true false "/run/kinectl-proxy could not be locked"; fi
	case $(argument stage) in
	out) take_out "$(argument host)" ;;
	in) bring_back "$(argument host)" ;;
	routes) routes ;;
	esac
}

# argument NAME: one of the module's arguments, none of which has a quote in it.
argument() { printf '%s' "$arguments" | sed -n "s/.*\"$1\": \"\\([^\"]*\\)\".*/\\1/p"; }

# ended FAILED CHANGED MESSAGE: the last word.
ended() {
	printf '{"failed":%s,"changed":%s,"msg":"%s"}\n' "$1" "$2" "$(printf %s "$3" | tr '\000-\037' ' ' | sed 's/\\/\\\\/g; s/"/\\"/g')"
	exit
}

# --- out of traffic, and back -----------------------------------------------

# take_out HOST: nginx asks for the mark at each request. The way back is there
# before the mark: a timer, which removes the mark that names it and no later one.
# Marks and timers are both in memory, so a boot of the proxy brings all back.
take_out() {
	for other in $(argument hosts | tr , ' '); do
		[ "$other" = "$1" ] || [ -e "$marks/$other" ] || answers=$other
	done
	[ "${answers:-}" ] || ended false false "$1 stays in: it is the last one that answers for $service"
	[ $check = no ] || ended false true "would take $1 out"
	undo=kinectl-proxy-$(cat /proc/sys/kernel/random/uuid)
	before=$(cat "$marks/$1" 2>/dev/null)
	problem=$(systemd-run --quiet --collect --unit="$undo" --description="Bring $1 back for $service" --on-active="$(argument seconds)" \
		--timer-property=AccuracySec=1s /bin/sh -c "! grep -qsx '$undo' '$marks/$1' || rm -f '$marks/$1'" 2>&1) ||
		ended true false "no timer to bring $1 back: $problem"
	if ! { printf '%s\n' "$undo" >"$marks/.new" && mv -f "$marks/.new" "$marks/$1"; }; then ended true false "$marks/$1 could not be written"; fi
	forget "$before"
	ended false true "$1 is out"
}

bring_back() {
	before=$(cat "$marks/$1" 2>/dev/null) || ended false false "$1 was in"
	[ $check = no ] || ended false true "would bring $1 back"
	problem=$(rm -f "$marks/$1" 2>&1) || ended true false "$1 could not be brought back: $problem" # its timer tries again
	forget "$before"
	ended false true "$1 is in"
}

forget() { [ -z "$1" ] || systemctl --quiet stop "$1.timer" 2>/dev/null; }

# --- what the proxy knows ---------------------------------------------------

# routes: the wanted files in place of the old, after the proxy itself has tried them
# in a copy: what it would not start with is never where a boot finds it. A file
# .pending tells of files that the running proxy has not read yet, should this end in
# the middle.
routes() {
	live=/etc/$kind
	etc=$live
	wanted=$(argument files | base64 -d)
	case $kind in
	nginx | haproxy) ;;
	*) ended true false "the variable proxy of this host is '$kind': it must be nginx or haproxy" ;;
	esac
	if ! command -v "$kind" >/dev/null; then
		[ -z "$wanted" ] || ended true false "$kind is not installed on this host: it is in the group proxy, and $service has routes"
		ended false false "there is no $kind here"
	fi
	rm -rf /run/kinectl-proxy/.work.* # of one that was killed; we have the lock
	work=$(mktemp -d /run/kinectl-proxy/.work.XXXXXX) || ended true false "no room in /run"
	trap 'rm -rf "$work"' EXIT
	mkdir "$work/new"
	printf '%s\n' "$wanted" | (cd "$work/new" && unpack)
	if same && [ ! -e "$etc/kinectl/.pending" ]; then ended false false "nothing new"; fi
	[ $check = no ] || ended false true "would change the routes of $service"
	problem="$live could not be copied to /run"
	etc=$work/etc
	if ! { mkdir "$etc" && cp -a "$live/." "$etc" && swap && problem=$(try 2>&1); }; then
		ended true false "$kind refuses the routes of $service, which stay as they were: $problem"
	fi
	etc=$live
	if [ -d "$etc/kinectl" ]; then cp -a "$etc/kinectl" "$work/old"; else mkdir "$work/old"; fi
	if ! { mkdir -p "$etc/kinectl" && : >"$etc/kinectl/.pending"; }; then ended true false "$etc/kinectl could not be written"; fi
	if ! swap; then
		swap_back
		ended true false "the routes of $service stay as they were: not all of them could be written to $etc"
	fi
	if systemctl --quiet is-active "$kind"; then
		problem=$(systemctl reload "$kind" 2>&1) || ended true true "$kind could not be reloaded: $problem"
	fi
	rm -f "$etc/kinectl/.pending"
	ended false true "$kind knows the routes of $service"
}

# unpack: each file stands below a line with its path.
unpack() {
	while IFS= read -r line; do
		case $line in
		'#### '*)
			file=${line#'#### '}
			mkdir -p "./$(dirname "$file")"
			: >"./$file"
			;;
		*) [ -z "${file:-}" ] || printf '%s\n' "$line" >>"./$file" ;;
		esac
	done
}

# owned: the files of this service and of no other.
owned() {
	for each in "$etc"/kinectl/hosts/*.d/"$service.conf" "$etc/kinectl/$service.conf" "$etc/kinectl/$service.cfg" "$etc/kinectl/$service.map"; do
		if [ -e "$each" ]; then printf '%s\n' "${each#"$etc/"}"; fi
	done
}

same() {
	for each in $(cd "$work/new" && find . -type f); do cmp -s "$work/new/$each" "$etc/$each" || return 1; done
	for each in $(owned); do [ -e "$work/new/$each" ] || return 1; done
}

# swap: the proxy would start with what is there after each step, should a power cut
# end it. What others refer to comes first and goes last.
swap() {
	for each in $(cd "$work/new" && find . -path "./kinectl/$service.*" && find . -type f ! -path "./kinectl/$service.*"); do
		put "$work/new/$each" "$etc/$each" || return 1
	done
	for each in $(owned); do [ -e "$work/new/$each" ] || rm -f "$etc/$each"; done
	forgotten
	assemble
}

# swap_back: file by file, since the folder has the routes of all services.
swap_back() {
	for each in $(cd "$etc/kinectl" && find . -type f ! -name .pending); do
		[ -e "$work/old/$each" ] || rm -f "$etc/kinectl/$each"
	done
	for each in $(cd "$work/old" && find . -type f); do
		cmp -s "$work/old/$each" "$etc/kinectl/$each" || put "$work/old/$each" "$etc/kinectl/$each"
	done
	forgotten
	assemble
	[ -e "$work/old/.pending" ] || rm -f "$etc/kinectl/.pending"
}

put() { mkdir -p "${2%/*}" && cp -p "$1" "$2.kinectl-new" && sync "$2.kinectl-new" && mv -f "$2.kinectl-new" "$2"; }

# forgotten: a name that no service answers for any more.
forgotten() {
	for each in "$etc"/kinectl/hosts/*.d; do
		if [ -d "$each" ] && rmdir "$each" 2>/dev/null; then rm -f "${each%.d}.conf"; fi
	done
}

# assemble: HAProxy wants the routes of all services in one file.
assemble() {
	[ "$kind" = haproxy ] || return 0
	cat "$etc"/kinectl/*.map 2>/dev/null | sort >"$etc/kinectl.map.kinectl-new"
	sync "$etc/kinectl.map.kinectl-new" && mv "$etc/kinectl.map.kinectl-new" "$etc/kinectl.map"
}

# try: what the proxy itself says of the copy, which a mount namespace shows to it
# alone, in place of its own files (unshare(1)).
try() {
	case $kind in
	nginx) set -- nginx -t -q ;;
	haproxy)
		told || return 1
		set -- haproxy -c -q -f "$live/haproxy.cfg" -f "$live/kinectl"
		;;
	esac
	# shellcheck disable=SC2016 # the inner shell expands them
	unshare --mount /bin/sh -c 'mount --bind "$1" "$2" && shift 2 && exec "$@"' try "$etc" "$live" "$@"
}

# told: HAProxy has to be started with our folder, and a frontend has to read our map.
told() {
	if ! { systemctl show --property=Environment haproxy && cat /etc/default/haproxy; } 2>/dev/null | grep -q -e "-f $live/kinectl"; then
		echo "it is not started with -f $live/kinectl, see docs/proxy.md"
		return 1
	fi
	grep -qs "$live/kinectl.map" "$etc"/kinectl/*.cfg "$etc/haproxy.cfg" && return
	echo "no frontend of it reads $live/kinectl.map, see docs/proxy.md"
	return 1
}

main
