package spec

import (
	"strings"
	"testing"
)

func TestIgnore(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		_, findings := Check("spec.yml", []byte(text))
		var got []string
		for _, x := range findings {
			got = append(got, x.Rule)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s\nfound %q, want %q", text, strings.Join(got, " "), want)
		}
	}
	const head = "service:\n  name: my-api\n  group: apps\n  description: d\n"
	const mem = head + "  limits: {mem: 1G}\n"

	f("# lint:ignore no-memory-limit why not\n"+head, "")
	f("  # lint:ignore no-memory-limit why not\n"+head, "")
	f("#lint:ignore no-memory-limit why not\n"+head, "")
	f(head+"# lint:file-ignore no-memory-limit why not\n", "")
	f("# lint:ignore no-memory-limit because\n# it is so\n"+head, "")
	f("# lint:ignore no-memory-limit far away\n\n"+head, "unused-ignore no-memory-limit")
	f(head+"# lint:ignore no-memory-limit below\n", "no-memory-limit unused-ignore")
	f("# lint:ignore no-memory-limit\n"+head, "bad-ignore no-memory-limit")
	f("# lint:ignore\n"+mem, "bad-ignore")
	f("# lint:disable no-memory-limit x\n"+mem, "bad-ignore")
	f("# lint:ignore unknown-key x\n"+mem, "bad-ignore")
	f("# lint:ignore reserved-name x\n"+mem, "bad-ignore")
	f("# lint:ignore foo x\n"+mem, "bad-ignore")
	f("# lint:ignore probe-port x\n"+mem, "unused-ignore")
	f("# lint:file-ignore probe-port x\n"+mem, "unused-ignore")
	// Whether it is of use takes more than this file to tell.
	f("# lint:ignore undefined-variable x\n"+mem, "")

	// In the block of variables, stacked, with both comments of systemd.
	f(mem+"  environments: |\n    # lint:ignore plain-secret a word of the docs\n    API_TOKEN=x\n", "")
	f(mem+"  environments: |\n    # lint:ignore plain-secret a word of the docs\n    # lint:ignore comment-in-value it is none\n    API_TOKEN=x # y\n", "")
	f(mem+"  environments: |\n    # lint:ignore plain-secret a word of the docs\n    A_TOKEN=x\n    B_TOKEN=x\n", "plain-secret")
	f(mem+"  environments: |\n    # lint:file-ignore plain-secret words of the docs\n    A_TOKEN=x\n    B_TOKEN=x\n", "")
	// In a value there are no comments.
	f(mem+"  environments: |\n    A='\n    # lint:ignore plain-secret x\n    '\n    B_TOKEN=x\n", "plain-secret")
	f(mem+"  environments: |\n    A=x\\\n    # lint:ignore plain-secret x\n    B_TOKEN=x\n", "plain-secret")
	f(head+"  foo: |\n    # lint:file-ignore no-memory-limit x\n", "no-memory-limit unknown-key")
	f(head+"  foo: >-\n    # lint:file-ignore no-memory-limit x\n", "no-memory-limit unknown-key")
	f(head+"  foo: |2\n      x\n    # lint:file-ignore no-memory-limit x\n", "no-memory-limit unknown-key")
	f(head+"  foo: \"x\n    # lint:file-ignore no-memory-limit x\n    \"\n", "no-memory-limit unknown-key")
	f(head+"  foo: 'it''s\n    # lint:file-ignore no-memory-limit x\n    '\n", "no-memory-limit unknown-key")
	f(head+"  foo: \"x\\\"\n    y\"\n  # lint:file-ignore no-memory-limit x\n", "unknown-key")
	f(head+"  foo: |\n    x\n  # lint:file-ignore no-memory-limit x\n", "unknown-key")
	f(head+"  foo: [a, # lint:file-ignore no-memory-limit x\n    b]\n", "no-memory-limit unknown-key")

	// Above an entry of a list.
	f(mem+"  files:\n    # lint:ignore config-outside-etc upstream wants it so\n    - {src: a, dst: /usr/share/a/b, type: config}\n", "")
	f(mem+"  resources:\n    - postgres\n    # lint:ignore unknown-resource ours\n    - billing\n", "")
	// Nothing can be silenced in what is no YAML.
	f("# lint:file-ignore no-memory-limit x\nservice: [\n", "syntax")
}

// TestRuleNames holds the list of rules to be a list.
func TestRuleNames(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range Rules() {
		if seen[r.Name] || r.Doc == "" || r.Severity == "" {
			t.Errorf("%+v is there twice or lacks a word", r)
		}
		seen[r.Name] = true
	}
}
