# --- out of traffic, and back ------------------------------------------------

# The marker that makes /ready fail. It is in memory, so no boot is left drained.
drain_marker=/run/$name/drain
drained=

# take_out: nobody is taken out of traffic for a service that does not run.
take_out() {
	[ "$drain" -gt 0 ] && [ "$(cat "$txn/old/active")" = active ] || return 0
	mark_drained || return 1
	uptime
	drained=$now
}

mark_drained() {
	[ -d "/run/$name" ] || mkdir -m 0755 "/run/$name"
	# The folder belongs to the service, which could have put a link there: make
	# the marker elsewhere and rename it, which follows no link.
	mkdir -p /run/kinectl
	if ! { : >"/run/kinectl/$name.drain" && chmod 0644 "/run/kinectl/$name.drain" && mv -fT "/run/kinectl/$name.drain" "$drain_marker"; }; then
		reason="$drain_marker could not be written: the host cannot be taken out of traffic"
		return 1
	fi
}

# await_drained: what is left of deploy.drain, after the package was installed
# meanwhile.
await_drained() {
	[ -n "$drained" ] || return 0
	while uptime && left=$((drained + drain - now)) && [ "$left" -gt 0 ]; do
		if [ "$left" -gt 100 ]; then sleep 1; else sleep "0.$(printf %02d $((left % 100)))"; fi
	done
}

put_in() {
	if [ -e "$drain_marker" ] || [ -L "$drain_marker" ] || [ -e "/run/kinectl/$name.drain" ]; then rm -rf "$drain_marker" "/run/kinectl/$name.drain"; fi
}
