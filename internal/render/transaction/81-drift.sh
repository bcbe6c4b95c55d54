# --- drift -------------------------------------------------------------------

# drift: what is here and no release put here, a line of words each.
drift() {
	current=$(current_release)
	if [ -z "$current" ]; then
		[ -z "$from" ] || say "$from was not installed by kinectl: no release is kept here"
		return 0
	fi
	[ "$from" = "$(cat "$current/version")" ] || say "${from:-nothing} is installed, $(cat "$current/version") was deployed"
	[ -n "$from" ] || return 0
	altered | awk '{ print $1 == "missing" ? "missing" : "changed", "file of the package:", $NF }' | head -n 5
	[ "$(digest_of "$live_environment" 2>/dev/null)" = "$(cat "$current/digest")" ] || say "$live_environment is not the one that was deployed"
	[ "$(sed -n 's/^Pin: version //p' "$pin" 2>/dev/null)" = "$(cat "$current/version")" ] || say "$pin does not hold the version that was deployed"
	if [ -e "$txn" ]; then say 'an interrupted release is not finished: see docs/recovery.md'; fi
	if next_runs; then say "$next_unit may answer in place of $name.service: kinectl restart ends that"; fi
	bound_to_numa || say "$numa_conf is not as deploy.numa_netdevs would have it"
	drifted_units
	if [ "$runs" != true ] || [ "$health" = stopped ]; then return 0; fi
	case $enabled in enabled | masked*) ;; *) say "$name.service is $enabled: no boot would start it" ;; esac
	main=$(unit_property MainPID)
	program=$(readlink "/proc/$main/exe")
	case $program in *' (deleted)')
		cmp -s "/proc/$main/exe" "${program% (deleted)}" || say "process $main runs a program that is no longer on disk: kinectl restart ends it"
		;;
	esac
	return 0
}

# drifted_units: those that a person has masked, overridden or added to. What lies
# in /usr/lib is a package's. The unit of the overlap may be masked: that is its switch.
drifted_units() {
	owned_units | grep -vFx "$next_unit" | xargs -r systemctl show --property=Id,LoadState,FragmentPath,DropInPaths,NeedDaemonReload |
		awk -v folder="$unit_folder" -v ours="$numa_conf" '
		{ key = $0; sub(/=.*/, "", key); value = $0; sub(/^[^=]*=/, "", value) }
		key == "" { tell() }
		key != "" { of[key] = value }
		END { tell() }
		function tell(   n, i, paths, file) {
			if (of["Id"] == "") return
			file = of["FragmentPath"]
			sub("^/lib/", "/usr/lib/", file)
			if (of["LoadState"] != "loaded") print of["Id"] " is " of["LoadState"]
			else if (file != folder "/" of["Id"]) print of["Id"] " is overridden by " file
			n = split(of["DropInPaths"], paths, " ")
			for (i = 1; i <= n; i++) if (paths[i] != ours && paths[i] !~ "^(/usr)?/lib/") print of["Id"] " has the drop-in " paths[i]
			if (of["NeedDaemonReload"] == "yes") print of["Id"] ": systemd has not read what is on disk (systemctl daemon-reload)"
			split("", of)
		}'
}
