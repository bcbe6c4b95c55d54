package plan

import (
	"slices"
	"strings"
	"time"

	"github.com/kinectl/kinectl/internal/spec"
	"github.com/kinectl/kinectl/internal/version"
)

// Facts are what a plan needs to know besides the spec.
type Facts struct {
	Version   version.Version
	BuildTime time.Time // of the commit
}

// Build settles every default of a spec that has no errors.
func Build(s *spec.Spec, facts Facts) Plan {
	name := s.Name.V
	p := Plan{
		Name:        name,
		Group:       s.Group.V,
		Description: s.Description.V,
		Version:     facts.Version,
		BuildTime:   facts.BuildTime.UTC().Truncate(time.Second),
		Unit: Unit{
			User:       name,
			Group:      name,
			Start:      "/usr/bin/" + name,
			StopSignal: "SIGINT",
			Type:       "exec",
			MemoryMax:  s.Limits.Mem.Or(spec.DefaultMem),
			NoFile:     s.Limits.NoFile.Or(spec.DefaultNoFile),
			TasksMax:   spec.DefaultTasks,
		},
		Deploy: Deploy{
			Serial: slices.Clone(s.Serial.Or([]string{spec.DefaultSerial})),
			Probe:  probe(s),
		},
		Environment: variables(s),
		Spec:        s.Source,
	}
	if p.Unit.MemoryMax == "unlimited" {
		p.Unit.MemoryMax = "infinity"
	}
	p.Needs = needs(s)
	return p
}

// probe settles the probe. Where Ansible decides the port of METRICS_ADDRESS,
// the version is asked where the probe asks.
func probe(s *spec.Spec) Probe {
	p := Probe{
		Type:    s.Probe.Type.Or(spec.DefaultProbeType),
		Timeout: s.Probe.Timeout.Or(spec.DefaultProbeTimeout),
		Settle:  s.Probe.Settle.Or(spec.DefaultProbeSettle),
		Version: s.Probe.Version.Or(spec.DefaultProbeVersion),
		Metrics: s.MetricsPort(),
	}
	if p.Type != "none" {
		p.Port = s.Probe.Port.Or(spec.DefaultProbePort)
	}
	if p.Type == "http" {
		p.Path = s.Probe.Path.Or(spec.DefaultProbePath)
		p.Status = s.Probe.Status.Or(spec.DefaultProbeStatus)
	}
	if p.Metrics == 0 {
		p.Metrics = s.Probe.Port.Or(spec.DefaultProbePort)
	}
	return p
}

// variables returns those of the resources, in the order of the spec, and
// then those of the spec.
func variables(s *spec.Spec) []Variable {
	var all []Variable
	for _, r := range resources(s) {
		all = append(all, Variable{Name: r.Variable, Parts: []Part{{Expression: r.Needs}}})
	}
	for _, v := range s.Environment {
		out := Variable{Name: v.Name}
		for _, part := range v.Parts {
			out.Parts = append(out.Parts, Part{Literal: part.Literal, Expression: part.Expression})
		}
		all = append(all, out)
	}
	return all
}

// needs returns the Ansible variables that the environment cannot do without.
func needs(s *spec.Spec) []string {
	var all []string
	for _, r := range resources(s) {
		all = append(all, r.Needs)
	}
	for _, v := range s.Environment {
		for _, part := range v.Parts {
			all = append(all, part.Needs...)
		}
	}
	slices.SortFunc(all, strings.Compare)
	return slices.Compact(all)
}

func resources(s *spec.Spec) []spec.Resource {
	var used []spec.Resource
	for _, u := range s.Resources {
		for _, r := range spec.Resources() {
			if r.Kind == u.V {
				used = append(used, r)
			}
		}
	}
	return used
}
