// Package spec reads spec.yml. Start at [Check], which returns the [Spec] and
// everything that is wrong with it; [Parse] is the same without the advice of
// the lint rules, for a spec that has been released already.
//
// The package is pure: it takes bytes and returns values. Every value keeps
// its place in the file, so that whatever is found later can point at it.
// schema.go says which keys there are, parse.go walks the file by it, value.go
// reads single values, environment.go the block of variables, validate.go
// checks what takes more than one key, and lint.go holds the rules.
package spec

import (
	"regexp"
	"time"
)

// Spec is spec.yml as its author wrote it. A value that is not Set has no
// place; its default is settled by package plan.
type Spec struct {
	File   string // as the user named it
	Source []byte // as it was read

	Name        Value[string]
	Group       Value[string]
	Description Value[string]
	Serial      Value[[]string] // "1", "25%"
	Probe       Probe
	Limits      Limits
	Resources   []Value[string]
	Environment []Variable

	lines []string       // of the source, for excerpts
	keys  map[string]Pos // where each key stands, by its path
}

// Probe is deploy.probe.
type Probe struct {
	Type    Value[string] // "http", "tcp" or "none"
	Port    Value[int]
	Path    Value[string]
	Status  Value[int]
	Timeout Value[time.Duration]
	Settle  Value[time.Duration]
	Version Value[bool]
}

// Limits is what the service may use.
type Limits struct {
	Mem    Value[string] // a systemd size, "500M", or "unlimited"
	NoFile Value[int]
}

// Value is one value and its place.
type Value[T any] struct {
	V   T
	Set bool
	At  Pos
}

// Or returns the value, or the default when the file does not say.
func (v Value[T]) Or(def T) T {
	if v.Set {
		return v.V
	}
	return def
}

// Pos is a place in the file: line and column from 1, in characters, and the
// number of characters that are meant.
type Pos struct{ Line, Column, Width int }

// Defaults of the keys that have one.
const (
	DefaultSerial        = "1"
	DefaultProbeType     = "http"
	DefaultProbePort     = 9090
	DefaultProbePath     = "/metrics"
	DefaultProbeStatus   = 200
	DefaultProbeTimeout  = 60 * time.Second
	DefaultProbeSettle   = 5 * time.Second
	DefaultProbeVersion  = true
	DefaultMem           = "512M"
	DefaultNoFile        = 65_536
	DefaultTasks         = 4096
	DefaultMetricsListen = ":9090"
)

// key is one key of the file.
type key struct {
	name     string
	doc      string // one line, for people
	required bool
	value    reader
}

// schema is the whole file: every key, what it means and how its value is
// read into s.
func schema(s *Spec) object {
	return object{{name: "service", doc: "everything that the operation of the service needs", required: true, value: object{
		{"name", "package, unit, user and binary name", true, text{to: &s.Name, like: namePattern, hint: "2 to 31 lower-case letters, digits and -, a letter first", max: 31}},
		{"group", "inventory group that runs it", true, text{to: &s.Group, like: groupPattern, hint: "lower-case letters, digits and _, a letter first: Ansible takes no - in a group", max: 63}},
		{"description", "what it is, in one line", true, text{to: &s.Description, max: 200}},
		{"deploy", "how a release spreads and is judged", false, object{
			{"serial", `hosts at a time: a number, "25%", or a list of them`, false, serial{&s.Serial}},
			{"probe", "what tells a healthy service from a sick one", false, object{
				{"type", "http, tcp or none", false, choice{&s.Probe.Type, []string{"http", "tcp", "none"}}},
				{"port", "where the probe connects to", false, integer{&s.Probe.Port, 1, 65_535}},
				{"path", "what an http probe asks for", false, text{to: &s.Probe.Path, like: pathPattern, hint: "a path like /metrics, without a host, blanks and quotes", max: 200}},
				{"status", "the HTTP status of a healthy answer", false, integer{&s.Probe.Status, 100, 599}},
				{"timeout", "how long a new version may take to be healthy", false, duration{&s.Probe.Timeout, time.Second, time.Hour}},
				{"settle", "how long it must stay healthy after that", false, duration{&s.Probe.Settle, 0, 10 * time.Minute}},
				{"version", "whether build_info on the metrics port must name the version", false, boolean{&s.Probe.Version}},
			}},
		}},
		{"limits", "what the service may use", false, object{
			{"mem", "memory: 500M, 1G or unlimited", false, size{&s.Limits.Mem}},
			{"no_file", "open files", false, integer{&s.Limits.NoFile, 64, 1 << 20}},
		}},
		{"resources", "what it connects to; each adds its connection variables", false, names{&s.Resources}},
		{"environments", "block of KEY=value lines, as systemd reads an EnvironmentFile", false, environment{&s.Environment}},
	}}}
}

var (
	// Debian packages, systemd units and Unix users all take such a name.
	namePattern = regexp.MustCompile(`^[a-z][a-z0-9-]{1,30}$`)
	// What Ansible takes as a group without a warning.
	groupPattern = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	// Path and query of RFC 3986 without quotes and fragments.
	pathPattern = regexp.MustCompile(`^/[A-Za-z0-9._~!$&()*+,;=:@/?%-]*$`)
)
