# --- act -------------------------------------------------------------------

# patiently COMMAND...: apt waits for dpkg's lock by itself, but not for those
# of its lists and downloads; somebody's `apt-get update` holds them for a while.
patiently() {
	tries=0
	forget_units
	until "$@" >"$work/apt" 2>&1; do
		tries=$((tries + 1))
		if [ "$tries" -gt 120 ] || ! grep -q 'Could not get lock' "$work/apt"; then
			cat "$work/apt"
			grep -E '^([EW]:|dpkg: error|cannot|.*No space left)' "$work/apt" >"$work/failure"
			return 1
		fi
		sleep 1
	done
}

# Only our own index: other sources are not ours to refresh, nor to wait for.
refresh_index() {
	if [ ! -e "$source_list" ]; then
		reason="no $source_list on this host: it does not know the package repository"
		return 1
	fi
	own_apt update -o APT::Get::List-Cleanup=0 -o APT::Update::Error-Mode=any && return
	reason='the package repository could not be read'
	if grep -qE 'NO_PUBKEY|BADSIG|EXPKEYSIG|invalid signature|not signed|Hash Sum mismatch|Clearsigned file' "$work/apt"; then
		reason='the package repository is not signed by the key that this host trusts'
	fi
	return 1
}

write_pin() {
	umask 022
	printf 'Explanation: the release that kinectl deployed\nPackage: %s\nPin: version %s\nPin-Priority: 1001\n' "$name" "$1" >"$pin.kinectl-new"
	written=$?
	umask 077
	[ "$written" = 0 ] && sync "$pin.kinectl-new" && mv -f "$pin.kinectl-new" "$pin" && return
	reason="$pin could not be written"
	return 1
}

# own_apt ARGUMENT...: apt-get with no source but ours; with all those of the host it
# reads tens of thousands of packages each time. Nor does it ask dpkg a dozen times for
# further architectures where there are none.
own_apt() {
	: "${architecture:=$(dpkg --print-architecture)}"
	[ -s /var/lib/dpkg/arch ] || set -- "$@" -o APT::Architectures::="$architecture"
	patiently apt-get -q "$@" -o Dir::Etc::SourceList="$source_list" -o Dir::Etc::SourceParts=- \
		-o Dir::Cache::PkgCache= -o Dir::Cache::SrcPkgCache=
}

# download: what will be installed. What our repository and the host lack comes from
# the distribution's.
download() {
	[ ! -e "$alone" ] || rm -f "$alone"
	own_apt -y install --download-only --no-install-recommends --no-remove --allow-downgrades --allow-change-held-packages \
		-o APT::Keep-Downloaded-Packages=true "$name=$package_version" && {
		if [ -d "$lease" ] && nothing_else; then say "$package_version" >"$alone"; fi
		return
	}
	apt_install --download-only && rm -f "$work/failure"
}

alone=$lease/alone # the version that takes no other package with it

# nothing_else: apt would install this one package here, and that is all.
nothing_else() {
	while read -r said; do
		case $said in
		'1 upgraded, 0 newly installed, 0 to remove '* | '0 upgraded, 1 newly installed, 0 to remove '* | \
			'0 upgraded, 0 newly installed, 1 downgraded, 0 to remove '*) return 0 ;;
		esac
	done <"$work/apt"
	return 1
}

# apt_install [OPTION]: exactly this version, and what it depends on.
apt_install() {
	patiently apt-get -q -y install "$@" --no-install-recommends --no-remove --allow-downgrades --allow-change-held-packages \
		-o DPkg::Use-Pty=0 -o APT::Keep-Downloaded-Packages=true \
		-o DPkg::Options::=--force-confdef -o DPkg::Options::=--force-confold \
		"$name=$package_version" && return
	reason="apt could not install $name $package_version"
	if grep -q 'No space left\|enough free space' "$work/apt"; then reason="disk full while installing $name $package_version"; fi
	if grep -qE "Version '.*' for '.*' was not found|Unable to locate package" "$work/apt"; then
		reason="$name $package_version is not in the package repository"
	fi
	return 1
}

