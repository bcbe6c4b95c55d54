package ansible

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/kinectl/kinectl/internal/artifact"
	"github.com/kinectl/kinectl/internal/needs"
	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/spec"
)

// values are what may stand in an inventory or a spec and must reach the
// service to the letter.
func values() []string {
	return []string{
		"plain", " blanks around ", "", "'", `"`, `it's "both"`, `\`, `\\`, `\"`, `ends in \`, `C:\new\table\x41`, `\u0041`, "$", "$$", "$HOME ${HOME} $(id)", "`id`",
		"two\nlines", "ends in a line\n", "\n\n", "\nX=1\n", "\"\nX=\"1", "tab\there", "# no comment", "; no comment", "a=b=c", "größe 世界 🚀", "\u2028", "\u00a0",
		"[1, 2]", "{'a': 1}", `{"a": {"b": 1}}`, "True", "None", "1e3", "{", "}}", "%}", "#}", "{ {", "~", "*", "%s %d %%", "\ufeff", "export X=1",
		strings.Repeat(` a\"$é`, 60), strings.Repeat(" ", 230) + "x", strings.Repeat(`\`, 230), // more than a line of the playbook
	}
}

// jinja are literals that Jinja would take for its own.
func jinja() []string {
	return []string{"{{", "{{ x }}", "{% if x %}", "{#", "{{{{", "{{{", "{{%", "{%{{#", "{{ '{{' }}", "{%- raw -%}", "{% endraw %}"}
}

// everyValue is a plan with each value as a literal, as an expression and
// between the two, what the variables of the environment must be, and the
// Ansible variables they need.
func everyValue() (p plan.Plan, want map[string]string, inventory map[string]any) {
	p, want, inventory = hello("1"), map[string]string{}, map[string]any{}
	add := func(name, value string, parts ...plan.Part) {
		p.Environment = append(p.Environment, plan.Variable{Name: name, Parts: parts})
		want[name] = value
	}
	for i, v := range append(values(), jinja()...) {
		add(fmt.Sprintf("LITERAL_%d", i), v, plan.Part{Literal: v})
		add(fmt.Sprintf("BEFORE_%d", i), v+"-", plan.Part{Literal: v}, plan.Part{Expression: "dash"})
		add(fmt.Sprintf("AFTER_%d", i), "-"+v, plan.Part{Expression: "dash"}, plan.Part{Literal: v})
	}
	inventory["dash"], inventory["port"], inventory["on"] = "-", 8080, true
	add("NUMBER", "8080", plan.Part{Expression: "port"})
	add("BOOLEAN", "True", plan.Part{Expression: "on"})
	add("FILTER", "-|", plan.Part{Expression: `nobody | default("-|")`})
	for i, v := range values() {
		name := fmt.Sprintf("v%d", i)
		inventory[name] = v
		add(fmt.Sprintf("EXPRESSION_%d", i), v, plan.Part{Expression: name})
		add(fmt.Sprintf("TWICE_%d", i), v+v, plan.Part{Expression: name}, plan.Part{Expression: name})
	}
	return p, want, inventory
}

// deployed runs the rendered playbook with the real Ansible and the real
// module, and returns the environment file that the module got. The module's
// own main runs, but what it would do as root is replaced.
func deployed(t *testing.T, p plan.Plan, inventory map[string]any) []byte {
	t.Helper()
	program := needs.Program(t, "ansible-playbook", "the environment was not resolved by Ansible")
	dir := t.TempDir()
	got := filepath.Join(dir, "got")
	files := Deploy(p)
	module, ok := strings.CutSuffix(string(files[1].Body), "\nmain\n")
	if !ok {
		t.Fatal("the module does not end in a call of main")
	}
	module += fmt.Sprintf(`
PATH='%s':$PATH
mkdir() { :; }
mktemp() { command mktemp -d '%s/work.XXXXXX'; }
look() { printf '{"changed":false,"result":"ready"}' >"$work/result"; }
main
`, dir, dir)
	write(t, filepath.Join(dir, "systemctl"), "#!/bin/sh\necho inactive\n", 0o755)
	write(t, filepath.Join(dir, "systemd-run"), fmt.Sprintf(`#!/bin/sh
while [ "$1" != transaction ]; do shift; done
cp "$3/environment" '%s'
printf '{"changed":true,"result":"deployed"}' >"$3/result"
`, got), 0o755)
	files[1] = artifact.File{Path: files[1].Path, Mode: 0o644, Body: []byte(module)}

	// By its own kind of file, since a variable on the command line is JSON too.
	vars := map[string]any{"ansible_connection": "local", "ansible_become": false, "ansible_remote_tmp": dir}
	maps.Copy(vars, inventory)
	hosts, err := json.Marshal(map[string]any{"applications": map[string]any{"hosts": map[string]any{"h1": vars}}})
	if err != nil {
		t.Fatal(err)
	}
	hostsFile := filepath.Join(dir, "hosts.json")
	write(t, hostsFile, string(hosts), 0o644)
	cmd := exec.Command(program, "-i", hostsFile, "--skip-tags", "connections", place(t, dir, files))
	cmd.Env = append(os.Environ(), "ANSIBLE_NOCOLOR=1", "ANSIBLE_HOME="+dir)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: …%s", err, out[max(0, len(out)-2000):])
	}
	body, err := os.ReadFile(got)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// TestValues carries every value through the rendered playbook, Ansible and
// the module, and reads the file as systemd does.
func TestValues(t *testing.T) {
	p, want, inventory := everyValue()
	file := deployed(t, p, inventory)

	t.Run("by the rules of package spec", func(t *testing.T) {
		want := maps.Clone(want)
		maps.DeleteFunc(want, func(_, v string) bool { return strings.ContainsAny(v, refused) })
		compare(t, readBySpec(t, file), want)
	})
	t.Run("by systemd", func(t *testing.T) {
		maps.DeleteFunc(want, func(_, v string) bool { return v == "" })
		compare(t, readBySystemd(t, file), want)
	})
}

func compare(t *testing.T, got, want map[string]string) {
	t.Helper()
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s=%q came from nowhere", name, got[name])
		}
	}
	for name, v := range want {
		if g, ok := got[name]; !ok || g != v {
			t.Errorf("%s is %q (%t), want %q", name, g, ok, v)
		}
	}
}

// refused are characters that no spec may have; an inventory may.
const refused = "\u2028\ufeff"

// readBySpec reads the file with the parser of a spec's environments, which
// has systemd's rules. Braces are Jinja's there, so another character stands
// in for them.
func readBySpec(t *testing.T, file []byte) map[string]string {
	t.Helper()
	const brace = "⦃"
	text := ""
	for line := range strings.Lines(strings.ReplaceAll(string(file), "{", brace)) {
		if !strings.ContainsAny(line, refused) {
			text += line
		}
	}
	src := "service:\n  name: my-api\n  group: apps\n  description: d\n  environments: |2\n    " + strings.ReplaceAll(text, "\n", "\n    ") + "\n"
	s, findings := spec.Parse("spec.yml", []byte(src))
	if findings.HasErrors() {
		t.Fatalf("%+v", findings)
	}
	all := map[string]string{}
	for _, v := range s.Environment {
		value, ok := v.Literal()
		if !ok {
			t.Errorf("%s is not literal", v.Name)
		}
		all[v.Name] = strings.ReplaceAll(value, brace, "{")
	}
	return all
}

// generator is systemd's own program that reads files of variables (see
// systemd-environment-d-generator(8)) by the reader of EnvironmentFile=, and
// runs without a booted systemd. After that it expands $NAME and leaves out
// what is empty, which EnvironmentFile= does not.
const generator = "/usr/lib/systemd/user-environment-generators/30-systemd-environment-d-generator"

// readBySystemd reads the file with the real systemd. Empty variables are
// missing from the answer.
func readBySystemd(t *testing.T, file []byte) map[string]string {
	t.Helper()
	needs.Program(t, generator, "the environment file was not given to systemd")
	dir := t.TempDir()
	read := func() []string {
		cmd := exec.Command(generator)
		cmd.Env = []string{"XDG_CONFIG_HOME=" + dir, "HOME=" + dir}
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	}
	before := read() // what this machine sets for everybody
	text := strings.ReplaceAll(string(file), `\$`, `\$\$`)
	write(t, filepath.Join(dir, "environment.d", "hello.conf"), text, 0o644)
	all := map[string]string{}
	for _, line := range read() {
		if slices.Contains(before, line) {
			continue
		}
		name, value, _ := strings.Cut(line, "=")
		all[name] = unescaped(t, value)
	}
	return all
}

// unescaped undoes what the generator does to print a value in one line.
func unescaped(t *testing.T, s string) string {
	t.Helper()
	inner, ok := strings.CutPrefix(s, `"`)
	if !ok {
		return s
	}
	inner = strings.NewReplacer("\\$", "$", "\\`", "`").Replace(strings.ReplaceAll(inner, `\\`, `\x5c`))
	value, err := strconv.Unquote(`"` + inner)
	if err != nil {
		t.Errorf("%s: %v", s, err)
	}
	return value
}
