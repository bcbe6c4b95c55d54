package spec

import (
	"time"

	"github.com/kinectl/kinectl/internal/lazyregexp"
)

// key is one key of the file. What doc, def and example say is shown to
// people: in the reference, by editors, and in findings.
type key struct {
	name     string
	doc      string // what it means, in one line
	required bool
	def      string // what holds when it is left out; "" when nothing does, or when doc tells
	example  string // a value, as YAML in one line
	value    reader
}

// schema is the whole file: every key, what it means and how its value is
// read into s.
func schema(s *Spec) object {
	return object{{name: "service", doc: "everything that the operation of the service needs", required: true, value: object{
		{name: "name", doc: "package, unit, user and binary name", required: true, example: "my-api", value: text{to: &s.Name, like: namePattern, hint: "2 to 31 lower-case letters, digits and -, a letter first", max: 31}},
		{name: "group", doc: "inventory group that runs it", required: true, example: "applications", value: text{to: &s.Group, like: groupPattern, hint: "lower-case letters, digits and _, a letter first: Ansible takes no - in a group", max: 63}},
		{name: "description", doc: "what it is, in one line", required: true, example: `"Catalogue of films"`, value: text{to: &s.Description, max: 200}},
		{name: "maintainer", doc: "whom to ask, for the package", def: "the group", example: "Films <films@example.com>", value: text{to: &s.Maintainer, like: maintainerPattern, hint: "like Films <films@example.com>", max: 200}},
		{name: "license", doc: "SPDX identifier of the license, for the package", def: DefaultLicense, example: "Apache-2.0", value: text{to: &s.License, like: licensePattern, hint: "like Apache-2.0 or MIT, see spdx.org/licenses", max: 60}},
		{name: "homepage", doc: "where to read more, for the package", example: "https://example.com/films", value: text{to: &s.Homepage, like: homepagePattern, hint: "like https://example.com/films", max: 200}},
		{name: "build", doc: "where the program comes from", value: buildKeys(&s.Build)},
		{name: "deploy", doc: "how a release spreads and is judged", value: deployKeys(&s.Deploy)},
		{name: "limits", doc: "what the service may use", value: limitKeys(&s.Limits)},
		{name: "resources", doc: "what it connects to; each adds its connection variables", example: "[postgres, nats]", value: names{to: &s.Resources, like: resourcePattern, hint: "lower-case letters, digits and _, a letter first"}},
		{name: "environments", doc: "block of KEY=value lines, as systemd reads an EnvironmentFile", example: "LOG_LEVEL={{ log_level }}", value: environment{&s.Environment}},
		{name: "required_packages", doc: "system packages that it depends on: a list, or a map of lists by distribution", example: `[ca-certificates, "libvips42 >= 8.14"]`, value: requires{&s.Requires}},
		{name: "exec", doc: "what systemd runs", value: execKeys(&s.Exec)},
		{name: "security", doc: "who the service runs as, and what it may do", value: object{
			{name: "owner", doc: "user, made by the package", def: "the name", example: "films", value: text{to: &s.Security.Owner, like: userPattern, hint: "lower-case letters, digits, _ and -, a letter first", max: 31}},
			{name: "group", doc: "group of that user, made by the package", def: "the owner", example: "films", value: text{to: &s.Security.Group, like: userPattern, hint: "lower-case letters, digits, _ and -, a letter first", max: 31}},
			{name: "allow", doc: "loosenings of the sandbox, each by its name", example: "[netlink, {write: [/srv/films]}]", value: allow{&s.Security.Allow}},
			{name: "credentials", doc: "files of the host, /etc/credstore.encrypted/NAME.CREDENTIAL, that systemd decrypts for the service alone, as $CREDENTIALS_DIRECTORY/CREDENTIAL", example: "[vault-password]", value: names{to: &s.Security.Credentials, like: credentialPattern, hint: "lower-case letters, digits and -, a letter first, at most 40"}},
		}},
		{name: "capabilities", doc: "capabilities(7) that it keeps; all others are dropped", example: "[CAP_NET_BIND_SERVICE]", value: capabilities{&s.Capabilities}},
		{name: "state", doc: "whether it owns /var/lib/NAME", def: "false", example: "true", value: boolean{&s.State}},
		{name: "cache", doc: "whether it owns /var/cache/NAME", def: "false", example: "true", value: boolean{&s.Cache}},
		{name: "sockets", doc: "addresses that systemd listens on and hands over, so that a restart refuses no connection", example: `[":8080", "udp://:53", /run/films/api.sock]`, value: sockets{&s.Sockets}},
		{name: "timers", doc: "scheduled tasks of the same binary", value: list[Timer]{&s.Timers, timerKeys}},
		{name: "files", doc: "more files for the package", value: list[File]{&s.Files, fileKeys}},
		{name: "alerts", doc: "more alerting rules for Prometheus, beside the standard ones", value: list[Alert]{&s.Alerts, alertKeys}},
		{name: "routes", doc: "what the hosts of the inventory group `proxy`, nginx or HAProxy, send here", value: list[Route]{&s.Routes, routeKeys}},
	}}}
}

