package spec

import "github.com/kinectl/kinectl/internal/diag"

// Rule is one kind of finding. docs/findings.md shows each with a wrong and a
// right example.
type Rule struct {
	Name     string
	Severity diag.Severity
	Doc      string // what it finds, in one line
	// Silenceable says whether a comment in the spec may switch it off. What
	// keeps a spec from being used, or would be wrong for everybody, is not.
	Silenceable bool
	// Beyond says that it takes more than this spec to see: other specs, or
	// the infra repository. Without them its silence is not held unused.
	Beyond bool
}

// Rules returns every rule there is, by subject.
func Rules() []Rule {
	const e, w, n = diag.Error, diag.Warning, diag.Note
	const silenceable, beyond = true, true
	return []Rule{
		// The file.
		{"too-large", e, "a file of more than one mebibyte", false, false},
		{"too-complex", e, "more than 20,000 items, or more than 20 levels of nesting", false, false},
		{"syntax", e, "a file that is no YAML", false, false},
		{"bad-character", e, "a byte that is no UTF-8, or a character that moves lines or cursors", false, false},
		{"several-documents", e, "a second YAML document", false, false},
		{"no-aliases", e, "an anchor or an alias", false, false},
		{"no-tags", e, "a tag such as !!str", false, false},
		{"too-many", e, "how many more findings there are than are shown", false, false},

		// Keys.
		{"missing-key", e, "a required key that is not there", false, false},
		{"unknown-key", e, "a key that does not exist, here or at all", false, false},
		{"duplicate-key", e, "a key that is given twice", false, false},
		{"unused-key", e, "a key that another one leaves without meaning", false, false},
		{"contradiction", e, "keys that exclude each other", false, false},

		// Values.
		{"wrong-type", e, "a value of another type than the key takes", false, false},
		{"missing-value", e, "an empty value", false, false},
		{"bad-value", e, "a value that the key does not take", false, false},
		{"out-of-range", e, "a number, size, time or length beyond its bounds", false, false},
		{"one-line", e, "more than a line where one is meant", false, false},
		{"duplicate-value", e, "an entry that a list has twice", false, false},
		{"reserved-name", e, "a name that is taken by the distribution, by kinectl or by another unit", false, false},
		{"bad-path", e, "a relative path that leaves its folder, or has a placeholder that nobody fills", false, false},
		{"reserved-path", e, "a destination that no package, or not this one, may own", false, false},
		{"missing-checksum", e, "an archive without a checksum for an architecture", false, false},
		{"bad-command", e, "a command line that cannot be split, or without an absolute path", false, false},
		{"bad-calendar", e, "a calendar expression that systemd would refuse", false, false},
		{"sockets-need-notify", e, "sockets with a service that does not say when it is ready", false, false},
		{"route-without-port", e, "a route whose port nobody knows", false, false},

		// The block of variables.
		{"bad-line", e, "a line that systemd would skip or read otherwise than it looks", false, false},
		{"bad-variable", e, "a name that no variable can have", false, false},
		{"duplicate-variable", e, "a variable that is set twice", false, false},
		{"unclosed-quote", e, "a quote that is never closed", false, false},
		{"bad-expression", e, "{{ }} that is more than a variable with filters", false, false},

		// Advice: well-formed and still wrong, or likely to be.
		{"no-memory-limit", w, "no memory limit, or none at all", silenceable, false},
		{"probe-port", e, "a probe that asks a port where nothing listens", silenceable, false},
		{"probe-socket", w, "a tcp probe of a port that systemd itself holds open", silenceable, false},
		{"drain-probe", e, "a probe that the drain itself makes fail", silenceable, false},
		{"port-clash", e, "two listeners on one port", silenceable, false},
		{"group-port-clash", e, "services of one group that listen on one port; a warning where a spec leaves METRICS_ADDRESS to its default", silenceable, beyond},
		{"unit-clash", e, "two services with one unit", silenceable, beyond},
		{"route-clash", e, "one route in two specs", silenceable, beyond},
		{"missing-resource", e, "a variable of a resource that is not listed", silenceable, false},
		{"unknown-resource", e, "a resource that kinectl does not know; a warning where it may be one of your own", silenceable, beyond},
		{"unknown-variable", e, "a command with a variable that nobody sets", silenceable, false},
		{"plain-secret", e, "a secret for all to read, or from elsewhere than a vault_… variable", silenceable, false},
		{"partial-secret", e, "a vault_… variable inside of a larger value, which nobody decrypts", silenceable, false},
		{"low-port", w, "a port below 1024 without the capability that it takes", silenceable, false},
		{"bare-address", w, "an address that is a port without its colon", silenceable, false},
		{"misplaced-program", w, "the service's program, looked for where its package does not put it", silenceable, false},
		{"comment-in-value", w, "what looks like a comment and is part of a value", silenceable, false},
		{"no-expansion", w, "a variable inside of another one's value, where nobody expands it", silenceable, false},
		{"local-metrics", w, "metrics that only the host itself can read", silenceable, false},
		{"config-outside-etc", w, "a configuration file that is not below /etc", silenceable, false},
		{"calendar-ends", w, "a timer that names its years, and ends with them", silenceable, false},
		{"runs-as-root", w, "a service with root's user or group", silenceable, false},
		{"sandbox-loosened", n, "what a loosening of the sandbox costs", silenceable, false},

		// Comments that silence a rule.
		{"bad-ignore", e, "a comment that silences without a reason, or what cannot be silenced", false, false},
		{"unused-ignore", w, "a comment that silences nothing", false, false},

		// Of a package, once its files are looked for.
		{"bad-source", e, "a file of the package that is not there, or is none", false, beyond},

		// With --infra.
		{"unknown-group", e, "a group that the inventory does not have", silenceable, beyond},
		{"undefined-variable", e, "an Ansible variable that some host lacks", silenceable, beyond},
		{"policy-owner", e, "a user that policy.yml does not open to the group", false, beyond},
		{"policy-files", e, "a destination that policy.yml does not open to the group", false, beyond},
		{"policy-capability", e, "a capability that policy.yml does not open to the group", false, beyond},
		{"policy-allow", e, "a loosening that policy.yml does not open to the group", false, beyond},
	}
}

// rule returns the rule of that name.
func rule(name string) (Rule, bool) {
	for _, r := range Rules() {
		if r.Name == name {
			return r, true
		}
	}
	return Rule{}, false
}

func ruleNames() []string {
	var names []string
	for _, r := range Rules() {
		names = append(names, r.Name)
	}
	return names
}
