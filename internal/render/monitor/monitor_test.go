package monitor

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/kinectl/kinectl/internal/plan"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestFiles(t *testing.T) {
	files := Files(plan.Plan{Name: "hello", Unit: plan.Unit{Limits: plan.Limits{NoFile: 65536}}})
	const golden = "testdata/hello.rules.yml"
	if *update {
		if err := os.WriteFile(golden, files[0].Body, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil || !bytes.Equal(files[0].Body, want) || files[0].Path != "monitor/hello.rules.yml" {
		t.Errorf("%v; %s:\n%s", err, files[0].Path, files[0].Body)
	}
	var parsed struct {
		Groups []struct {
			Rules []struct{ Alert, Expr string }
		}
	}
	if err := yaml.Unmarshal(want, &parsed); err != nil || len(parsed.Groups) != 1 || len(parsed.Groups[0].Rules) != 3 {
		t.Errorf("not the YAML that was meant: %+v, %v", parsed, err)
	}
}

// TestPromtool gives the rules to Prometheus' own check.
func TestPromtool(t *testing.T) {
	if _, err := exec.LookPath("promtool"); err != nil {
		t.Skip("promtool is not installed: the rules were not given to Prometheus")
	}
	file := filepath.Join(t.TempDir(), "rules.yml")
	if err := os.WriteFile(file, Files(plan.Plan{Name: "hello"})[0].Body, 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("promtool", "check", "rules", file).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