func buildKeys(b *Build) object {
	return object{
		{name: "main", doc: "Go package to build, relative to the spec", def: DefaultMain, example: "./cmd/films", value: text{to: &b.Main, like: relativePattern, hint: "a path inside of the spec's folder, like ./cmd/films", max: 200}},
		{name: "generate", doc: "whether `go generate` runs in the folder of main before the build, with kinectl first in its PATH", def: "false", example: "true", value: boolean{&b.Generate}},
		{name: "binary", doc: "program built already, relative to the spec, or inside of the archive; may hold {version} and {arch}", example: "dist/films-{arch}", value: text{to: &b.Binary, like: relativePattern, hint: "a path inside of the spec's folder or of the archive", max: 200}},
		{name: "archive", doc: "upstream's .tar.gz, .tar.zst, .tar.xz or .zip, or the bare program: https URL, or path relative to the spec; may hold {version} and {arch}", example: "https://example.com/films-{version}.linux-{arch}.tar.gz", value: text{to: &b.Archive, like: archivePattern, hint: "an https URL, or a path inside of the spec's folder", max: 500}},
		{name: "sha256", doc: "SHA-256 of the archive: one, or a map by architecture", example: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", value: checksums{&b.SHA256}},
		{name: "arch", doc: "architectures to build for", def: "[amd64]", example: "[amd64, arm64]", value: names{to: &b.Arch, of: []string{"amd64", "arm64"}}},
	}
}

func deployKeys(d *Deploy) object {
	return object{
		{name: "serial", doc: `hosts at a time: a number, "25%", or a list of them`, def: DefaultSerial, example: `[1, "25%", "100%"]`, value: serial{&d.Serial}},
		{name: "probe", doc: "what tells a healthy service from a sick one", value: object{
			{name: "type", doc: "what is asked: an HTTP path, a TCP port, a command, or nothing but systemd", def: DefaultProbeType, example: "tcp", value: choice{&d.Probe.Type, []string{"http", "tcp", "exec", "none"}}},
			{name: "port", doc: "where the probe connects to", def: "that of METRICS_ADDRESS, or 9090", example: "8081", value: integer{&d.Probe.Port, 1, 65_535}},
			{name: "path", doc: "what an http probe asks for", def: DefaultProbePath, example: "/ready", value: text{to: &d.Probe.Path, like: pathPattern, hint: "a path like /metrics, without a host, blanks and quotes", max: 200}},
			{name: "status", doc: "the HTTP status of a healthy answer", def: "200", example: "204", value: integer{&d.Probe.Status, 100, 599}},
			{name: "command", doc: "what an exec probe runs, as the service's user and in its sandbox; 0 is healthy", example: "/usr/bin/films check", value: command{to: &d.Probe.Command}},
			{name: "timeout", doc: "how long a new version may take to be healthy", def: "60s", example: "2m", value: duration{&d.Probe.Timeout, time.Second, time.Hour}},
			{name: "settle", doc: "how long it must stay healthy after that", def: "5s", example: "0s", value: duration{&d.Probe.Settle, 0, 10 * time.Minute}},
			{name: "version", doc: "whether build_info on the metrics port must name the version", def: "true", example: "false", value: boolean{&d.Probe.Version}},
		}},
		{name: "drain", doc: "how long the host is out of traffic before a restart", def: "0s; 3s with `routes`, unless `overlap` does without", example: "10s", value: duration{&d.Drain, 0, 10 * time.Minute}},
		{name: "before", doc: "command of the new version that runs once a deploy, on the first host, before any restart", example: "/usr/bin/films migrate", value: command{to: &d.Before}},
		{name: "on_failure", doc: "what becomes of the hosts that have the new version when the next one fails", def: DefaultOnFailure, example: "revert", value: choice{&d.OnFailure, []string{"stop", "revert"}}},
		{name: "overlap", doc: "whether the next instance answers on the service's `sockets` while it restarts", def: "true with `sockets`, unless it has a state or ports of its own", example: "false", value: boolean{&d.Overlap}},
		{name: "numa_netdevs", doc: "network interfaces whose NUMA node the service is bound to", example: "[eth0]", value: names{to: &d.NUMANetdevs, like: netdevPattern, hint: "the name of a network interface, like eth0"}},
	}
}

func limitKeys(l *Limits) object {
	return object{
		{name: "mem", doc: "memory: 500M, 1G or unlimited", def: DefaultMem, example: "1G", value: size{&l.Mem}},
		{name: "no_file", doc: "open files", def: "65_536", example: "10_000", value: integer{&l.NoFile, 64, 1 << 20}},
		{name: "nproc", doc: "tasks: processes and threads", def: "4096", example: "1000", value: integer{&l.NProc, 8, 1 << 20}},
		{name: "nice", doc: "scheduling priority: -20 goes first, 19 last", def: "0", example: "-5", value: integer{&l.Nice, -20, 19}},
		{name: "allowed_cpus", doc: "the CPUs it may run on", def: "all", example: `"0-3"`, value: cpus{&l.AllowedCPUs}},
		{name: "cpu", doc: "CPU time: 1.5 or 150% is that of one and a half CPUs", def: "no quota", example: "1.5", value: quota{&l.CPU}},
	}
}

func execKeys(e *Exec) object {
	return object{
		{name: "start", doc: "command line, or none for a package of jobs or files only", def: "/usr/bin/NAME", example: "/usr/bin/films --listen=${HTTP_ADDRESS}", value: command{to: &e.Start, none: &e.None}},
		{name: "stop", doc: "signal or command that ends it", def: DefaultStop, example: "SIGTERM", value: signal{&e.Stop}},
		{name: "reload", doc: "signal or command that makes it read its configuration again", def: "none", example: "SIGHUP", value: signal{&e.Reload}},
		{name: "type", doc: "notify when the program tells systemd that it is ready (sd_notify(3)), else exec", def: DefaultType, example: "notify", value: choice{&e.Type, []string{"exec", "notify"}}},
	}
}

func timerKeys(t *Timer) object {
	return object{
		{name: "name", doc: "of the task; its units are NAME-TASK", required: true, example: "cleanup", value: text{to: &t.Name, like: taskPattern, hint: "lower-case letters, digits and -, a letter first", max: 30}},
		{name: "on_calendar", doc: "when it runs, as systemd.time(7) writes it", required: true, example: "daily", value: calendar{&t.OnCalendar}},
		{name: "exec", doc: "its command line", def: "/usr/bin/NAME TASK", example: "/usr/bin/films cleanup --all", value: command{to: &t.Exec}},
		{name: "limits", doc: "what the task may use", def: "the limits of the service", value: limitKeys(&t.Limits)},
	}
}

func fileKeys(f *File) object {
	return object{
		{name: "src", doc: "file or folder, relative to the spec", required: true, example: "assets/logo.png", value: text{to: &f.Source, like: relativePattern, hint: "a path inside of the spec's folder, like assets/logo.png", max: 200}},
		{name: "dst", doc: "where it goes on the host", required: true, example: "/usr/share/films/logo.png", value: text{to: &f.Destination, like: absolutePattern, hint: "an absolute path, like /usr/share/films/logo.png", max: 200}},
		{name: "mode", doc: "its permissions", def: `"0644", or the file's own when it can be executed`, example: `"0640"`, value: mode{&f.Mode}},
		{name: "type", doc: "config is kept when a person has changed it", def: "file", example: "config", value: choice{&f.Type, []string{"file", "config"}}},
	}
}

func alertKeys(a *Alert) object {
	return object{
		{name: "name", doc: "of the alert", required: true, example: "FilmsQueueTooLong", value: text{to: &a.Name, like: alertPattern, hint: "letters and digits, like QueueTooLong", max: 60}},
		{name: "expr", doc: "PromQL: it fires where this has a value", required: true, example: "films_queue_length > 100", value: text{to: &a.Expr, max: 1000}},
		{name: "for", doc: "how long that must be so", def: "0s", example: "5m", value: duration{&a.For, 0, 24 * time.Hour}},
		{name: "severity", doc: "label that says whom it wakes up", def: DefaultAlertSeverity, example: "critical", value: choice{&a.Severity, []string{"info", "warning", "critical"}}},
		{name: "summary", doc: "one line for whoever is woken up", def: "the name", example: `"More than 100 films wait"`, value: text{to: &a.Summary, max: 200}},
	}
}

func routeKeys(r *Route) object {
	return object{
		{name: "host", doc: "host name that the proxy answers for", required: true, example: "films.example.com", value: text{to: &r.Host, like: hostPattern, hint: "a host name, like films.example.com", max: 253}},
		{name: "path", doc: "prefix of the paths", def: DefaultRoutePath, example: "/api", value: text{to: &r.Path, like: pathPattern, hint: "a path like /api", max: 200}},
		{name: "port", doc: "where the service listens for it", def: "that of HTTP_ADDRESS", example: "8080", value: integer{&r.Port, 1, 65_535}},
	}
}

var (
	// Debian packages, systemd units and Unix users all take such a name.
	namePattern = lazyregexp.New(`^[a-z][a-z0-9-]{1,30}$`)
	// What Ansible takes as a group without a warning.
	groupPattern = lazyregexp.New(`^[a-z][a-z0-9_]*$`)
	// Path and query of RFC 3986 without quotes and fragments.
	pathPattern       = lazyregexp.New(`^/[A-Za-z0-9._~!$&()*+,;=:@/?%-]*$`)
	maintainerPattern = lazyregexp.New(`^[^<>@"\\]+ <[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+>$`)
	licensePattern    = lazyregexp.New(`^[A-Za-z0-9.+-]+( (AND|OR|WITH) [A-Za-z0-9.+-]+)*$`)
	homepagePattern   = lazyregexp.New(`^https?://[A-Za-z0-9._~!$&'()*+,;=:@/?%#-]+$`)
	resourcePattern   = lazyregexp.New(`^[a-z][a-z0-9_]{0,30}$`)
	// By sysusers.d(5), and useradd's own rule.
	userPattern       = lazyregexp.New(`^[a-z][a-z0-9_-]*$`)
	capabilityPattern = lazyregexp.New(`^CAP_[A-Z_]+$`)
	// An interface's name has at most 15 bytes (netdevice(7)).
	netdevPattern = lazyregexp.New(`^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$`)
	taskPattern   = lazyregexp.New(`^[a-z][a-z0-9-]*$`)
	// A part of the name of a file, and a word in systemd's and a shell's lists.
	credentialPattern = lazyregexp.New(`^[a-z][a-z0-9-]{0,39}$`)
	alertPattern      = lazyregexp.New(`^[A-Za-z][A-Za-z0-9_]*$`)
	hostPattern       = lazyregexp.New(`^(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$`)
	// Letters of paths that need no quoting anywhere; {} are for {version} and {arch}.
	relativePattern = lazyregexp.New(`^[A-Za-z0-9._{][A-Za-z0-9._+@{}/-]*$`)
	absolutePattern = lazyregexp.New(`^/[A-Za-z0-9._+@-]+(/[A-Za-z0-9._+@-]+)*/?$`)
	archivePattern  = lazyregexp.New(`^(https://[A-Za-z0-9._~:@/?%&=+{}-]+|[A-Za-z0-9._{][A-Za-z0-9._+@{}/-]*)$`)
)
