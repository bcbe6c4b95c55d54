# --- remove ----------------------------------------------------------------

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
