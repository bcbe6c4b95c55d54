# --- remove ----------------------------------------------------------------

# remove: nothing has stopped before txn/removing is there, and what fails until then
# leaves the host as it was; after it there is only the way on.
remove() {
	if [ -z "$from" ] && [ ! -e "$history" ]; then
		reason='not installed'
		rmdir "$home" /var/lib/kinectl 2>/dev/null
		refuse unchanged
		return 0
	fi
	as_deployed # its drain, not that of a newer spec
	release=0 digest=
	if ! begin; then
		not_begun
		return 1
	fi
	if ! { take_out && await_drained && mv "$txn/record" "$txn/removing"; }; then
		: "${reason:=what is wanted could not be written down in $txn}"
		clear_transaction
		end failed false
		return 1
	fi
	sync "$txn"
	take_away || return 1 # the guard tries again, and has the last word
	describe removed true
	tell
}

# Everything but the data in /var/lib/NAME and the user that owns it.
take_away() {
	stop_all
	purge || {
		reason="dpkg could not remove $name"
		return 1
	}
	rm -f "$pin" "$live_environment" "/var/cache/apt/archives/${name}_"*.deb
	rmdir "/etc/$name" 2>/dev/null
	unbind_from_numa
	put_in
	systemctl daemon-reload
	rm -rf "$home/releases" "$history" "$history.1" # txn/removing to the last
	rm -rf "$home"
	rm -f "$recover_link"
	if ! ls /etc/systemd/system/multi-user.target.wants/kinectl-recover@*.service >/dev/null 2>&1 && [ -z "$(ls /var/lib/kinectl)" ]; then
		rm -f "$recover_template"
		rmdir /var/lib/kinectl 2>/dev/null # a freeze of another service may be there
	fi
	return 0
}
