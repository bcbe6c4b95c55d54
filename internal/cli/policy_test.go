package cli

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/spec"
	"github.com/kinectl/kinectl/internal/version"
)

// TestAllowed judges the spec that a package carries by the policy of the day.
func TestAllowed(t *testing.T) {
	src := []byte("service:\n  name: films\n  group: apps\n  description: d\n  security:\n    # lint:ignore policy-owner no comment opens anything\n    owner: root\n")
	s, _ := spec.Parse("spec.yml", src)
	v, err := version.Parse("1.2.0")
	if err != nil {
		t.Fatal(err)
	}
	p := plan.Build(s, plan.Facts{Version: v})
	dir := t.TempDir()
	f := func(policy string, code int, want string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "policy.yml"), []byte(policy), 0o644); err != nil {
			t.Fatal(err)
		}
		var stdout, stderr strings.Builder
		err := (&app{stdout: &stdout, stderr: &stderr}).allowed(p, dir)
		got := exitDone
		if e := (*exitError)(nil); errors.As(err, &e) {
			got = e.code
		}
		if got != code || !strings.Contains(stderr.String(), want) || stdout.Len() > 0 {
			t.Errorf("with %q: %v, code %d\n%s", policy, err, got, stderr.String())
		}
	}
	f("", exitUsage, "spec.yml of films 1.2.0:7:12: error: root as the user is not open to the group apps [policy-owner]")
	f("groups: {apps: {root: true}}\n", exitDone, "")
	f("groups: {cdn: {root: true}}\n", exitUsage, "policy-owner")
	f("groups: {apps: {rot: true}}\n", exitUsage, "unknown-key")
}
