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
	p.probe()
	p.resources()
}

// name refuses what would replace a package or take over a user of the
// distribution.
func (p *parser) name(name Value[string]) {
	taken := slices.Contains(strings.Fields(reservedNames), name.V)
	for _, prefix := range []string{"systemd-", "kinectl-", "lib", "linux-"} {
		taken = taken || strings.HasPrefix(name.V, prefix)
	}
	if taken {
		p.fault("reserved-name", "service.name", name.At, "choose another, like "+name.V[:min(len(name.V), 27)]+"-api", "%s is a package or a user of the distribution", name.V)
	}
}

// reservedNames are users of base-passwd and packages that a Debian server
// is likely to have.
const reservedNames = `
root daemon bin sys sync games man lp mail news uucp proxy www-data backup list irc gnats nobody sshd messagebus
polkitd postgres mysql redis nats haproxy grafana loki prometheus alertmanager syslog ntp chrony dnsmasq unbound bind bird
kinectl ansible apt dpkg bash dash coreutils systemd udev dbus openssh-server openssh-client sudo curl wget tar gzip login passwd
util-linux procps iproute2 iptables nftables nginx apache2 postgresql mariadb-server memcached redis-server rabbitmq-server
bind9 bird2 docker git golang perl python3 python3-apt cron rsyslog logrotate locales tzdata ca-certificates openssl hostname
init mount netbase ifupdown adduser gpg gnupg sed grep findutils diffutils vim nano less rsync node-exporter prometheus-node-exporter`

// probe refuses keys that the type of the probe has no use for: their author
// expects something that will not happen.
func (p *parser) probe() {
	probe := &p.spec.Deploy.Probe
	kind := probe.Type.Or(DefaultProbeType)
	unused := func(name string, set bool, at Pos) {
		if set {
			p.fault("unused-key", "service.deploy.probe."+name, at, "remove it, or change the type", "a probe of type %s has no %s", kind, name)
		}
	}
	if kind != "http" {
		unused("path", probe.Path.Set, probe.Path.At)
		unused("status", probe.Status.Set, probe.Status.At)
	}
	if kind == "none" {
		unused("port", probe.Port.Set, probe.Port.At)
	}
}

// resources checks the kinds, and that nobody else sets their variables.
func (p *parser) resources() {
	var kinds []string
	for _, r := range Resources() {
		kinds = append(kinds, r.Kind)
	}
	for _, used := range p.spec.Resources {
		r, ok := resource(used.V)
		if !ok {
			hint := "known are " + strings.Join(kinds, ", ")
			if best := nearest(used.V, kinds); best != "" {
				hint = "did you mean " + best + "?"
			}
			p.fault("unknown-resource", "service.resources", used.At, hint, "there is no resource %s", quoted(used.V))
			continue
		}
		for _, v := range p.spec.Environment {
			if v.Name == r.Variable {
				p.fault("duplicate-variable", "service.environments", v.At, "remove it; its value is the variable "+r.Needs+" of the infra repository", "the resource %s sets %s already", r.Kind, v.Name)
			}
		}
	}
}
