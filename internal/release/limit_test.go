package release

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/kinectl/kinectl/internal/needs"
)

// TestChoose asks the real Ansible what a limit means: who is deployed, whose lease
// is taken beside them, and which Prometheus is told.
func TestChoose(t *testing.T) {
	needs.Program(t, "ansible", "no playbook was run")
	root := t.TempDir()
	t.Setenv("HOME", root)
	t.Setenv("XDG_CACHE_HOME", root)
	t.Setenv("ANSIBLE_CONFIG", "")
	in, err := OpenInfra(t.Context(), infra(t, map[string]string{hostsFile: "[applications]\nh1\nh2\nh3\n[monitoring]\nh3\nm1\nm2\n"}), "production")
	if err != nil {
		t.Fatal(err)
	}
	hosts, _ := in.Hosts("applications")
	f := func(limit string, tells bool, want string) {
		t.Helper()
		chosen, s, err := Options{Infra: in, Limit: limit, tells: tells}.choose(t.Context(), "applications", hosts)
		got := strings.Join(chosen, ",")
		if err != nil {
			got = err.Error()
		} else if s != nil {
			got = s.Hosts + " | " + s.Lease + " | " + s.Monitoring
		}
		if got != want && (err == nil || !strings.Contains(got, want)) {
			t.Errorf("limit %q, %t: got %q, want %q", limit, tells, got, want)
		}
	}
	f("", true, "h1,h2,h3")
	f("h1", true, "h1 | applications[0],h2,h3 | h3,m1,m2")
	f("h3,h2", true, "h2,h3 | applications[0],h1 | h3,m1,m2")
	f("h1:h2", true, "h1,h2 | applications[0],h3 | h3,m1,m2")
	f("h1:monitoring", true, "h1,h3 | applications[0],h2 | h3,m1,m2")
	f("applications:&h2", true, "h2 | applications[0],h1,h3 | h3,m1,m2")
	// An exclusion may mean a Prometheus.
	f("applications:!h2", true, "h1,h3 | applications[0],h2 | h3")
	f("h1:m1:!m2", true, "h1 | applications[0],h2,h3 | m1")
	// Taking it off one host leaves the targets of the others.
	f("h1", false, "h1 | applications[0],h2,h3 | all:!all")
	f("h9", true, "--limit h9: ")
	f("m1", true, "--limit m1 leaves none of h1 h2 h3")

	// Plain names need no Ansible.
	t.Setenv("PATH", filepath.Join(root, "none"))
	f("h2", true, "h2 | applications[0],h1,h3 | h3,m1,m2")
	f("h*", true, "ansible is not on this machine")
}
