package ansible

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	goyaml "go.yaml.in/yaml/v4"

	"github.com/kinectl/kinectl/internal/artifact"
	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/render/transaction"
	"github.com/kinectl/kinectl/internal/version"
)

var update = flag.Bool("update", false, "write the golden files anew")

func hello(serial ...string) plan.Plan {
	return plan.Plan{
		Name: "hello", Group: "applications",
		Version: version.Version{Label: "1.2.0-rc1", Deb: "1.2.0~rc1"},
		Deploy: plan.Deploy{Serial: serial, Probe: plan.Probe{
			Type: "http", Port: 8080, Path: "/ready", Status: 200, Timeout: time.Minute, Settle: 5 * time.Second, Version: true, Metrics: 9100,
		}},
	}
}

// hostilePlan has variables of every kind, each with what YAML, Jinja or
// systemd would take for its own.
func hostilePlan(serial ...string) plan.Plan {
	p := hello(serial...)
	p.Environment = []plan.Variable{
		{Name: "POSTGRES_DSN", Parts: []plan.Part{{Expression: "postgres_dsn"}}},
		{Name: "EMPTY"},
		{Name: "MIXED", Parts: []plan.Part{{Literal: `a"b\c$d` + "`e "}, {Expression: "level | default('x')"}, {Literal: "\n: # ' {{ x }} {% y %} {# z #} größe 世"}}},
	}
	return p
}

// withBefore has a migration, a secret address and no metrics.
func withBefore(serial ...string) plan.Plan {
	p := hostilePlan(serial...)
	p.Deploy.Before = plan.Line("/usr/bin/hello", "migrate")
	p.Deploy.Probe.Metrics = 0
	p.Environment = append(p.Environment, plan.Variable{Name: "LONG", Parts: []plan.Part{{Literal: strings.Repeat("a line of the spec that is very long, ", 20)}}})
	return p
}

// withSecrets needs one secret and a resource, and uses another secret where it is there.
func withSecrets() plan.Plan {
	p := hello("1")
	p.Environment = []plan.Variable{
		{Name: "NATS_URL", Parts: []plan.Part{{Expression: "nats_url"}}},
		{Name: "DSN", Parts: []plan.Part{{Expression: "vault_dsn"}}},
		{Name: "TOKEN", Parts: []plan.Part{{Expression: "vault_token | default('')"}}},
	}
	p.Secrets, p.Resources = []string{"vault_dsn", "vault_token"}, []string{"nats_url"}
	return p
}

// cases are the playbooks of the golden files, by the name of the file.
func cases() map[string][]artifact.File {
	return map[string][]artifact.File{
		"deploy":         Deploy(hello("1")),
		"deploy-hostile": Deploy(hostilePlan("2")),
		"deploy-before":  Deploy(withBefore("1")),
		"deploy-secrets": Deploy(withSecrets()),
		"restore":        Restore(hostilePlan("25%"), map[string]Back{"h1": {3, 4}, "h2.example.com": {0, -1}}),
		"bring":          Bring(hostilePlan("25%"), map[string]Back{"h4": {0, 1}}),
		"remove":         Remove(hostilePlan("1", "25%", "100%")),
		"deploy-routes":  Deploy(withRoutes()),
		"restore-routes": Restore(withRoutes(), map[string]Back{"h1": {3, 4}}),
		"remove-routes":  Remove(withRoutes()),
		"status":         Status(hostilePlan("1")),
	}
}

