# --- ports -------------------------------------------------------------------

# conflicts: ports of the service that another one has too: as ss(8) and systemd see
# it, and by the metrics ports of the releases kept on this host.
conflicts() {
	{
		declared_ports
		listening_ports
	} | shared_ports
}

# ports_free: nobody else listens where the version that comes will. What the service
# itself has there, by an older version too, is its own.
ports_free() {
	[ -n "$ports" ] || return 0
	own_ports=$(say "$ports" | tr ' ' '\n')
	filter=
	while read -r each; do filter="${filter:+$filter or }sport = :${each##*:}"; done <<-PORTS
		$own_ports
	PORTS
	if only_own "$filter"; then return 0; fi
	shared=$({
		say "$own_ports" | while read -r each; do say "${each##*:} $(plain_address "${each%:*}") $name"; done
		listening_ports "$filter"
	} | shared_ports | paste -s -d , | sed 's/,/, /g')
	[ -n "$shared" ] || return 0
	reason="$shared on this host: give the service another port in spec.yml, or stop what listens there"
	return 1
}

# only_own FILTER: whoever listens there is a process of the service. It is so before
# nearly every release, and quick to see.
only_own() {
	tcp_listeners "$1" | while read -r _ _ _ _ _ users; do
		case $users in *'),('*) exit 1 ;; esac
		process=${users#*pid=}
		grep -qsF "/$name.service" "/proc/${process%%,*}/cgroup" || exit 1
	done
}

# tcp_listeners [FILTER]: with their processes, as ss(8) has them.
tcp_listeners() {
	# shellcheck disable=SC2068 # an argument of ss, or none
	ss --no-header --listening --tcp --numeric --processes $@ 2>/dev/null
}

# shared_ports: of lines "PORT ADDRESS SERVICE", where * is every address, 0.0.0.0 every one
# of IPv4 and [::] every one of IPv6, the ports that the service and another one have.
shared_ports() {
	sort -u | awk -v name="$name" -v units="$(owned_units service | paste -s -d ' ')" '
		function covers(x, y) { return x == y || x == "*" || x == "0.0.0.0" && y !~ /^\[/ || x == "[::]" && y ~ /^\[/ }
		BEGIN { n = split(units, all, " "); for (i = 1; i <= n; i++) { sub(/\.service$/, "", all[i]); own[all[i]] } }
		{ sub(/-next$/, "", $3) }
		$3 == name || $3 in own { mine[$1 " " $2]; next }
		{ others[$1 " " $2 " " $3] }
		END {
			for (m in mine) for (o in others) {
				split(m, a, " "); split(o, b, " ")
				if (a[1] == b[1] && (covers(a[2], b[2]) || covers(b[2], a[2]))) print "port " a[1] " is also that of " b[3]
			}
		}' | sort -u
}

# declared_ports: those of the metrics, of each service that has a release here.
declared_ports() {
	for releases in /var/lib/kinectl/*/releases; do
		newest=$(find "$releases" -mindepth 1 -maxdepth 1 -name '[0-9]*' ! -name '*.new' 2>/dev/null | sort -t / -k 7 -n | tail -n 1)
		[ -e "$newest/parameters" ] || continue
		port=$(sed -n "s/^metrics_port='\([0-9]*\)'\$/\1/p" "$newest/parameters" | head -n 1)
		other=${releases%/releases}
		[ "${port:-0}" = 0 ] || say "$port * ${other##*/}"
	done
}

# listening_ports [FILTER]: who listens, by unit, and what no service has started by
# its process. systemd itself listens for the unit of a socket.
listening_ports() {
	tcp_listeners "$@" | while read -r _ _ _ at _ users; do
		for process in $(say "$users" | grep -o 'pid=[0-9]*'); do
			process=${process#pid=}
			[ "$process" != 1 ] || continue
			unit=$(sed -n 's,.*/\([^/]*\)\.service.*,\1,p' "/proc/$process/cgroup" 2>/dev/null | head -n 1)
			if [ -z "$unit" ]; then
				unit=$(tr -c '[:alnum:]._\n-' _ 2>/dev/null <"/proc/$process/comm")
				[ -n "$unit" ] || continue # it has ended since
				unit="${unit}[$process]"
			fi
			address=${at%:*}
			say "${at##*:} ${address%\%*} $unit"
		done
	done
	systemctl list-sockets --no-legend --full --show-types | while read -r at type unit _; do
		case $type:$at in Stream:*:*[0-9]) say "${at##*:} $(plain_address "${at%:*}") ${unit%.socket}" ;; esac
	done
}

# plain_address: as ss writes it. Of systemd's sockets and Go's listeners [::] has IPv4
# too; ss says that only of one that has not.
plain_address() {
	case ${1%\%*} in '[::]') say '*' ;; *) say "${1%\%*}" ;; esac
}
