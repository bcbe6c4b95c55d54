package unit

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/spec"
	"github.com/kinectl/kinectl/internal/version"
)

var update = flag.Bool("update", false, "write the golden files anew")

// hello is the plan of a spec that says only what it must.
func hello() plan.Plan {
	return plan.Plan{
		Name: "hello", Group: "applications", Description: "Answers greetings",
		Version:   version.Version{Label: "1.0.0", Deb: "1.0.0"},
		BuildTime: time.Unix(1700000000, 0).UTC(),
		Unit: plan.Unit{
			User: "hello", Group: "hello", Start: plan.Line("/usr/bin/hello"), StopSignal: "SIGINT", Type: "exec",
			Limits: plan.Limits{MemoryMax: "512M", NoFile: 65536, TasksMax: 4096},
		},
		Spec: []byte("service:\n  name: hello\n"),
	}
}

// planned is the plan of a spec.
func planned(t testing.TB, src []byte) plan.Plan {
	t.Helper()
	s, findings := spec.Parse("spec.yml", src)
	if findings.HasErrors() {
		t.Fatalf("%+v", findings)
	}
	return plan.Build(s, plan.Facts{Version: version.Version{Label: "1.0.0", Deb: "1.0.0"}})
}

// everyKey is the plan of the spec that has every key.
func everyKey(t testing.TB) plan.Plan {
	t.Helper()
	src, err := os.ReadFile("../../spec/testdata/every-key.yml")
	if err != nil {
		t.Fatal(err)
	}
	return planned(t, src)
}

// jobs is the plan of a package that runs nothing but tasks and an exec probe.
func jobs(t testing.TB) plan.Plan {
	return planned(t, []byte(`service:
  name: sweeper
  group: applications
  description: Sweeps
  exec: {start: none}
  security: {owner: root}
  timers:
    - {name: sweep, on_calendar: hourly}
`))
}

// services returns the services of a plan, by their names.
func services(p plan.Plan) map[string][]byte {
	all := map[string][]byte{}
	for _, u := range units(p) {
		if strings.HasSuffix(u.name, ".service") {
			all[u.name] = u.body
		}
	}
	return all
}

func TestFiles(t *testing.T) {
	for _, p := range []plan.Plan{hello(), everyKey(t), jobs(t)} {
		for _, f := range Files(p) {
			if f.Path == "spec.yml" {
				if !bytes.Equal(f.Body, p.Spec) || f.Install != "/usr/share/kinectl/"+p.Name+"/spec.yml" {
					t.Errorf("%s is not the spec as it was read", f.Install)
				}
				continue
			}
			golden := filepath.Join("testdata", p.Name, filepath.FromSlash(f.Path))
			if *update {
				if err := os.MkdirAll(filepath.Dir(golden), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(golden, f.Body, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(f.Body, want) {
				t.Errorf("%s: got\n%s\nwant\n%s", golden, f.Body, want)
			}
			if !strings.HasPrefix(f.Install, "/usr/") || f.Mode != 0o644 {
				t.Errorf("%s: install %q, mode %o", f.Path, f.Install, f.Mode)
			}
		}
	}
}

// TestAccounts says which users, groups and folders a package makes.
func TestAccounts(t *testing.T) {
	f := func(user, group, wantUsers string) {
		t.Helper()
		p := hello()
		p.Unit.User, p.Unit.Group = user, group
		if got := string(sysusers(p)); got != wantUsers {
			t.Errorf("%s:%s makes %q, want %q", user, group, got, wantUsers)
		}
	}
	f("hello", "hello", "u hello - \"hello service\"\n")
	f("media", "media", "u media - \"media service\"\n")
	f("films", "media", "g media -\nu films -:media \"films service\"\n")
	f("films", "root", "u films -:root \"films service\"\n")
	f("root", "root", "")
	f("root", "media", "g media -\n")

	p := hello()
	p.Sockets = []plan.Socket{{Protocol: "unix", Address: "/run/hello-2/api.sock"}}
	if got := tmpfiles(p); got != nil {
		t.Errorf("a socket elsewhere makes %q", got)
	}
	p.Sockets = []plan.Socket{{Protocol: "unix", Address: "/run/hello/api.sock"}}
	if got := string(tmpfiles(p)); got != "d /run/hello 0755 hello hello -\n" {
		t.Errorf("a socket in the runtime directory makes %q", got)
	}
}