func TestGolden(t *testing.T) {
	for name, files := range cases() {
		file := filepath.Join("testdata", name+".yml.golden")
		if *update {
			if err := os.WriteFile(file, files[0].Body, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(files[0].Body, want) {
			t.Errorf("%s: got\n%s\nwant\n%s", name, files[0].Body, want)
		}
	}
}

// TestModule proves that every playbook has the module beside it, where
// Ansible looks for it.
func TestModule(t *testing.T) {
	for name, files := range cases() {
		p := hello("1")
		if name == "deploy-before" {
			p = withBefore("1")
		}
		if len(files) < 2 || files[1].Path != "ansible/library/kinectl_transaction.sh" || filepath.Dir(files[0].Path) != "ansible" {
			t.Errorf("%s: not a playbook with its module", name)
		}
		if !bytes.Contains(files[1].Body, []byte("<<INCLUDE_ANSIBLE_MODULE_JSON_ARGS>>")) || !bytes.Equal(files[1].Body, transaction.Module(p)) {
			t.Errorf("%s: another module", name)
		}
	}
}

// TestRules proves that the alerts lie where Ansible looks for them, whenever
// the playbook copies them.
func TestRules(t *testing.T) {
	for name, files := range cases() {
		copies := bytes.Contains(files[0].Body, []byte("src: hello.rules.yml"))
		carries := len(files) > 3 && files[2].Path == "ansible/files/hello.rules.yml" && bytes.Contains(files[2].Body, []byte("groups:"))
		if copies != carries {
			t.Errorf("%s: copies the alerts: %t, carries them: %t", name, copies, carries)
		}
	}
	if !slices.ContainsFunc(Deploy(hello("1")), func(f artifact.File) bool { return f.Path == "ansible/files/hello.rules.yml" }) {
		t.Error("the alerts of a service with metrics are not told")
	}
	if text := Deploy(withBefore("1"))[0].Body; bytes.Contains(text, []byte("content:")) {
		t.Errorf("a service without metrics has targets:\n%s", text)
	}
}

// TestBeforePlace proves that the migration is in one place only: at the end
// of Prepare, once, and by the host's own result.
func TestBeforePlace(t *testing.T) {
	text := string(Deploy(withBefore("1"))[0].Body)
	prepare, rest, _ := strings.Cut(text, "\n- name: Deploy\n")
	if strings.Count(prepare, "stage: before") != 1 || !strings.Contains(prepare[strings.Index(prepare, "stage: before"):], "run_once: true") || strings.Contains(rest, "stage: before") {
		t.Errorf("deploy.before is not once, at the end of Prepare:\n%s", text)
	}
	for name, files := range cases() {
		if name != "deploy-before" && bytes.Contains(files[0].Body, []byte("stage: before")) {
			t.Errorf("%s: runs deploy.before", name)
		}
	}
}

// TestStops proves that nobody takes away what stops a roll at its first
// failure.
func TestStops(t *testing.T) {
	type task struct {
		Name        string
		Fail        map[string]string `yaml:"ansible.builtin.fail"`
		When        string
		Transaction map[string]string `yaml:"kinectl_transaction"`
		Lost        bool              `yaml:"ignore_unreachable"`
		Errors      bool              `yaml:"ignore_errors"`
	}
	for name, files := range cases() {
		if name == "status" { // asks every host, whatever becomes of another
			continue
		}
		var plays []struct {
			Name       string
			Fatal      bool `yaml:"any_errors_fatal"`
			Percentage *int `yaml:"max_fail_percentage"` // 0: one that refuses ends it, one that is lost does not
			Tasks      []struct {
				task  `yaml:",inline"`
				Block []task
			}
		}
		if err := goyaml.Unmarshal(files[0].Body, &plays); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var names []string
		for _, p := range plays {
			names = append(names, p.Name)
			if !p.Fatal && (p.Percentage == nil || *p.Percentage != 0) && p.Name != "Cleanup" && p.Name != "Routes" && p.Name != "Monitoring" {
				t.Errorf("%s: the play %s goes on after a failure", name, p.Name)
			}
			var all []task
			looks := map[string]bool{} // by what they look for, outside of a block: in one with `always` a failure stops neither the batch nor the next one
			for _, t := range p.Tasks {
				all = append(append(all, t.task), t.Block...)
				looks[t.When] = looks[t.When] || t.Fail != nil
			}
			for _, task := range all {
				looked := looks["kinectl_refused | length > 0"]
				if task.Transaction["stage"] == "release" {
					looked = looks["kinectl_released is failed"]
				}
				if task.Errors && !looked {
					t.Errorf("%s: a task of the play %s may fail", name, p.Name)
				}
				if task.Transaction["stage"] == "release" && len(all) > 1 && !task.Errors {
					t.Errorf("%s: a release that fails in a block stops only its own host", name)
				}
				// Without it Ansible drops the host and goes on with the next batch.
				if task.Transaction != nil && !task.Lost {
					t.Errorf("%s: a host lost in the play %s does not stop the roll", name, p.Name)
				}
			}
		}
		want := "Lease Prepare Deploy Routes Monitoring Cleanup"
		if name == "deploy-secrets" { // looks at them before any host is asked
			want = "Prepare " + want
		}
		if strings.Join(names, " ") != want {
			t.Errorf("%s: the stages are %q", name, names)
		}
	}
}

func TestSerial(t *testing.T) {
	f := func(want string, in ...string) {
		t.Helper()
		if got := serial(in); got != want {
			t.Errorf("serial(%q) = %s, want %s", in, got, want)
		}
	}
	f("1", "1")
	f("20", "20")
	f(`"25%"`, "25%")
	f(`[1, "25%", "100%"]`, "1", "25%", "100%")
}

// TestYAML reads each quoted scalar back with another program's reader.
func TestYAML(t *testing.T) {
	for _, want := range append(values(), "yes", "null", "1e3", "0x1f", "- a", "a: b", "&a", "*a", "!tag", "%", "@", "\t", "...", "---", "") {
		text, err := yaml(want)
		if err != nil {
			t.Fatal(err)
		}
		var got any
		if err := goyaml.Unmarshal([]byte("k: "+text), &got); err != nil || got.(map[string]any)["k"] != want {
			t.Errorf("%q is written as %s and read as %q; %v", want, text, got, err)
		}
	}
}
