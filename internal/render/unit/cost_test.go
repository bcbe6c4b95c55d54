package unit

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/kinectl/kinectl/internal/needs"
	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/spec"
)

// exposures asks the real systemd for the exposure of units, in tenths of its
// score. A score depends on the unit's text alone.
func exposures(t *testing.T, units map[string][]byte) map[string]int {
	t.Helper()
	needs.Program(t, "systemd-analyze", "the units were not given to the real systemd")
	dir := t.TempDir()
	argv := []string{"security", "--offline=yes", "--no-pager"}
	for name, body := range units {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, body, 0o644); err != nil {
			t.Fatal(err)
		}
		argv = append(argv, file)
	}
	out, err := exec.Command("systemd-analyze", argv...).CombinedOutput()
	if err != nil {
		t.Fatalf("systemd-analyze: %v\n%s", err, out)
	}
	got := map[string]int{}
	for _, m := range regexp.MustCompile(`exposure level for (\S+): (\d+)\.(\d)`).FindAllStringSubmatch(string(out), -1) {
		tenths, err := strconv.Atoi(m[2] + m[3])
		if err != nil {
			t.Fatal(err)
		}
		got[m[1]] = tenths
	}
	if len(got) != len(units) {
		t.Fatalf("%d scores of %d units:\n%s", len(got), len(units), out)
	}
	return got
}

// TestExposure keeps every kind of unit as tight as it is.
func TestExposure(t *testing.T) {
	const most = 12 // 1.2
	p := hello()
	p.Timers = []plan.Timer{{Name: "cleanup", OnCalendar: "daily", Exec: plan.Line("/usr/bin/hello", "cleanup"), Limits: p.Unit.Limits}}
	p.Deploy.Probe = plan.Probe{Type: "exec", Command: plan.Line("/usr/bin/hello", "check")}
	units := services(p)
	// The measure must see what is taken away.
	units["loose.service"] = []byte(strings.Replace(string(units["hello.service"]), "ProtectSystem=strict", "ProtectSystem=no", 1))
	got := exposures(t, units)
	for _, name := range []string{"hello.service", "hello-cleanup.service", "hello-probe.service"} {
		if got[name] > most || got[name] == 0 {
			t.Errorf("%s: the exposure is %d tenths, more than %d", name, got[name], most)
		}
	}
	if got["loose.service"] <= got["hello.service"] {
		t.Errorf("a looser unit went unseen: %v", got)
	}
}

// TestCosts measures what the tables of package spec say of each loosening and
// of each capability.
func TestCosts(t *testing.T) {
	units := map[string][]byte{"hello.service": services(hello())["hello.service"]}
	want := map[string]int{}
	add := func(name string, s plan.Sandbox, cost int) {
		p := hello()
		p.Unit.Sandbox = s
		units[name+".service"], want[name+".service"] = services(p)["hello.service"], cost
	}
	for _, q := range spec.Permissions() {
		l := plan.Loosening{Name: q.Name}
		if err := yaml.Unmarshal([]byte(q.Takes), &l.Values); err != nil {
			t.Fatal(err)
		}
		add(q.Name, plan.Sandbox{Allow: []plan.Loosening{l}}, q.Cost)
	}
	for _, c := range spec.Capabilities() {
		add(c.Name, plan.Sandbox{Capabilities: []string{c.Name}}, c.Cost)
	}
	got := exposures(t, units)
	for name, cost := range want {
		if added := got[name] - got["hello.service"]; added != cost {
			t.Errorf("%s adds %d tenths, the table says %d", strings.TrimSuffix(name, ".service"), added, cost)
		}
	}
}
