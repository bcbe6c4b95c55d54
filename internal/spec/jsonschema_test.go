package spec

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"
)

// compiled is the schema as an editor's validator has it. Compile holds it to
// the metaschema of draft 2020-12.
func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(JSONSchema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(SchemaID, doc); err != nil {
		t.Fatal(err)
	}
	meta, err := c.Compile("https://json-schema.org/draft/2020-12/schema")
	if err != nil {
		t.Fatal(err)
	}
	if err := meta.Validate(doc); err != nil {
		t.Fatalf("not valid by the metaschema: %v", err)
	}
	if meta.Validate(map[string]any{"type": "text"}) == nil {
		t.Fatal("the metaschema takes anything")
	}
	s, err := c.Compile(SchemaID)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// data is what a validator sees of a YAML node. Editors read YAML 1.2, where
// 10_000 is text; others read it as a number.
func data(n *yaml.Node, editor bool) any {
	switch n.Kind {
	case yaml.DocumentNode:
		return data(n.Content[0], editor)
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			m[n.Content[i].Value] = data(n.Content[i+1], editor)
		}
		return m
	case yaml.SequenceNode:
		list := []any{}
		for _, c := range n.Content {
			list = append(list, data(c, editor))
		}
		return list
	}
	switch digits := strings.ReplaceAll(n.Value, "_", ""); {
	case n.Tag == "!!bool":
		return n.Value == "true"
	case n.Tag == "!!null":
		return nil
	case n.Tag == "!!int" && !(editor && digits != n.Value), n.Tag == "!!float":
		if v, err := strconv.ParseFloat(digits, 64); err == nil {
			return v
		}
	}
	return n.Value
}

// valid asks the schema about a spec, in both readings.
func valid(t *testing.T, s *jsonschema.Schema, src string) error {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Load([]byte(src), &doc); err != nil {
		t.Fatalf("%v:\n%s", err, src)
	}
	if err := s.Validate(data(&doc, false)); err != nil {
		return err
	}
	return s.Validate(data(&doc, true))
}

// films is the shortest spec, and below it what the lines say.
func films(lines string) string {
	return "service:\n  name: films\n  group: apps\n  description: Films\n" + lines
}

// TestSchemaTakesWhatParseTakes asks it about every spec that we have.
func TestSchemaTakesWhatParseTakes(t *testing.T) {
	s := compiled(t)
	checked := 0
	f := func(name, src string) {
		t.Helper()
		if _, findings := Parse(name, []byte(src)); findings.HasErrors() {
			return
		}
		checked++
		if err := valid(t, s, src); err != nil {
			t.Errorf("%s: Parse takes it, the schema does not: %v", name, err)
		}
	}
	for _, pattern := range []string{"testdata/*.yml", "testdata/findings/*.yml", "../../services/*/spec.yml", "../../spec.yml"} {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			f(file, string(src))
		}
	}
	// The examples of the reference.
	for i, block := range strings.Split(string(Reference()), "```yaml\n")[1:] {
		text, _, _ := strings.Cut(block, "```")
		if !strings.HasPrefix(text, "service:") {
			text = films("  " + strings.ReplaceAll(text, "\n", "\n  "))
		}
		f("example "+strconv.Itoa(i), text)
	}
	for _, line := range []string{
		"limits: {mem: 1_000M, no_file: 10_000, cpu: 2, allowed_cpus: 3}", "limits: {cpu: \"150%\", allowed_cpus: \"0-3,8\"}",
		"deploy: {serial: 1_000, drain: 1m30s}", "deploy: {serial: \"25%\"}", "exec: {start: none}\n  state: true",
		"exec: {start: '\"/usr/bin/films\" x', stop: /bin/kill -s INT $MAINPID}", "capabilities: []", "required_packages: []",
		"maintainer: \" A <a@b.c> \"", "license: \" MIT \"", "homepage: ' https://example.com '", "description: ' two words '", "sockets: [' :8080 ', ' /run/films/a ']\n  exec: {type: notify, stop: ' SIGTERM ', start: ' /usr/bin/a '}",
		"required_packages: [' ca-certificates ']", "deploy: {probe: {path: ' /a ', timeout: \"+5s\"}, drain: \"0\"}", "timers: [{name: ' a ', on_calendar: ' daily '}]", "routes: [{host: ' a.b ', port: 80}]", "files: [{src: ' a ', dst: ' /usr/share/films/a '}]",
		"license: '" + strings.Repeat("M", 58) + "  '",
		"security: {allow: [jit, {devices: [/dev/dri]}, {groups: [video]}]}",
	} {
		src := films("  " + line + "\n")
		if strings.HasPrefix(line, "description") {
			src = strings.Replace(src, "  description: Films\n", "", 1)
		}
		before := checked
		if f(line, src); checked == before {
			t.Errorf("Parse refuses %s", line)
		}
	}
	if checked < 25 {
		t.Errorf("checked %d specs only", checked)
	}
}

