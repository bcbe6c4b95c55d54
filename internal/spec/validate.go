package spec

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
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
	taken := reservedNames()[name.V]
	for _, prefix := range []string{"systemd-", "kinectl-", "lib", "linux-"} {
		taken = taken || strings.HasPrefix(name.V, prefix)
	}
	// kinectl packages itself. As a service it would own /run/kinectl, where the
	// transactions of all services work.
	self := name.V == "kinectl" && p.spec.Exec.None && len(p.spec.Timers) == 0
	if taken && !self {
		p.fault("reserved-name", "service.name", name.At, "choose another, like "+name.V[:min(len(name.V), 27)]+"-api", "%s is the name of a package, a user, a program or a folder of the distribution", name.V)
	}
}

//go:embed reserved.txt
var reservedText string

// reservedNames are those of the distribution. A package NAME owns /usr/bin/NAME
// and /etc/NAME; dpkg does not know that /bin/NAME is the same file on a host with
// merged folders, so it would replace a program of another package unasked.
var reservedNames = sync.OnceValue(func() map[string]bool {
	all := map[string]bool{}
	for line := range strings.Lines(reservedText) {
		all[strings.TrimSpace(line)] = true
	}
	return all
})

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
