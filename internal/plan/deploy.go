package plan

import (
	"slices"

	"github.com/kinectl/kinectl/internal/spec"
)

func deploy(s *spec.Spec) Deploy {
	return Deploy{
		Serial:      slices.Clone(s.Deploy.Serial.Or([]string{spec.DefaultSerial})),
		Probe:       probe(s),
		Drain:       s.Drains(),
		Before:      command(s.Deploy.Before.V),
		OnFailure:   s.Deploy.OnFailure.Or(spec.DefaultOnFailure),
		Overlap:     s.Overlaps(),
		NUMANetdevs: values(s.Deploy.NUMANetdevs),
	}
}

// probe settles the probe. Where Ansible decides the port of METRICS_ADDRESS,
// the version is asked where the probe asks.
func probe(s *spec.Spec) Probe {
	in := s.Deploy.Probe
	p := Probe{
		Type:    in.Type.Or(spec.DefaultProbeType),
		Command: command(in.Command.V),
		Timeout: in.Timeout.Or(spec.DefaultProbeTimeout),
		Settle:  in.Settle.Or(spec.DefaultProbeSettle),
		Version: in.Version.Or(spec.DefaultProbeVersion),
		Metrics: s.MetricsPort(),
	}
	if s.Exec.None {
		// Nothing runs that could be asked.
		p.Type, p.Version, p.Metrics = "none", false, 0
		return p
	}
	if p.Type == "http" || p.Type == "tcp" {
		p.Port = s.ProbePort()
	}
	if p.Type == "http" {
		p.Path = in.Path.Or(spec.DefaultProbePath)
		p.Status = in.Status.Or(spec.DefaultProbeStatus)
	}
	declared := slices.ContainsFunc(s.Environment, func(v spec.Variable) bool { return v.Name == "METRICS_ADDRESS" })
	switch {
	case p.Type == "http" && p.Path == spec.DefaultProbePath && (!declared || p.Metrics == 0):
		p.Metrics = p.Port // what is probed are the metrics
	case p.Metrics == 0:
		p.Metrics = in.Port.Or(spec.DefaultProbePort)
	case !declared && !p.Version:
		p.Metrics = 0 // nothing says that it has any
	}
	return p
}

func command(c spec.Command) Command {
	var out Command
	for _, word := range c {
		w := Word{}
		for _, part := range word {
			w = append(w, WordPart(part))
		}
		out = append(out, w)
	}
	return out
}
