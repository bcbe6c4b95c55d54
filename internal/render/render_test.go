package render

import (
	"path"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/spec"
	"github.com/kinectl/kinectl/internal/version"
)

// spoken is a spec that sets what can be set.
const spoken = `service:
  name: my-api
  group: applications
  description: Films
  deploy: {serial: [1, "50%"], probe: {type: tcp, port: 8080}}
  limits: {mem: 2G, no_file: 10_000}
  resources: [redis]
  environments: |
    GREETING="{{ greeting }} 100%"
`

func planned(t *testing.T) plan.Plan {
	t.Helper()
	s, findings := spec.Parse("spec.yml", []byte(spoken))
	v, err := version.Parse("1.2.0")
	if findings.HasErrors() || err != nil {
		t.Fatal(findings, err)
	}
	return plan.Build(s, plan.Facts{Version: v})
}

func TestAll(t *testing.T) {
	files := All(planned(t))
	var paths, installed []string
	for _, f := range files {
		paths = append(paths, f.Path)
		if path.Clean(f.Path) != f.Path || path.IsAbs(f.Path) || strings.HasPrefix(f.Path, "..") {
			t.Errorf("%s leaves the folder that it is written to", f.Path)
		}
		if len(f.Body) == 0 || f.Mode&^0o777 != 0 || f.Mode&0o022 != 0 {
			t.Errorf("%s has %d bytes and the mode %o", f.Path, len(f.Body), f.Mode)
		}
		if f.Install != "" {
			installed = append(installed, f.Install)
			if !strings.HasPrefix(f.Install, "/usr/") {
				t.Errorf("%s is installed at %s, outside of /usr", f.Path, f.Install)
			}
		}
	}
	for _, want := range []string{"systemd/my-api.service", "spec.yml", "ansible/deploy.yml", "ansible/library/kinectl_transaction.sh", "monitor/my-api.rules.yml"} {
		if !slices.Contains(paths, want) {
			t.Errorf("there is no %s in %q", want, paths)
		}
	}
	for _, all := range [][]string{paths, installed} {
		slices.Sort(all)
		if n := len(slices.Compact(slices.Clone(all))); n != len(all) {
			t.Errorf("two files in one place: %q", all)
		}
	}
}

// TestAllAgain holds the promise of the same bytes, and that a plan is only
// read.
func TestAllAgain(t *testing.T) {
	p := planned(t)
	first := All(p)
	for range 20 {
		if !reflect.DeepEqual(All(p), first) {
			t.Fatal("the same plan gives other files")
		}
	}
	if !reflect.DeepEqual(p, planned(t)) {
		t.Error("rendering changed the plan")
	}
}