# install_package: where there is nothing to do but this, dpkg is quicker than apt.
install_package() {
	fetched=$(downloaded "$package_version")
	first_line "$alone"
	if [ -z "$fetched" ] || [ "$line_of" != "$package_version" ]; then
		apt_install
		return
	fi
	install_file "$fetched" && return
	grep -E '^dpkg|error|No space left' "$work/dpkg" >"$work/failure"
	reason="dpkg could not install $name $package_version"
	if grep -q 'No space left' "$work/dpkg"; then reason="disk full while installing $name $package_version"; fi
	return 1
}

# downloaded VERSION: the package file that apt has checked and kept, if any.
downloaded() {
	case $1 in *:*) set -- "${1%%:*}%3a${1#*:}" ;; esac
	for each in "/var/cache/apt/archives/${name}_$1"_*.deb; do
		[ ! -e "$each" ] || say "$each"
		return
	done
}

# dpkg_patiently ARGUMENT...: dpkg has no option to wait for its lock, which
# unattended upgrades hold for a while.
dpkg_patiently() {
	tries=0
	forget_units
	until dpkg "$@" >"$work/dpkg" 2>&1; do
		tries=$((tries + 1))
		if [ "$tries" -gt 120 ] || ! grep -q 'lock was locked by another process' "$work/dpkg"; then
			cat "$work/dpkg"
			return 1
		fi
		sleep 1
	done
}

install_file() { dpkg_patiently --force-confdef --force-confold --install "$1"; }

purge() { ! dpkg-query --show "$name" >/dev/null 2>&1 || dpkg_patiently --force-remove-reinstreq --purge "$name"; }

# fetch_package VERSION FILE: from what apt has downloaded, or from the repository.
fetch_package() {
	cached=$(downloaded "$1")
	if [ -n "$cached" ]; then
		ln "$cached" "$2" 2>/dev/null || cp "$cached" "$2"
		return
	fi
	mkdir -p "$work/fetch" && chmod 0755 "$work/fetch"
	(cd "$work/fetch" && apt-get -q download -o APT::Sandbox::User=root "$name=$1") >"$work/apt" 2>&1 || return 1
	mv "$work/fetch/$name"_*.deb "$2"
}

act() {
	if [ "$drain" -gt 0 ]; then step drain; fi
	take_out || return 1
	step install
	[ -d "/etc/$name" ] || { mkdir "/etc/$name" && chmod 0755 "/etc/$name"; }
	if [ "$action" = restore ]; then
		write_pin "$package_version" || return 1
		[ "$from" = "$package_version" ] || install_file "$kept_release/package.deb" || {
			reason="dpkg could not install $name $package_version"
			return 1
		}
	elif [ "$from" != "$package_version" ]; then
		write_pin "$package_version" || return 1
		install_package || return 1
	else
		write_pin "$package_version" || return 1
	fi
	replace "$live_environment" 0600 <"$work/environment" || {
		reason="$live_environment could not be written"
		return 1
	}
	bind_to_numa || {
		: "${reason:=$numa_conf could not be written}"
		return 1
	}
	await_drained
	step restart
	start_service
}

# start_service: with the units as they are on disk now, and at every boot.
start_service() {
	: >"$txn/restarting"
	unit_state
	drop_units
	if [ "$reload" = yes ] || units_differ; then systemctl daemon-reload; fi
	[ "$runs" = true ] || return 0
	open_sockets || {
		failure_log
		return 1
	}
	if [ "$active" = failed ]; then systemctl reset-failed "$name.service"; fi
	swap_service || return 1
	[ "$enabled" = enabled ] || systemctl --quiet enable "$name.service" || {
		reason="$name.service could not be enabled"
		return 1
	}
}

# What the service, and systemd about it, said since this release started it: a
# crash and what came before it are of an earlier invocation than the last.
failure_log() {
	journalctl --no-pager --quiet --output=cat --lines=12 --since="@$(stat --format=%Y "$txn/restarting" || stat --format=%Y "$work/run")" \
		"_SYSTEMD_UNIT=$name.service" + "UNIT=$name.service" + "UNIT=$name.socket" \
		+ "_SYSTEMD_UNIT=$next_unit" + "UNIT=$next_unit" \
		+ "_SYSTEMD_UNIT=$name-probe.service" + "UNIT=$name-probe.service" >"$work/failure" 2>/dev/null
}
