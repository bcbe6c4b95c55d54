// Package plan resolves a spec and the facts of one release into a [Plan]:
// plain data in which every default is settled. Start at [Build].
//
// A plan can be printed, compared and rendered; nothing after this package
// looks at the spec again, and nothing in it depends on a host.
package plan

import (
	"io/fs"
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
	Program     Program
	Package     Package
	Unit        Unit
	Sockets     []Socket // what systemd listens on for the service
	Ports       []string // TCP addresses on which the service certainly listens: "*:8080", "127.0.0.1:9090"
	Timers      []Timer
	Deploy      Deploy
	Environment []Variable // in the order of the spec, resources first
	Needs       []string   // names of Ansible variables that Environment uses, sorted, each once
	Secrets     []string   // names of vault_… variables that it uses or may use, sorted, each once
	Resources   []string   // names of Ansible variables that say where a resource is, in the order of the spec
	Alerts      []Alert    // beside the standard set
	Routes      []Route
	Spec        []byte // the source, carried in the package as it was read
}

// Program is where the program comes from. Exactly one of Main and Binary is
// set, or neither for a package of files only; with Archive, Binary is a path
// inside of it.
type Program struct {
	Main     string            // Go package, relative to the spec
	Generate bool              // go generate runs there before the build
	Binary   string            // program built already, relative to the spec
	Archive  string            // upstream's file: a URL, or a path relative to the spec
	SHA256   map[string]string // of Archive, by architecture ("amd64"); "" is for all
	Archs    []string          // as Go calls them, sorted; never empty
}

// Package is what the package says of itself, and carries besides the program
// and the units.
type Package struct {
	Maintainer string // "Name <address>"
	License    string // SPDX identifier, or "proprietary"
	Homepage   string // URL; may be empty
	Depends    []Dependency
	// ByDistribution has more dependencies for each distribution ("debian12"). When
	// it is not empty there is one package for each, told apart by its version.
	ByDistribution map[string][]Dependency
	Files          []File
}

// Dependency is another package, by the name that the distribution has for it.
type Dependency struct {
	Name     string
	Relation string // "", or one of >= <= > < =
	Version  string // empty when Relation is
}

// File is one more file or folder of the package.
type File struct {
	Source      string // relative to the spec
	Destination string // absolute
	Mode        fs.FileMode
	Config      bool // kept when a person has changed it
}

// Unit is the systemd service, and what its timers share with it.
type Unit struct {
	User, Group string
	Start       Command // of ExecStart=; nil for a package of jobs or files only
	Stop        Command // of ExecStop=; nil when StopSignal is enough
	StopSignal  string  // "SIGINT"
	Reload      Command // of ExecReload=; may be nil
	Type        string  // "exec" or "notify"
	Limits      Limits
	State       bool // owns /var/lib/NAME
	Cache       bool // owns /var/cache/NAME
	Sandbox     Sandbox
	Credentials []string // names; their files are /etc/credstore.encrypted/NAME.CREDENTIAL
}

// Runs reports whether there is a service to start, and not only jobs or files.
func (u Unit) Runs() bool { return u.Start != nil }

// Limits is what one unit may use.
type Limits struct {
	MemoryMax   string // systemd size: "1G"; "infinity" when unlimited
	NoFile      int    // LimitNOFILE=
	TasksMax    int
	Nice        int    // -20 to 19; 0 is systemd's own default
	AllowedCPUs string // "0-3,8"; empty for all
	CPUQuota    string // "150%"; empty for no quota
}

// Sandbox is what the unit may do beyond what every service may.
type Sandbox struct {
	Capabilities []string // "CAP_NET_BIND_SERVICE"
	Allow        []Loosening
}

// Loosening is one entry of security.allow.
type Loosening struct {
	Name   string   // "jit", "devices"
	Values []string // "/dev/dri"; nil for one that takes none
}

// Command is a command line: words of parts. A Part's Variable is one of the
// process's environment (or MAINPID), which systemd puts in its place.
type Command []Word

// Word is one argument of a command.
type Word []WordPart

// WordPart is a piece of a word. Exactly one field is set, or neither for "".
type WordPart struct {
	Literal  string // taken as it is, not yet escaped for systemd
	Variable string // name of a variable of the environment
}

// Socket is one address that systemd listens on (systemd.socket(5)).
type Socket struct {
	Protocol string // "tcp", "udp" or "unix"
	Address  string // as ListenStream= takes it: "8080", "127.0.0.1:53", "[::1]:53", "/run/x/y.sock"
}

// Timer runs a command of the service at times of its own.
type Timer struct {
	Name       string // of the task; its units are NAME-TASK.timer and .service
	OnCalendar string // systemd.time(7)
	Exec       Command
	Limits     Limits
}

// Deploy is how a release spreads and how its health is judged.
type Deploy struct {
	Serial      []string // batches as Ansible takes them: "1", "25%"; never empty
	Probe       Probe
	Drain       time.Duration // out of traffic before a restart
	Before      Command       // run once, on the first host, before any restart; may be nil
	OnFailure   string        // "stop" or "revert"
	Overlap     bool          // NAME-next.service answers on the sockets while NAME.service restarts
	NUMANetdevs []string      // interfaces whose NUMA node the service is bound to
}

// Probe tells a healthy service from a sick one.
type Probe struct {
	Type    string        // "http", "tcp", "exec" or "none"
	Port    int           // 0 when Type is exec or none
	Path    string        // starts with "/"; http only
	Status  int           // expected HTTP status
	Command Command       // exec only
	Timeout time.Duration // in all, until the first three good probes in a row
	Settle  time.Duration // how long it must stay healthy after that
	Version bool          // build_info on the metrics port must name the version
	Metrics int           // metrics port, for Version and for Prometheus; 0 when there are no metrics
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

// Alert is one more alerting rule for Prometheus.
type Alert struct {
	Name     string // "QueueTooLong"
	Expr     string // PromQL
	For      time.Duration
	Severity string // label: "warning" or "critical"
	Summary  string // one line for whoever is woken up
}

// Route is what the proxy of the group sends to the service.
type Route struct {
	Host string // "api.example.com"
	Path string // prefix, starts with "/"
	Port int    // where the service listens for it
}
