package spec

import (
	"fmt"
	"strings"

	"github.com/kinectl/kinectl/internal/diag"
)

// Clashes finds what only several specs together show: services that own one
// unit, that have one route, and services of one group that listen on one
// port, as each host of the group runs them all. The findings of each spec
// stand in its place; of two that clash, the later one has it.
func Clashes(specs []*Spec) []diag.Findings {
	all := make([]diag.Findings, len(specs))
	portClashes(specs, all)
	unitClashes(specs, all)
	routeClashes(specs, all)
	return all
}

// portClashes wants each port once in a group.
func portClashes(specs []*Spec, all []diag.Findings) {
	type owner struct {
		s *Spec
		l listener
	}
	type place struct {
		group string
		port  int
	}
	owners := map[place][]owner{}
	for i, s := range specs {
		var mine []owner
		for _, l := range s.groupListeners() {
			to := place{s.Group.V, l.port}
			for _, o := range owners[to] {
				if o.s.Name.V == s.Name.V || !l.clash(o.l) {
					continue // the same service, as of another branch
				}
				severity := diag.Error
				if l.implied || o.l.implied {
					severity = diag.Warning // the program may listen elsewhere, whatever its spec leaves out
				}
				all[i] = append(all[i], s.finding("group-port-clash", severity, l.path, l.at, "give one of them another port, or another group",
					fmt.Sprintf("%s is port %d, where %s of the same group listens too (%s:%d)", l.name, l.port, o.s.Name.V, o.s.File, o.l.at.Line)))
				break
			}
			mine = append(mine, owner{s, l})
		}
		for _, o := range mine {
			to := place{s.Group.V, o.l.port}
			owners[to] = append(owners[to], o)
		}
	}
}

// unit is the name of a service's unit, without its type.
type unit struct {
	name string
	of   string // "the service films"
	path string
	at   Pos
}

// units are those that the service owns, and those that kinectl makes beside
// them, whether this version needs them or not.
func (s *Spec) units() []unit {
	if !s.Name.Set || s.Exec.None && len(s.Timers) == 0 {
		return nil
	}
	name := s.Name.V
	all := []unit{{name, "the service " + name, "service.name", s.Name.At}}
	for _, task := range reservedTasks() {
		all = append(all, unit{name + "-" + task, "what kinectl itself makes for " + name, "service.name", s.Name.At})
	}
	for i, t := range s.Timers {
		if t.Name.Set {
			all = append(all, unit{name + "-" + t.Name.V, "the task " + t.Name.V + " of " + name, fmt.Sprintf("service.timers[%d].name", i), t.Name.At})
		}
	}
	return all
}

// unitClashes wants each unit once: hosts may be in several groups, and
// whoever reads a log must know whose it is.
func unitClashes(specs []*Spec, all []diag.Findings) {
	type owner struct {
		s *Spec
		u unit
	}
	owners := map[string]owner{}
	for i, s := range specs {
		for _, u := range s.units() {
			o, taken := owners[u.name]
			switch {
			case !taken:
				owners[u.name] = owner{s, u}
			case o.s.Name.V != s.Name.V: // else the same service, as of another branch
				all[i] = append(all[i], s.finding("unit-clash", diag.Error, u.path, u.at, "give one of them another name",
					fmt.Sprintf("%s.service is a unit of %s, and of %s (%s:%d)", u.name, u.of, o.u.of, o.s.File, o.u.at.Line)))
			}
		}
	}
}

// routeClashes wants each host and path once: the proxy could choose one only.
func routeClashes(specs []*Spec, all []diag.Findings) {
	type owner struct {
		s  *Spec
		at Pos
	}
	owners := map[string]owner{}
	for i, s := range specs {
		for n, r := range s.Routes {
			to := strings.TrimRight(r.Host.V+r.Path.Or(DefaultRoutePath), "/")
			o, taken := owners[to]
			switch {
			case !r.Host.Set:
			case !taken:
				owners[to] = owner{s, r.Host.At}
			case o.s.Name.V != s.Name.V:
				all[i] = append(all[i], s.finding("route-clash", diag.Error, fmt.Sprintf("service.routes[%d]", n), r.Host.At, "give one of them another path or host",
					fmt.Sprintf("%s leads to %s already (%s:%d)", to, o.s.Name.V, o.s.File, o.at.Line)))
			}
		}
	}
}
