package spec

import (
	"slices"
	"strings"
)

// validate checks what takes more than one value to see.
func (p *parser) validate() {
	s := p.spec
	if s.Name.Set {
		p.name(s.Name)
	}
	if slices.Contains([]string{"all", "ungrouped", "localhost"}, s.Group.V) {
		p.fault("bad-value", "service.group", s.Group.At, "name the group of hosts that runs it, like applications", "%s has a meaning of its own for Ansible", s.Group.V)
	}
	p.owners()
	p.build()
	p.probe()
	p.jobsOnly()
	p.sockets()
	p.timers()
	p.files()
	p.alerts()
	p.routes()
	p.resources()
}

// name refuses what would replace a package or take over a user of the
// distribution.
func (p *parser) name(name Value[string]) {
	taken := slices.Contains(strings.Fields(reservedNames), name.V)
	for _, prefix := range []string{"systemd-", "kinectl-", "lib", "linux-"} {
		taken = taken || strings.HasPrefix(name.V, prefix)
	}
	// kinectl packages itself. As a service it would own /run/kinectl, where the
	// transactions of all services work.
	self := name.V == "kinectl" && p.spec.Exec.None && len(p.spec.Timers) == 0
	if taken && !self {
		p.fault("reserved-name", "service.name", name.At, "choose another, like "+name.V[:min(len(name.V), 27)]+"-api", "%s is a package or a user of the distribution", name.V)
	}
}

// reservedNames are users of base-passwd, packages that a Debian server is
// likely to have, and folders in /etc that mean something to others: a service
// owns /etc/NAME.
const reservedNames = `
root daemon bin sys sync games man lp mail news uucp proxy www-data backup list irc gnats nobody sshd messagebus
polkitd postgres mysql redis nats haproxy grafana loki prometheus alertmanager syslog ntp chrony dnsmasq unbound bind bird
kinectl ansible apt dpkg bash dash coreutils systemd udev dbus openssh-server openssh-client sudo curl wget tar gzip login passwd
util-linux procps iproute2 iptables nftables nginx apache2 postgresql mariadb-server memcached redis-server rabbitmq-server
bind9 bird2 docker git golang perl python3 python3-apt cron rsyslog logrotate locales tzdata ca-certificates openssl hostname
init mount netbase ifupdown adduser gpg gnupg sed grep findutils diffutils vim nano less rsync prometheus-node-exporter
alternatives apparmor audit bluetooth conf console crypttab default dhcp dpkg environment fonts fstab gdm group groups grub
gss gtk hosts initramfs-tools issue iproute2 kernel ld ldap libaudit locale logcheck lvm mdadm modprobe modules motd network networks nftables
opt pam passwd perl pki polkit ppp profile protocols resolvconf rpc rpm security selinux services shadow shells skel ssh ssl subgid subuid
sudoers sysctl sysusers terminfo timezone tmpfiles tuned udev ufw update-motd xattr xdg yum dnf containerd kubernetes lxc`

// owners refuses users and groups of the distribution. root is for policy.yml
// to judge.
func (p *parser) owners() {
	users := strings.Fields(systemUsers)
	for _, v := range []struct {
		key  string
		name Value[string]
	}{{"owner", p.spec.Security.Owner}, {"group", p.spec.Security.Group}} {
		if slices.Contains(users, v.name.V) || strings.HasPrefix(v.name.V, "systemd-") {
			p.fault("reserved-name", "service.security."+v.key, v.name.At, "leave it out: the package makes one of the service's name; security.allow has groups: [...] for what it shall belong to besides",
				"%s is a user or a group of the distribution", v.name.V)
		}
	}
}

// resources checks that nobody else sets the variables of a resource.
func (p *parser) resources() {
	for _, r := range Resources() {
		if !p.spec.declares(r.Kind) {
			continue
		}
		for _, v := range p.spec.Environment {
			if v.Name == r.Variable {
				p.fault("duplicate-variable", "service.environments", v.At, "remove it; its value is the variable "+r.Needs+" of the infra repository", "the resource %s sets %s already", r.Kind, v.Name)
			}
		}
	}
}

// systemUsers are the users and groups of Debian's base-passwd, of systemd
// and of packages that a server is likely to have, but root.
const systemUsers = `
daemon bin sys sync games man lp mail news uucp proxy www-data backup list irc gnats nobody nogroup sshd messagebus polkitd
adm tty disk kmem dialout fax voice cdrom floppy tape sudo audio dip operator src shadow utmp video sasl plugdev staff users
input kvm render sgx crontab netdev ssl-cert docker wheel lxd libvirt postgres mysql redis nats haproxy grafana loki prometheus
alertmanager syslog ntp chrony dnsmasq unbound bind bird kinectl ansible admin`
