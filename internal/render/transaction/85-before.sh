# --- deploy.before -----------------------------------------------------------

# How long the command may take, in seconds.
before_limit=900

# before: the command of the new release, once a deploy, while every host still
# runs the old one. The new package is only unpacked, beside the service.
before() {
	take_turn --timeout 5 || {
		refuse locked
		return
	}
	from=$(installed_version "$name")
	tree=$home/before
	if choose_variant && unpack "$tree" && run_before; then
		describe ran true
	else
		describe failed false
	fi
	tell
	rm -rf "$tree"
	rmdir "$home" /var/lib/kinectl 2>/dev/null
}

unpack() {
	rm -rf "$1"
	# What is installed may have come by hand, over the release that was kept last.
	kept=$(current_release)
	package=$kept/package.deb
	if [ ! -e "$package" ] || [ "$(cat "$kept/version")" != "$package_version" ]; then
		package=$work/package.deb
		fetch_package "$package_version" "$package" || {
			reason="$name $package_version could not be fetched for deploy.before"
			return 1
		}
	fi
	(umask 022 && mkdir -p "$1" && dpkg-deb --extract "$package" "$1") >"$work/failure" 2>&1 || {
		reason="$name $package_version could not be unpacked for deploy.before"
		return 1
	}
	# A first install: the package would make its user only later, and give it what
	# not everybody may read.
	if [ -e "$1/usr/lib/sysusers.d/$name.conf" ]; then
		systemd-sysusers "$1/usr/lib/sysusers.d/$name.conf"
		find "$1" -type f ! -perm -o=r -exec chgrp "$group" {} +
	fi
}

# sandbox: what the new release's own unit says of user, limits and sandbox, as
# systemd-run takes it. What starts, stops or watches the service is left out, and
# its runtime folder, which the running one has.
sandbox() {
	unit=$(find "$tree$unit_folder" -name "$name.service" 2>/dev/null)
	: "${unit:=$(find "$tree$unit_folder" -name "$name-*.service" 2>/dev/null | sort | head -n 1)}"
	if [ -z "$unit" ]; then
		printf '%s\n' "User=$user" NoNewPrivileges=yes PrivateTmp=yes PrivateDevices=yes ProtectHome=yes ProtectSystem=strict
		return
	fi
	sed -e ':a' -e '/\\$/ { N; s/\\\n/ /; ta' -e '}' "$unit" | sed -n '/^\[Service\]/,/^\[Install\]/ s/%%/%/g; /^\[Service\]/,/^\[Install\]/ p' |
		grep -E '^[A-Za-z]+=' |
		grep -vE '^(Type|Exec[A-Z][A-Za-z]*|Restart.*|Watchdog.*|Timeout.*|RuntimeMaxSec|NotifyAccess|Sockets|EnvironmentFile|RuntimeDirectory.*|KillSignal|Standard.*|NonBlocking|PIDFile|RemainAfterExit|FileDescriptor.*|SuccessExitStatus)='
}

# run_before: the service's user cannot look into $home, so the tree is shown to
# the command where its runtime folder would be.
run_before() {
	shown=$name-before
	eval "set -- $before"
	program=$1
	shift
	if [ -e "$tree$program" ]; then program=/run/$shown$program; fi
	# systemd-run wants to see what it runs, and this file is not there outside.
	set -- -- /usr/bin/env "$program" "$@"
	sandbox >"$work/sandbox"
	printf '%s\n' Type=exec RuntimeMaxSec=$before_limit StandardInput=null "EnvironmentFile=$work/environment" \
		"RuntimeDirectory=$shown" "BindReadOnlyPaths=$tree:/run/$shown" "ExecPaths=/run/$shown" >>"$work/sandbox"
	# Backwards, since each goes to the front: their order means something.
	tac "$work/sandbox" >"$work/properties"
	while IFS= read -r property; do set -- "--property=$property" "$@"; done <"$work/properties"
	systemd-run --quiet --wait --collect --unit="$shown" --description="deploy.before of $name $version" "$@" >"$work/start" 2>&1 </dev/null && return
	code=$?
	journalctl --sync 2>/dev/null
	journalctl --no-pager --quiet --output=cat --lines=12 --since="@$(stat --format=%Y "$work/sandbox")" \
		"_SYSTEMD_UNIT=$shown.service" + "UNIT=$shown.service" >"$work/failure" 2>/dev/null
	cat "$work/start" >>"$work/failure"
	# systemd's own codes say that the program was never run (systemd.exec(5)).
	never=$(sed -n 's,.*status=\(2[0-4][0-9]/[A-Z_]*\).*,\1,p' "$work/failure" | head -n 1)
	reason="deploy.before failed with exit code $code; nothing else was done"
	if [ -n "$never" ]; then reason="deploy.before could not be started ($never); nothing else was done"; fi
	return 1
}
