package spec

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/kinectl/kinectl/internal/diag"
)

// Check is [Parse] and [Lint] in one: all that is wrong with the file, sorted
// by place. No excerpt shows a secret that Lint has found.
func Check(file string, src []byte) (*Spec, diag.Findings) {
	s, findings := Parse(file, src)
	advice := Lint(s)
	for _, a := range advice {
		for i, f := range findings {
			if a.Rule == "plain-secret" && a.Line == f.Line {
				findings[i].Excerpt = a.Excerpt
			}
		}
	}
	findings = append(findings, advice...)
	findings.Sort()
	return s, findings
}

// Lint applies the rules to what could be read of a spec: things that are
// well-formed and still wrong, or likely to be.
func Lint(s *Spec) diag.Findings {
	var all diag.Findings
	for _, rule := range []func(*Spec) diag.Findings{memory, missingResource, plainSecret, trailingComment, probePort} {
		all = append(all, rule(s)...)
	}
	return all
}

// memory warns of a service without a limit of its own: only its author knows
// what it needs.
func memory(s *Spec) diag.Findings {
	const path = "service.limits.mem"
	hint := "add limits.mem, like 512M, from what the service uses under load"
	at, ok := s.keys["service.limits"]
	if !ok {
		at, ok = s.keys["service"]
	}
	switch {
	case s.Limits.Mem.V == "unlimited":
		return diag.Findings{s.finding("no-memory-limit", diag.Warning, path, s.Limits.Mem.At, hint, "without a limit a leak takes the whole host down")}
	case s.keys[path] == Pos{} && ok:
		return diag.Findings{s.finding("no-memory-limit", diag.Warning, path, at, hint, "no memory limit is given, so the default of "+DefaultMem+" holds")}
	}
	return nil
}

// missingResource finds variables of a resource that is not declared: nobody
// would fill them, and nobody would see who depends on it.
func missingResource(s *Spec) diag.Findings {
	var all diag.Findings
	for _, v := range s.Environment {
		for _, r := range Resources() {
			declared := slices.ContainsFunc(s.Resources, func(u Value[string]) bool { return u.V == r.Kind })
			if !declared && r.owns(v) {
				all = append(all, s.finding("missing-resource", diag.Error, "service.environments", v.At,
					"add - "+r.Kind+" to resources", v.Name+" belongs to the resource "+r.Kind+", which is not listed"))
			}
		}
	}
	return all
}

var (
	secretName = regexp.MustCompile(`(?i)(^|_)(secret|password|passwd|passphrase|token|credentials?|apikey|(secret|api|private|access|signing|encryption|master|auth|license)_?key|secret_key_base|db_pass|pass)$`)
	userInfo   = regexp.MustCompile(`(?i)[a-z][a-z0-9+.-]*://[^\s/?#:@]*:([^\s/?#@]+)@`)
)

// plainSecret finds secrets that stand in the file for all to read.
func plainSecret(s *Spec) diag.Findings {
	var all diag.Findings
	for _, v := range s.Environment {
		value, literal := v.Literal()
		hint := "keep it in the infra repository, encrypted, and write {{ vault_" + strings.ToLower(v.Name) + " }}"
		message := ""
		switch {
		case literal && value != "" && secretName.MatchString(v.Name):
			message = v.Name + " looks like a secret in plain text"
		case plainPassword(v):
			message = "the URL in " + v.Name + " has a password in plain text"
		default:
			continue
		}
		f := s.finding("plain-secret", diag.Error, "service.environments", v.Value, hint, message)
		f.Excerpt = masked(f.Excerpt, v.Value)
		all = append(all, f)
	}
	return all
}

// plainPassword reports a URL whose password has literal characters.
func plainPassword(v Variable) bool {
	const resolved = "\x00"
	var b strings.Builder
	for _, part := range v.Parts {
		if part.Expression != "" {
			b.WriteString(resolved)
		}
		b.WriteString(part.Literal)
	}
	m := userInfo.FindStringSubmatch(b.String())
	return m != nil && strings.Trim(m[1], resolved) != ""
}

// masked hides the given place of a line.
func masked(line string, at Pos) string {
	text := []rune(line)
	for i := max(at.Column-1, 0); i < min(at.Column-1+at.Width, len(text)); i++ {
		text[i] = '*'
	}
	return string(text)
}

// trailingComment warns of what looks like a comment and is part of a value.
func trailingComment(s *Spec) diag.Findings {
	var all diag.Findings
	for _, v := range s.Environment {
		if line := s.lines[v.Value.Line-1]; strings.ContainsAny(column(line, v.Value.Column), `'"`) {
			continue // whoever quotes knows
		}
		if slices.ContainsFunc(v.Parts, func(p Part) bool { return strings.Contains(p.Literal, " #") }) {
			all = append(all, s.finding("comment-in-value", diag.Warning, "service.environments", v.Value,
				"put the comment on a line of its own, or the value in quotes", "what follows # is part of the value of "+v.Name))
		}
	}
	return all
}

// HTTPPort returns the port of HTTP_ADDRESS, and 0 where that is not known.
func (s *Spec) HTTPPort() int {
	for _, v := range s.Environment {
		if v.Name == "HTTP_ADDRESS" {
			port, _ := listenPort(v)
			return port
		}
	}
	return 0
}

// MetricsPort returns the port of METRICS_ADDRESS, whose default is :9090. It
// is 0 when Ansible decides.
func (s *Spec) MetricsPort() int {
	for _, v := range s.Environment {
		if v.Name == "METRICS_ADDRESS" {
			if port, known := listenPort(v); known {
				return port
			}
			return 0
		}
	}
	return DefaultProbePort
}

// listenPort returns the port of a variable that holds host:port, and whether
// it is known; it is not where an expression decides.
func listenPort(v Variable) (int, bool) {
	if len(v.Parts) == 0 {
		return 0, false
	}
	// An expression for the host only leaves the port in the text after it.
	text := v.Parts[len(v.Parts)-1].Literal
	colon := strings.LastIndexByte(text, ':')
	if colon < 0 {
		return 0, false
	}
	port, err := strconv.Atoi(text[colon+1:])
	return port, err == nil && port > 0 && port <= 65_535
}

// probePort finds a probe that asks where nothing listens. Where Ansible
// decides an address it keeps silent.
func probePort(s *Spec) diag.Findings {
	kind, port := s.Deploy.Probe.Type.Or(DefaultProbeType), s.Deploy.Probe.Port.Or(DefaultProbePort)
	if kind == "none" {
		return nil
	}
	if p := s.MetricsPort(); p == port || p == 0 {
		return nil
	}
	for _, v := range s.Environment {
		if !strings.HasSuffix(v.Name, "_ADDRESS") && v.Name != "ADDRESS" {
			continue
		}
		if p, known := listenPort(v); !known || p == port {
			return nil
		}
	}
	at := s.Deploy.Probe.Port.At
	if !s.Deploy.Probe.Port.Set {
		for _, v := range s.Environment {
			if v.Name == "METRICS_ADDRESS" {
				at = v.Value
			}
		}
	}
	return diag.Findings{s.finding("probe-port", diag.Error, "service.deploy.probe.port", at,
		"set deploy.probe.port to the port of METRICS_ADDRESS or of another …_ADDRESS variable",
		fmt.Sprintf("the probe asks port %d, where the service does not listen", port))}
}
