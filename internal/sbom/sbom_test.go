package sbom

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/version"
)

func hello() plan.Plan {
	return plan.Plan{
		Name: "hello", Description: `Answers "<größe>" & more`, Version: version.Version{Label: "1.0.0-rc1"},
		BuildTime: time.Unix(1700000000, 0), Package: plan.Package{License: "Apache-2.0", Homepage: "https://example.com/hello"},
	}
}

// bill is what the tests read of one.
type bill struct {
	SerialNumber string
	Metadata     struct {
		Timestamp string
		Component part
	}
	Components   []part
	Dependencies []struct{ DependsOn []string }
}

type part struct {
	Type, Name, Version, Purl string
	Hashes                    []struct{ Alg, Content string }
	Properties                []struct{ Name, Value string }
}

func of(t *testing.T, path string) ([]byte, bill) {
	t.Helper()
	body, err := Of(hello(), path)
	if err != nil {
		t.Fatal(err)
	}
	var b bill
	if err := json.Unmarshal(body, &b); err != nil {
		t.Fatal(err)
	}
	return body, b
}

// build builds a Go program of another module, which uses one of our own
// dependencies, with a flag for the linker.
func build(t *testing.T, flag string) string {
	t.Helper()
	dir := t.TempDir()
	requirements, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile("../../go.sum")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"go.mod": strings.Replace(string(requirements), "module github.com/kinectl/kinectl", "module example.com/Upper", 1), "go.sum": string(sums),
		"cmd/x/main.go": "package main\n\nimport \"github.com/klauspost/compress/zstd\"\n\nvar p string\n\nfunc main() { println(p, zstd.ErrMagicMismatch) }\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("go", "build", "-ldflags", flag, "-o", "x", "./cmd/x")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return filepath.Join(dir, "x")
}

func TestGoProgram(t *testing.T) {
	program := build(t, "-s")
	body, b := of(t, program)
	// What the go command itself says: "dep PATH VERSION SUM" a line.
	out, err := exec.Command("go", "version", "-m", program).Output()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); len(f) == 4 && f[0] == "dep" {
			want[f[1]] = f[2]
		}
	}
	if len(want) == 0 {
		t.Fatalf("the program has no dependencies: %s", out)
	}
	want["std"] = strings.TrimPrefix(runtime.Version(), "go")
	got := map[string]string{}
	for _, c := range b.Components {
		got[c.Name] = c.Version
		if c.Purl != "pkg:golang/"+strings.ToLower(c.Name)+"@"+c.Version || c.Name != "std" && (len(c.Hashes) != 1 || len(c.Hashes[0].Content) != 64) {
			t.Errorf("%+v", c)
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("the parts are %v, not %v", got, want)
	}
	if len(b.Dependencies) != 1 || len(b.Dependencies[0].DependsOn) != len(want) {
		t.Errorf("dependencies: %+v", b.Dependencies)
	}
	if c := b.Metadata.Component; c.Name != "hello" || c.Version != "1.0.0-rc1" || c.Purl != "pkg:golang/example.com/upper@v1.0.0-rc1#cmd/x" || len(c.Properties) == 0 {
		t.Errorf("the program: %+v", c)
	}
	if b.Metadata.Timestamp != "2023-11-14T22:13:20Z" {
		t.Errorf("the time is %s", b.Metadata.Timestamp)
	}
	again, _ := of(t, program)
	if !bytes.Equal(again, body) {
		t.Error("twice is not the same")
	}
	valid(t, body)
}

// A flag for the linker can hold a password, and is no part of the program.
func TestNoFlags(t *testing.T) {
	program := build(t, "-X main.p=hunter2")
	if out, err := exec.Command("go", "version", "-m", program).Output(); err != nil || !bytes.Contains(out, []byte("hunter2")) {
		t.Fatalf("the flag is not in the program: %v: %s", err, out)
	}
	if body, _ := of(t, program); bytes.Contains(body, []byte("hunter2")) {
		t.Errorf("%s", body)
	}
}

func TestOtherProgram(t *testing.T) {
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	body, b := of(t, path)
	c := b.Metadata.Component
	if want := fmt.Sprintf("%x", sha256.Sum256([]byte("#!/bin/sh\n"))); len(c.Hashes) != 1 || c.Hashes[0].Content != want || c.Purl != "pkg:generic/hello@1.0.0-rc1" || len(b.Components) != 0 {
		t.Errorf("%s", body)
	}
	valid(t, body)
	if err := os.WriteFile(path, []byte("#!/bin/bash\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, other := of(t, path); other.SerialNumber == b.SerialNumber {
		t.Error("another program has the same serial number")
	}
	if _, err := Of(hello(), path+"-nothing"); err == nil || !strings.HasPrefix(err.Error(), "list the parts of "+path+"-nothing: ") {
		t.Errorf("a program that is not there: %v", err)
	}
}

// valid holds a bill against the schema of CycloneDX, which comes with the
// library.
func valid(t *testing.T, body []byte) {
	t.Helper()
	if err := check(t, body); err != nil {
		t.Errorf("not valid: %v", err)
	}
	if err := check(t, bytes.Replace(body, []byte(`"application"`), []byte(`"nonsense"`), 1)); err == nil {
		t.Error("the schema takes nonsense")
	}
}

func check(t *testing.T, body []byte) error {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/CycloneDX/cyclonedx-go").Output()
	if err != nil {
		t.Fatal(err)
	}
	schemas := jsonschema.NewCompiler()
	for _, name := range []string{"bom-1.6.schema.json", "spdx.schema.json", "jsf-0.82.schemax.json"} {
		f, err := os.Open(filepath.Join(strings.TrimSpace(string(out)), "schema", name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		text, err := jsonschema.UnmarshalJSON(f)
		if err != nil {
			t.Fatal(err)
		}
		if err := schemas.AddResource(text.(map[string]any)["$id"].(string), text); err != nil {
			t.Fatal(err)
		}
	}
	schema, err := schemas.Compile("http://cyclonedx.org/schema/bom-1.6.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	bill, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return schema.Validate(bill)
}
