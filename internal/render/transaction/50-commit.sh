# --- commit ----------------------------------------------------------------

# The release is kept with its package, so that going back needs no repository.
# Renaming the record is the point of no return.
commit() {
	step commit
	reason= # of what was mended on the way
	next=$home/releases/$release
	if [ -e "$next.new" ]; then rm -rf "$next.new"; fi
	mkdir -p "$next.new" || return 1
	if [ "$action" = restore ]; then
		ln "$kept_release/package.deb" "$next.new/package.deb" || return 1
	elif [ -e "$txn/old/package.deb" ] && [ "$from" = "$package_version" ]; then
		ln "$txn/old/package.deb" "$next.new/package.deb" || return 1
	else
		fetch_package "$package_version" "$next.new/package.deb" || return 1
	fi
	cp "$work/environment" "$work/parameters" "$next.new/" || return 1
	say "$package_version" >"$next.new/version"
	say "$digest" >"$next.new/digest"
	# Which state of the inventory it is of: hosts of one release have the same.
	if [ "$action" = restore ]; then cat "$kept_release/configuration" 2>/dev/null; else say "${KINECTL_CONFIGURATION:-}"; fi >"$next.new/configuration"
	describe "$1" true
	say "$line}" >"$txn/line"
	# shellcheck disable=SC2046 # paths without a space
	sync "$next.new"/* "$txn/line" "$next.new" "$home/releases" $(settings) || return 1
	mv "$txn/record" "$txn/committed" || return 1
	# From here on nothing may end in going back.
	sync "$txn"
	tell
	close_transaction
	return 0
}

# settings: what lies outside of $home, which may be another file system: folders whose
# files were renamed into place, and the release that is gone back to.
settings() {
	for each in "$txn/back-to" "/etc/$name" "${pin%/*}" "$numa_conf" "${numa_conf%/*}" /etc/systemd/system/*.wants /etc/systemd/system /etc; do
		[ ! -e "$each" ] || say "$each"
	done
}

# What a commit leaves to do, and what a boot can do in its place.
close_transaction() {
	for new in "$home"/releases/*.new; do
		[ -d "$new" ] || continue
		if [ -e "${new%.new}" ]; then rm -rf "${new%.new}"; fi
		mv "$new" "${new%.new}"
	done
	first_line "$txn/line"
	record_history "$line_of"
	current=$(current_release)
	for kept in $(kept_releases); do
		[ "$kept" != "$current" ] || continue
		same=no
		if [ "$(words_of "$kept")" = "$(words_of "$current")" ]; then same=yes; fi
		# Going back takes the releases after the goal away: they were left for a reason.
		if [ "$same" = yes ] || { [ -e "$txn/back-to" ] && [ "${kept##*/}" -gt "$(cat "$txn/back-to")" ]; }; then rm -rf "$kept"; fi
	done
	# shellcheck disable=SC2046 # paths without a space
	while set -- $(kept_releases) && [ "$#" -gt 3 ]; do rm -rf "$(oldest_release)" || break; done
	clear_transaction
}

# words_of RELEASE: its version and the digest of its environment.
words_of() { first_line "$1/version" && printf '%s ' "$line_of" && first_line "$1/digest" && say "$line_of"; }

clear_transaction() {
	# Nothing is left to try again; who does so now ends by itself.
	[ "${verb:-}" = retry ] || [ ! -e "/run/systemd/transient/$retry_unit" ] || systemctl --no-block stop "$retry_unit"
	put_in
	spare_next
	# What was put back is on the disk before the record of it goes.
	# shellcheck disable=SC2046 # paths without a space
	[ ! -e "$txn/record" ] || sync $(settings)
	# Away by one rename: a folder deleted half-way would be a record of nothing.
	if [ -e "$txn.over" ]; then rm -rf "$txn.over"; fi
	if [ -e "$txn" ]; then mv "$txn" "$txn.over"; fi
	# The link last: a boot goes on with what was left.
	rm -rf "$txn.over" "$home"/releases/*.new "/var/cache/apt/archives/${name}_"*.deb \
		"$live_environment.kinectl-new" "$pin.kinectl-new" "$numa_conf.kinectl-new" "$alone" "$recover_link"
	[ -n "$(kept_releases)" ] || rmdir "$home/releases" 2>/dev/null
	sync "$home"
}
