package spec

import (
	"fmt"
	"path"
	"slices"
)

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
	if p.spec.Exec.None {
		return // told by jobsOnly
	}
	if kind != "http" {
		unused("path", probe.Path.Set, probe.Path.At)
		unused("status", probe.Status.Set, probe.Status.At)
	}
	if kind == "none" || kind == "exec" {
		unused("port", probe.Port.Set, probe.Port.At)
	}
	switch {
	case kind != "exec":
		unused("command", probe.Command.Set, probe.Command.At)
	case p.spec.keys["service.deploy.probe.command"] == Pos{}:
		p.fault("missing-key", "service.deploy.probe.command", probe.Type.At, "add it, like /usr/bin/"+p.spec.Name.Or("films")+" check", "a probe of type exec needs a command")
	}
}

// jobsOnly refuses what only a running service has, when nothing runs.
func (p *parser) jobsOnly() {
	s := p.spec
	if !s.Exec.None {
		return
	}
	for _, path := range []string{
		"service.exec.stop", "service.exec.reload", "service.exec.type", "service.sockets", "service.routes", "service.deploy.drain",
		"service.deploy.probe.port", "service.deploy.probe.path", "service.deploy.probe.status", "service.deploy.probe.command",
		"service.deploy.probe.timeout", "service.deploy.probe.settle",
	} {
		if at, ok := s.keys[path]; ok {
			p.fault("unused-key", path, at, "remove it, or exec.start: none", "%s has no meaning where no service runs", last(path))
		}
	}
	if at, ok := s.keys["service.security.credentials"]; ok && len(s.Timers) == 0 {
		p.fault("unused-key", "service.security.credentials", at, "remove it, or exec.start: none", "credentials has no meaning where nothing runs")
	}
	if t := s.Deploy.Probe.Type; t.Set && t.V != "none" {
		p.fault("unused-key", "service.deploy.probe.type", t.At, "remove it, or exec.start: none", "nothing runs that a probe could ask")
	}
	if v := s.Deploy.Probe.Version; v.V {
		p.fault("unused-key", "service.deploy.probe.version", v.At, "remove it, or exec.start: none", "nothing runs that could say its version")
	}
}

// sockets wants a service that says when it is ready: until then the next
// version must not be the only one.
func (p *parser) sockets() {
	s := p.spec
	for i, v := range s.Sockets {
		dir, base := path.Split(v.V.Address)
		if own := "/run/" + s.Name.V + "/"; v.V.Protocol == "unix" && s.Name.Set && (dir != own || base == ".." || base == "." || base == "drain") {
			// systemd would delete, as root, whatever else is in that place.
			p.fault("reserved-path", fmt.Sprintf("service.sockets[%d]", i), v.At, "like "+own+"api.sock", "a socket of %s lies in %s", s.Name.V, own)
		}
	}
	if len(s.Sockets) > 0 && !s.Exec.None && s.Exec.Type.Or(DefaultType) != "notify" {
		at := s.keys["service.sockets"]
		if s.Exec.Type.Set {
			at = s.Exec.Type.At
		}
		p.fault("sockets-need-notify", "service.exec.type", at, "let the program call sd_notify(3) with READY=1, and write exec.type: notify", "with sockets the service must say when it is ready")
	}
}

// reservedTasks are the units that kinectl itself makes beside NAME.service.
func reservedTasks() []string { return []string{"next", "probe", "before", "drain", "recover"} }

// timers wants names of which every unit has one of its own.
func (p *parser) timers() {
	lines := map[string]int{}
	for i, t := range p.spec.Timers {
		path := fmt.Sprintf("service.timers[%d].name", i)
		switch line, twice := lines[t.Name.V]; {
		case !t.Name.Set:
			continue
		case twice:
			p.fault("duplicate-value", path, t.Name.At, "give each task a name of its own", "there are two tasks %s, the first in line %d", t.Name.V, line)
		case slices.Contains(reservedTasks(), t.Name.V):
			p.fault("reserved-name", path, t.Name.At, "choose another, like "+t.Name.V+"-task", "%s-%s is a unit of kinectl's own", p.spec.Name.Or("NAME"), t.Name.V)
		}
		lines[t.Name.V] = t.Name.At.Line
	}
}

// standardAlerts come by themselves; a test of the rendered rules knows them too.
func standardAlerts() []string {
	return []string{"ServiceDown", "ServiceRestarting", "ServiceFilesRunningOut", "TaskFailed"}
}

// alerts wants each name once: a receiver tells them apart by it.
func (p *parser) alerts() {
	lines := map[string]int{}
	for i, a := range p.spec.Alerts {
		if line, twice := lines[a.Name.V]; a.Name.Set && twice {
			p.fault("duplicate-value", fmt.Sprintf("service.alerts[%d].name", i), a.Name.At, "give each alert a name of its own", "there are two alerts %s, the first in line %d", a.Name.V, line)
		}
		if slices.Contains(standardAlerts(), a.Name.V) {
			p.fault("reserved-name", fmt.Sprintf("service.alerts[%d].name", i), a.Name.At, "choose another, like Films"+a.Name.V, "%s is one of the alerts that every service has", a.Name.V)
		}
		lines[a.Name.V] = a.Name.At.Line
	}
}

// routes wants each host and path once, and a port that is known.
func (p *parser) routes() {
	lines := map[string]int{}
	for i, r := range p.spec.Routes {
		if !r.Host.Set {
			continue
		}
		path := fmt.Sprintf("service.routes[%d]", i)
		to := r.Host.V + r.Path.Or(DefaultRoutePath)
		if line, twice := lines[to]; twice {
			p.fault("duplicate-value", path, r.Host.At, "remove it, or give it another path", "%s has a route already, in line %d", to, line)
		}
		lines[to] = r.Host.At.Line
		if _, given := p.spec.keys[path+".port"]; !given && p.spec.HTTPPort() == 0 && !p.spec.Exec.None {
			p.fault("route-without-port", path+".port", r.Host.At, "add the port, or HTTP_ADDRESS with a port that is no variable", "nobody knows the port of this route")
		}
	}
}
