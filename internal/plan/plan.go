// Package plan resolves a spec and the facts of one release into a [Plan]:
// plain data in which every default is settled. Start at [Build].
//
// A plan can be printed, compared and rendered; nothing after this package
// looks at the spec again, and nothing in it depends on a host.
package plan

import (
	"time"

	"github.com/kinectl/kinectl/internal/version"
)

// Plan is everything that the artifacts of one release of one service need.
type Plan struct {
	Name        string // package, unit, user and binary
	Group       string // inventory group
	Description string // one line
	Version     version.Version
	BuildTime   time.Time // of the commit; UTC; goes into every file time
	Unit        Unit
	Deploy      Deploy
	Environment []Variable // in the order of the spec, resources first
	Needs       []string   // names of Ansible variables that Environment uses, sorted, each once
	Spec        []byte     // the source, carried in the package as it was read
}

// Unit is the systemd service.
type Unit struct {
	User, Group string
	Start       string // command line of ExecStart=
	StopSignal  string // "SIGINT"
	Type        string // "exec"
	MemoryMax   string // systemd size: "1G"; "infinity" when unlimited
	NoFile      int    // LimitNOFILE=
	TasksMax    int
}

// Deploy is how a release spreads and how its health is judged.
type Deploy struct {
	Serial []string // batches as Ansible takes them: "1", "25%"; never empty
	Probe  Probe
}

// Probe tells a healthy service from a sick one.
type Probe struct {
	Type    string        // "http", "tcp" or "none"
	Port    int           // 0 when Type is none
	Path    string        // starts with "/"; http only
	Status  int           // expected HTTP status
	Timeout time.Duration // in all, until the first three good probes in a row
	Settle  time.Duration // how long it must stay healthy after that
	Version bool          // build_info on the metrics port must name the version
	Metrics int           // metrics port, for Version
}

// Variable is one line of the environment file: a name and a value made of
// literal text and Ansible expressions.
type Variable struct {
	Name  string
	Parts []Part
}

// Part is a piece of a value. Exactly one field is set, or neither for "".
type Part struct {
	Literal    string // taken as it is, not yet quoted for systemd
	Expression string // inside of {{ }}, resolved by Ansible
}
