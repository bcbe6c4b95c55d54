package unit

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/kinectl/kinectl/internal/needs"
	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/spec"
)

// TestVerify gives units to the real systemd. It says nothing about a unit
// that is right, and exits 0 for one that it only doubts, so every line is a
// fault.
func TestVerify(t *testing.T) {
	needs.Program(t, "systemd-analyze", "the units were not given to the real systemd")
	root := t.TempDir()
	folder := filepath.Join(root, "usr/lib/systemd/system")
	for _, dir := range []string{"usr/bin", "usr/lib/systemd", "etc/systemd/system", "bin"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	// cp, since some of these files are links to nowhere.
	if out, err := exec.Command("cp", "-r", "/usr/lib/systemd/system", folder).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	write := func(path string, body []byte, mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(root, path), body, mode); err != nil {
			t.Fatal(err)
		}
	}
	var names []string
	install := func(p plan.Plan) {
		write("usr/bin/"+p.Name, []byte("#!/bin/sh\n"), 0o755)
		for _, u := range units(p) {
			write("usr/lib/systemd/system/"+u.name, u.body, 0o644)
			names = append(names, u.name)
		}
	}
	verify := func(names ...string) []byte {
		cmd := exec.Command("systemd-analyze", append([]string{"verify", "--man=no", "--root=" + root}, names...)...)
		cmd.Env = append(os.Environ(), "SYSTEMD_LOG_LEVEL=info")
		out, err := cmd.CombinedOutput()
		if err != nil {
			out = fmt.Append(out, err)
		}
		return bytes.TrimSpace(out)
	}
	write("bin/sh", []byte("#!/bin/true\n"), 0o755)

	for _, p := range []plan.Plan{hello(), everyKey(t), jobs(t)} {
		install(p)
	}
	named := func(name string) plan.Plan {
		p := hello()
		p.Name, p.Unit.Start = name, plan.Line("/usr/bin/"+name)
		return p
	}
	for i, word := range hostile() {
		p := named(fmt.Sprintf("hostile%d", i))
		p.Description = word
		p.Unit.Start = plan.Line("/usr/bin/"+p.Name, word, word+word)
		install(p)
	}
	for _, q := range spec.Permissions() {
		p, l := named("may-"+q.Name), plan.Loosening{Name: q.Name}
		if err := yaml.Unmarshal([]byte(q.Takes), &l.Values); err != nil {
			t.Fatal(err)
		}
		p.Unit.Sandbox.Allow = []plan.Loosening{l}
		p.Deploy.Probe = plan.Probe{Type: "exec", Command: plan.Line("/usr/bin/"+p.Name, "check")}
		install(p)
	}
	for i, c := range spec.Capabilities() {
		p := named(fmt.Sprintf("keeps-%d", i))
		p.Unit.Sandbox.Capabilities = []string{c.Name}
		install(p)
	}
	if out := verify(names...); len(out) > 0 {
		t.Errorf("systemd-analyze verify:\n%s", out)
	}

	// The same check must see a fault where there is one.
	write("usr/lib/systemd/system/bad.service", append(services(hello())["hello.service"], "\n[Service]\nNoSuchKey=1\n"...), 0o644)
	if out := verify("bad.service"); !bytes.Contains(out, []byte("NoSuchKey")) {
		t.Errorf("an unknown key went unseen: %s", out)
	}
}