// TestSchemaRefusesWithParse: what is wrong in one value alone is refused by
// both.
func TestSchemaRefusesWithParse(t *testing.T) {
	s := compiled(t)
	f := func(src string) {
		t.Helper()
		if _, findings := Parse("spec.yml", []byte(src)); !findings.HasErrors() {
			t.Errorf("Parse takes:\n%s", src)
		}
		if valid(t, s, src) == nil {
			t.Errorf("the schema takes:\n%s", src)
		}
	}
	f("service: {}\n")
	f("services:\n  name: films\n")
	f("[]\n")
	f("service:\n  name: films\n  group: apps\n")
	for _, line := range []string{
		"limit: {mem: 1G}", "name: Films", "state: 'true'", "state: 1", "limits: {mem: 1GB}", "limits: {mem: 512}", "limits: {no_file: 10}",
		"limits: {no_file: many}", "limits: {nice: -21}", "limits: {nice: 1.5}", "limits: {allowed_cpus: all}", "limits: {cpu: fast}", "limits: []",
		"deploy: {probe: {type: udp}}", "deploy: {probe: {port: 70000}}", "deploy: {probe: {path: ready}}", "deploy: {probe: {timeout: 5}}",
		"deploy: {probe: {timeout: 5 minutes}}", "deploy: {probe: {status: 99}}", "deploy: {serial: 0}", "deploy: {serial: []}", "deploy: {serial: \"0%\"}", "deploy: {serial: {a: 1}}",
		"deploy: {on_failure: retry}", "deploy: {before: films migrate}", "resources: postgres", "resources: [Postgres]", "resources: [nats, nats]",
		"environments: {A: b}", "required_packages: [libc6 => 2]", "required_packages: {windows11: []}", "required_packages: {debian12: x}", "exec: {start: films}",
		"exec: {stop: SIGFOO}", "exec: {type: forking}", "security: {allow: [everything]}", "security: {allow: [devices]}", "security: {allow: [{jit: [x]}]}",
		"security: {allow: [{devices: [sda]}]}", "security: {owner: Films}", "capabilities: [NET_ADMIN]", "capabilities: [CAP_NET_ADMINS]", "sockets: [8080]", "sockets: [\"8080\"]",
		"timers: [{name: x}]", "timers: [{name: x, on_calendar: ''}]", "timers: [{name: X, on_calendar: daily}]", "timers: {name: x}",
		"files: [{src: a, dst: b}]", "files: [{src: /a, dst: /b}]", "files: [{src: a, dst: /b, mode: \"644\"}]", "files: [{src: a, dst: /b, mode: \"0666\"}]", "files: [{src: a, dst: /b, type: link}]",
		"alerts: [{name: X}]", "alerts: [{name: X, expr: up, severity: page}]", "routes: [{path: /}]", "routes: [{host: films_1}]", "routes: [{host: a, port: 0}]",
		"build: {arch: [i386]}", "build: {sha256: abc}", "build: {main: /cmd}", "build: {archive: \"http://example.com/a\"}", "build: {sha256: {mips: abc}}",
		"license: ' " + strings.Repeat("M", 59) + " '", "maintainer: ' A < a@b.c> '", "exec: {stop: SIGTERMS}",
		"homepage: ftp://example.com", "maintainer: Films", "license: MIT!",
	} {
		src := films("  " + line + "\n")
		if key, _, _ := strings.Cut(line, ":"); key == "name" {
			src = strings.Replace(src, "  name: films\n", "", 1)
		}
		f(src)
	}
}

// TestTextsOfTheSchema holds every default and example to its key, and wants
// every reader described.
func TestTextsOfTheSchema(t *testing.T) {
	var walk func(path string, o object)
	walk = func(path string, o object) {
		for _, k := range o {
			at := path + k.name
			if inner := k.inner(); inner != nil {
				walk(at+".", inner)
				continue
			}
			d := describe(k.value)
			if d.words == "" || d.node.Type == "" && d.node.AnyOf == nil {
				t.Errorf("%s: describe.go does not know its reader %T", at, k.value)
			}
			if k.doc == "" || k.example == "" {
				t.Errorf("%s has no doc or no example", at)
			} else if !k.takes(k.example) {
				t.Errorf("%s does not take its example %s", at, k.example)
			}
		}
	}
	walk("", schema(&Spec{}))
}
