// Package spec reads spec.yml. Start at [Check], which returns the [Spec] and
// everything that is wrong with it; [Parse] is the same without the advice of
// the lint rules, for a spec that has been released already.
//
// The package is pure: it takes bytes and returns values. Every value keeps
// its place in the file, so that whatever is found later can point at it.
// schema.go says which keys there are, parse.go walks the file by it, value.go
// and the files named after a kind of value read single values,
// environment.go the block of variables, validate.go checks what takes more
// than one key, and lint.go holds the rules.
package spec

import "time"

// Spec is spec.yml as its author wrote it. A value that is not Set has no
// place; its default is settled by package plan.
type Spec struct {
	File   string // as the user named it
	Source []byte // as it was read

	Name        Value[string]
	Group       Value[string]
	Description Value[string]
	Maintainer  Value[string] // "Name <address>"
	License     Value[string]
	Homepage    Value[string]
	Build       Build
	Deploy      Deploy
	Limits      Limits
	Resources   []Value[string]
	Environment []Variable
	Requires    Requires
	Exec        Exec
	Security    Security
	// Capabilities are names of capabilities(7).
	Capabilities []Value[string]
	State        Value[bool]
	Cache        Value[bool]
	Sockets      []Value[Socket]
	Timers       []Timer
	Files        []File
	Alerts       []Alert
	Routes       []Route

	lines   []string        // of the source, for excerpts
	keys    map[string]Pos  // where each key stands, by its path
	misread map[string]bool // rules about what is missing, where it may be what was misspelt
	widths  map[int]int     // characters of long lines
	inText  []bool          // by line: inside of a value; nil when no comment matters
	remarks map[int]bool    // lines that are comments of the block of variables
	secrets []secret
	hidden  map[int][]Pos  // secrets, by line
	shown   map[int]string // excerpts made so far
	dropped int            // findings beyond MaxFindings
}

// Build is where the program comes from.
type Build struct {
	Main     Value[string]
	Generate Value[bool]
	Binary   Value[string]
	Archive  Value[string]
	SHA256   []Checksum
	Arch     []Value[string]
}

// Checksum is the digest of build.archive for one architecture.
type Checksum struct {
	Arch string // "amd64"; "" is for all
	Sum  Value[string]
}

// Deploy is how a release spreads and is judged.
type Deploy struct {
	Serial      Value[[]string] // "1", "25%"
	Probe       Probe
	Drain       Value[time.Duration]
	Before      Value[Command]
	OnFailure   Value[string] // "stop" or "revert"
	Overlap     Value[bool]   // see Spec.Overlaps
	NUMANetdevs []Value[string]
}

// Probe is deploy.probe.
type Probe struct {
	Type    Value[string] // "http", "tcp", "exec" or "none"
	Port    Value[int]
	Path    Value[string]
	Status  Value[int]
	Command Value[Command]
	Timeout Value[time.Duration]
	Settle  Value[time.Duration]
	Version Value[bool]
}

// Limits is what the service, or one of its timers, may use.
type Limits struct {
	Mem         Value[string] // a systemd size, "500M", or "unlimited"
	NoFile      Value[int]
	NProc       Value[int]
	Nice        Value[int]
	AllowedCPUs Value[string] // "0-3,8"
	CPU         Value[string] // "150%"
}

// Requires is required_packages: for every distribution, or for each its own.
type Requires struct {
	All            []Value[Package]
	ByDistribution []Distribution
}

// Distribution is one entry of required_packages when that is a map.
type Distribution struct {
	Name     Value[string] // "debian12"
	Packages []Value[Package]
}

// Package is another package, and which versions of it will do.
type Package struct {
	Name     string
	Relation string // "", or one of >= <= > < =
	Version  string
}

// Exec is what systemd runs.
type Exec struct {
	Start  Value[Command]
	None   bool // start: none
	Stop   Value[Signal]
	Reload Value[Signal]
	Type   Value[string] // "exec" or "notify"
}

// Signal is a signal to the main process, or a command that does its work.
// Exactly one field is set.
type Signal struct {
	Name    string // "SIGINT"
	Command Command
}

// Command is a command line: words of parts.
type Command []Word

// Word is one argument of a command.
type Word []WordPart

// WordPart is a piece of a word. Exactly one field is set, or neither for "".
type WordPart struct {
	Literal  string
	Variable string // of the process's environment
}

// Security is who the service runs as, and what it may do.
type Security struct {
	Owner, Group Value[string]
	Allow        []Value[Loosening]
	Credentials  []Value[string] // names of systemd.exec(5), LoadCredentialEncrypted=
}

// Loosening is one entry of security.allow.
type Loosening struct {
	Name   string
	Values []string // nil for one that takes none
}

// Socket is one entry of sockets.
type Socket struct {
	Protocol string // "tcp", "udp" or "unix"
	Address  string // as ListenStream= takes it: "8080", "127.0.0.1:53", "/run/x/y.sock"
	Port     int    // 0 for unix
}

// Timer is one entry of timers.
type Timer struct {
	Name       Value[string]
	OnCalendar Value[string]
	Exec       Value[Command]
	Limits     Limits
}

// File is one entry of files.
type File struct {
	Source, Destination Value[string]
	Mode                Value[int] // permission bits
	Type                Value[string]
}

// Alert is one entry of alerts.
type Alert struct {
	Name     Value[string]
	Expr     Value[string]
	For      Value[time.Duration]
	Severity Value[string]
	Summary  Value[string]
}

// Route is one entry of routes.
type Route struct {
	Host Value[string]
	Path Value[string]
	Port Value[int]
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
	DefaultMain          = "."
	DefaultLicense       = "proprietary"
	DefaultSerial        = "1"
	DefaultProbeType     = "http"
	DefaultProbePort     = 9090
	DefaultProbePath     = "/metrics"
	DefaultProbeStatus   = 200
	DefaultProbeTimeout  = 60 * time.Second
	DefaultProbeSettle   = 5 * time.Second
	DefaultProbeVersion  = true
	DefaultOnFailure     = "stop"
	DefaultMem           = "512M"
	DefaultNoFile        = 65_536
	DefaultNProc         = 4096
	DefaultStop          = "SIGINT"
	DefaultType          = "exec"
	DefaultFileMode      = 0o644
	DefaultAlertSeverity = "warning"
	DefaultRoutePath     = "/"
	DefaultMetricsListen = ":9090"
)
