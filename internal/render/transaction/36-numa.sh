# --- NUMA --------------------------------------------------------------------

numa_conf=/etc/systemd/system/$name.service.d/50-kinectl-numa.conf
sysfs=${KINECTL_SYSFS:-/sys}

# numa_binding: the drop-in that binds the service to the nodes of its network
# interfaces, or nothing where there is nothing to choose.
#
# CPUAffinity= and NUMAPolicy= are set by system calls, so they work with cgroup v1
# and v2 alike; AllowedMemoryNodes= adds on v2 what the process cannot undo
# (systemd.exec(5), systemd.resource-control(5)). AllowedCPUs= is left to
# limits.allowed_cpus: systemd would add the two lists, and widen it.
numa_binding() {
	nodes=
	for interface in $numa_netdevs; do
		if [ ! -e "$sysfs/class/net/$interface" ]; then
			reason="deploy.numa_netdevs: this host has no network interface $interface"
			return 1
		fi
		node=$(cat "$sysfs/class/net/$interface/device/numa_node" 2>/dev/null || echo -1)
		[ "$node" -lt 0 ] || nodes="$nodes $node"
	done
	set -- "$sysfs"/devices/system/node/node[0-9]*
	if [ -z "$nodes" ] || [ "$#" -lt 2 ]; then return 0; fi
	nodes=$(say "$nodes" | tr ' ' '\n' | grep . | sort -nu)
	cpus=$(for node in $nodes; do cat "$sysfs/devices/system/node/node$node/cpulist"; done | grep . | paste -s -d ,)
	nodes=$(say "$nodes" | paste -s -d ,)
	say "# Written by kinectl: NUMA node $nodes has the network interface $numa_netdevs."
	say '[Service]'
	say 'NUMAPolicy=bind'
	say "NUMAMask=$nodes"
	if [ -n "$cpus" ]; then say "CPUAffinity=$cpus"; fi
	say "AllowedMemoryNodes=$nodes"
}

# bind_to_numa: the drop-in of this release in its place, or gone.
bind_to_numa() {
	numa_binding >"$work/numa.conf" || return 1
	if [ ! -s "$work/numa.conf" ]; then
		unbind_from_numa
	elif ! cmp -s "$work/numa.conf" "$numa_conf"; then
		mkdir -p "${numa_conf%/*}" && chmod 0755 "${numa_conf%/*}" && replace "$numa_conf" 0644 <"$work/numa.conf"
	fi
}

unbind_from_numa() {
	[ -e "${numa_conf%/*}" ] || return 0
	rm -f "$numa_conf" "$numa_conf.kinectl-new"
	rmdir "${numa_conf%/*}" 2>/dev/null
	return 0
}

# bound_to_numa: nothing would change.
bound_to_numa() {
	numa_binding >"$work/numa.conf" || return 1
	[ -s "$work/numa.conf" ] || rm "$work/numa.conf"
	same_file "$work/numa.conf" "$numa_conf"
}
