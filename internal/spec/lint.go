package spec

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/kinectl/kinectl/internal/diag"
)

// Check is [Parse], [Lint] and [Settle] in one: all that is wrong with the
// file and was not silenced, sorted by place. No excerpt shows a secret.
func Check(file string, src []byte) (*Spec, diag.Findings) {
	s, findings := Parse(file, src)
	return s, Settle(s, append(findings, Lint(s)...))
}

// Lint applies the rules to what could be read of a spec: things that are
// well-formed and still wrong, or likely to be. Kinds are the resources of the
// infra repository, beside those that kinectl knows.
func Lint(s *Spec, kinds ...Resource) diag.Findings {
	known := slices.Concat(Resources(), kinds)
	var all diag.Findings
	for _, rule := range []func(*Spec) diag.Findings{
		memory, plainSecret, partialSecret, trailingComment, probePort, probeSocket, portClash, drainProbe, lowPort, bareAddress, misplacedProgram, noExpansion, localMetrics, configOutsideEtc, calendarEnds, runsAsRoot, loosened,
	} {
		all = append(all, rule(s)...)
	}
	for _, rule := range []func(*Spec, []Resource) diag.Findings{unknownResource, missingResource, unknownVariable} {
		all = append(all, rule(s, known)...)
	}
	return sound(s, all)
}

// sound leaves out the advice about what is missing where that may be what
// could not be read.
func sound(s *Spec, advice diag.Findings) diag.Findings {
	return slices.DeleteFunc(advice, func(f diag.Finding) bool { return s.misread[f.Rule] })
}

// memory warns of a service or a task without a limit of its own: only its author
// knows what it needs. A task without one has the service's.
func memory(s *Spec) diag.Findings {
	const path = "service.limits.mem"
	hint := "add limits.mem, like 512M, from what the service uses under load"
	var all diag.Findings
	unlimited := func(path string, mem Value[string]) {
		if mem.V == "unlimited" {
			all = append(all, s.finding("no-memory-limit", diag.Warning, path, mem.At, hint, "without a limit a leak takes the whole host down"))
		}
	}
	missing := !s.Exec.None // of what runs: does anything take the default?
	for i, t := range s.Timers {
		own := fmt.Sprintf("service.timers[%d].limits.mem", i)
		unlimited(own, t.Limits.Mem)
		missing = missing || s.keys[own] == Pos{}
	}
	if !missing {
		return all // nothing runs, or each task says it itself
	}
	unlimited(path, s.Limits.Mem)
	at, ok := s.keys["service.limits"]
	if !ok {
		at, ok = s.keys["service"]
	}
	if ok && s.keys[path] == (Pos{}) {
		all = append(all, s.finding("no-memory-limit", diag.Warning, path, at, hint, "no memory limit is given, so the default of "+DefaultMem+" holds"))
	}
	return all
}

// trailingComment warns of what looks like a comment and is part of a value.
func trailingComment(s *Spec) diag.Findings {
	var all diag.Findings
	for _, v := range s.Environment {
		if !slices.ContainsFunc(v.Parts, func(p Part) bool { return strings.Contains(p.Literal, " #") }) {
			continue
		}
		if line := s.lines[v.Value.Line-1]; strings.ContainsAny(column(line, v.Value.Column), `'"`) {
			continue // whoever quotes knows
		}
		all = append(all, s.finding("comment-in-value", diag.Warning, "service.environments", v.Value,
			"put the comment on a line of its own, or the value in quotes", "what follows # is part of the value of "+v.Name))
	}
	return all
}

// drainProbe finds a probe that cannot succeed: a drained service answers
// /ready with an error, and the drain ends after the judgement.
func drainProbe(s *Spec) diag.Findings {
	path, _, _ := strings.Cut(s.Deploy.Probe.Path.V, "?")
	if s.Drains() == 0 || strings.TrimRight(path, "/") != "/ready" || s.Deploy.Probe.Type.Or(DefaultProbeType) != "http" {
		return nil
	}
	return diag.Findings{s.finding("drain-probe", diag.Error, "service.deploy.probe.path", s.Deploy.Probe.Path.At,
		"ask what is true while the host is out of traffic, like /metrics or /health", "/ready fails for as long as the host is drained, and it is judged before that ends")}
}

var shellVariable = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?:^|[^\\])\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Z_][A-Z0-9_]+))`)
})

// noExpansion warns of variables inside of the value of another one: systemd
// hands over the block as it stands (systemd.exec(5), EnvironmentFile=).
func noExpansion(s *Spec) diag.Findings {
	var all diag.Findings
	for _, v := range s.Environment {
		if !slices.ContainsFunc(v.Parts, func(p Part) bool { return shellVariable().MatchString(p.Literal) }) {
			continue
		}
		// As it was written: an escape, or single quotes, say that it is meant so.
		written := column(s.lines[v.Value.Line-1], v.Value.Column) + "\n" + strings.Join(s.lines[v.Value.Line:max(v.last, v.Value.Line)], "\n")
		m := shellVariable().FindStringSubmatch(written)
		if m == nil || strings.HasPrefix(written, "'") {
			continue
		}
		name := m[1] + m[2]
		all = append(all, s.finding("no-expansion", diag.Warning, "service.environments", v.Value,
			`write its value out; or \$ when the program itself puts it there`, "the service gets $"+name+" as it stands: nobody puts a value in its place here"))
	}
	return all
}

// localMetrics warns of metrics that only the host itself can read.
func localMetrics(s *Spec) diag.Findings {
	var all diag.Findings
	for _, v := range s.Environment {
		if v.Name != "METRICS_ADDRESS" || s.Exec.None {
			continue
		}
		text := v.text()
		host := strings.Trim(text[:max(strings.LastIndexByte(text, ':'), 0)], "[]")
		if at, err := netip.ParseAddr(host); host == "localhost" || err == nil && at.IsLoopback() {
			all = append(all, s.finding("local-metrics", diag.Warning, "service.environments", v.Value,
				"leave the host out, like METRICS_ADDRESS=:9090", "Prometheus cannot read metrics that are served on "+host+" alone"))
		}
	}
	return all
}

// runsAsRoot warns of a service that the sandbox protects least from.
func runsAsRoot(s *Spec) diag.Findings {
	var all diag.Findings
	for _, v := range []struct {
		path string
		name Value[string]
	}{{"owner", s.Security.Owner}, {"group", s.Security.Group}} {
		if v.name.V == "root" {
			all = append(all, s.finding("runs-as-root", diag.Warning, "service.security."+v.path, v.name.At,
				"leave it out; else policy.yml of the infra repository must open it to the group, or no deploy starts", "the service runs with "+v.path+" root"))
		}
	}
	return all
}
