package cli

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/policy"
	"github.com/kinectl/kinectl/internal/spec"
)

// TestEachIsForbidden: whatever a policy can forbid, a deploy refuses until
// policy.yml opens it. The script repo_policy.txtar does so for publish, by the same check.
func TestEachIsForbidden(t *testing.T) {
	dir := t.TempDir()
	f := func(lines, rule, open string) {
		t.Helper()
		text := []byte("service:\n  name: films\n  group: apps\n  description: d\n  limits: {mem: 64M}\n" + lines)
		s, findings := spec.Parse("spec.yml", text)
		if findings.HasErrors() {
			t.Fatalf("%s: %+v", lines, findings)
		}
		p := plan.Build(s, plan.Facts{})
		p.Spec = text
		for _, try := range []struct {
			policy string
			code   int
		}{{"defaults: false\n", exitUsage}, {"defaults: false\ngroups: {cdn: " + open + "}\n", exitUsage}, {"defaults: false\ngroups: {apps: " + open + "}\n", exitDone}} {
			if err := os.WriteFile(filepath.Join(dir, policy.File), []byte(try.policy), 0o644); err != nil {
				t.Fatal(err)
			}
			var stdout, stderr strings.Builder
			err := (&app{stdout: &stdout, stderr: &stderr}).allowed(p, dir)
			code := exitDone
			if e := (*exitError)(nil); errors.As(err, &e) {
				code = e.code
			}
			if code != try.code || strings.Contains(stderr.String(), "["+rule+"]") != (code == exitUsage) {
				t.Errorf("%s with %s: code %d, %s", lines, try.policy, code, stderr.String())
			}
		}
	}
	f("  security: {owner: root}\n", "policy-owner", "{root: true}")
	f("  security: {owner: films, group: root}\n", "policy-owner", "{root: true}")
	f("  files: [{src: a, dst: /usr/share/other/a}]\n", "policy-files", "{files: [/usr/share/other]}")
	f("  capabilities: [CAP_NET_ADMIN]\n", "policy-capability", "{capabilities: [CAP_NET_ADMIN]}")
	for _, p := range spec.Permissions() {
		entry := p.Name
		switch {
		case strings.HasPrefix(p.Takes, "[/dev"):
			entry = "{" + p.Name + ": [/dev/dri]}"
		case strings.HasPrefix(p.Takes, "[/"):
			entry = "{" + p.Name + ": [/srv/other]}"
		case p.Takes != "":
			entry = "{" + p.Name + ": " + p.Takes + "}"
		}
		f("  security: {allow: ["+entry+"]}\n", "policy-allow", "{allow: ["+p.Name+"]}")
	}
}
