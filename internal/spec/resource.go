package spec

import (
	"slices"
	"strings"

	"github.com/kinectl/kinectl/internal/diag"
)

// Resource is a kind of thing that services connect to.
type Resource struct {
	Kind     string // as it stands under `resources`
	Variable string // what the service reads
	Needs    string // the Ansible variable that holds the value
}

// Resources are the kinds that kinectl knows. The connection string of each
// comes from the infra repository, so that no spec holds an address.
func Resources() []Resource {
	return []Resource{
		{"clickhouse", "CLICKHOUSE_DSN", "clickhouse_dsn"},
		{"kafka", "KAFKA_BROKERS", "kafka_brokers"},
		{"memcached", "MEMCACHED_ADDRESSES", "memcached_addresses"},
		{"nats", "NATS_URL", "nats_url"},
		{"postgres", "POSTGRES_DSN", "postgres_dsn"},
		{"rabbitmq", "RABBITMQ_URL", "rabbitmq_url"},
		{"redis", "REDIS_URL", "redis_url"},
		{"sentinel", "SENTINEL_ADDRESSES", "sentinel_addresses"},
	}
}

// owns reports whether a variable belongs to the resource: it connects to it
// or tunes the connection.
func (r Resource) owns(v Variable) bool {
	if strings.HasPrefix(v.Name, strings.ToUpper(r.Kind)+"_") {
		return true
	}
	for _, part := range v.Parts {
		for _, name := range part.Needs {
			if name == r.Needs {
				return true
			}
		}
	}
	return false
}

// declares reports whether the spec lists a kind.
func (s *Spec) declares(kind string) bool {
	return slices.ContainsFunc(s.Resources, func(v Value[string]) bool { return v.V == kind })
}

// missingResource finds variables of a resource that is not declared: nobody
// would fill them, and nobody would see who depends on it.
func missingResource(s *Spec, kinds []Resource) diag.Findings {
	var all diag.Findings
	for _, v := range s.Environment {
		for _, r := range kinds {
			if r.owns(v) && !s.declares(r.Kind) {
				hint := "add - " + r.Kind + " to resources"
				if v.Name == r.Variable {
					hint += " and remove this line: its value is the variable " + r.Needs + " of the infra repository"
				}
				all = append(all, s.finding("missing-resource", diag.Error, "service.environments", v.At,
					hint, v.Name+" belongs to the resource "+r.Kind+", which is not listed"))
			}
		}
	}
	return all
}

// unknownResource finds kinds that kinectl does not know. One that is spelled
// almost like a known one is a slip; another is taken for one of the team's
// own, which only the infra repository knows.
func unknownResource(s *Spec, kinds []Resource) diag.Findings {
	var names []string
	for _, r := range kinds {
		names = append(names, r.Kind)
	}
	var all diag.Findings
	for _, used := range s.Resources {
		if slices.Contains(names, used.V) {
			continue
		}
		if best := nearest(used.V, names); best != "" {
			all = append(all, s.finding("unknown-resource", diag.Error, "service.resources", used.At, "did you mean "+best+"?", "there is no resource "+quoted(used.V)))
			continue
		}
		all = append(all, s.finding("unknown-resource", diag.Warning, "service.resources", used.At,
			"if it is one of your own it must be in resources.yml of the infra repository, which lint --infra checks; known are "+strings.Join(names, ", "),
			"kinectl does not know the resource "+quoted(used.V)))
	}
	return all
}

// unknownVariable finds commands with a variable that nobody sets: systemd
// would put nothing in its place.
func unknownVariable(s *Spec, kinds []Resource) diag.Findings {
	known := func(name string) bool {
		if slices.Contains(systemdVariables(), name) || slices.ContainsFunc(s.Environment, func(v Variable) bool { return v.Name == name }) {
			return true
		}
		for _, used := range s.Resources {
			i := slices.IndexFunc(kinds, func(r Resource) bool { return r.Kind == used.V })
			if i >= 0 && kinds[i].Variable == name || i < 0 && strings.HasPrefix(name, strings.ToUpper(used.V)+"_") {
				return true
			}
		}
		return false
	}
	var all diag.Findings
	for _, c := range s.commands() {
		for _, name := range c.line.V.variables() {
			switch {
			case name == "MAINPID" && c.signals, known(name):
			case name == "MAINPID":
				all = append(all, s.finding("unknown-variable", diag.Error, c.path, c.line.At, "only stop and reload have it", "there is no MAINPID yet when this command runs"))
			default:
				all = append(all, s.finding("unknown-variable", diag.Error, c.path, c.line.At,
					"set it in environments, or write \\$ for the character itself", "nobody sets the variable "+name))
			}
		}
	}
	return all
}

// systemdVariables are set by systemd itself (systemd.exec(5), "Environment
// variables in spawned processes").
func systemdVariables() []string {
	return []string{
		"PATH", "LANG", "USER", "LOGNAME", "HOME", "SHELL", "INVOCATION_ID", "XDG_RUNTIME_DIR", "RUNTIME_DIRECTORY",
		"STATE_DIRECTORY", "CACHE_DIRECTORY", "LOGS_DIRECTORY", "CONFIGURATION_DIRECTORY", "CREDENTIALS_DIRECTORY",
		"NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC", "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "JOURNAL_STREAM",
		"SERVICE_RESULT", "EXIT_CODE", "EXIT_STATUS", "SYSTEMD_EXEC_PID",
	}
}
