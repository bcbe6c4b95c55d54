package plan

import (
	"reflect"
	"testing"
	"time"

	"github.com/kinectl/kinectl/internal/spec"
	"github.com/kinectl/kinectl/internal/version"
)

func parsed(t *testing.T, text string) Plan {
	t.Helper()
	s, findings := spec.Parse("spec.yml", []byte(text))
	if findings.HasErrors() {
		t.Fatalf("%+v", findings)
	}
	v, err := version.Parse("v1.2.3-rc1")
	if err != nil {
		t.Fatal(err)
	}
	return Build(s, Facts{Version: v, BuildTime: time.Date(2024, 5, 6, 9, 8, 9, 10, time.FixedZone("", 3600))})
}

func TestBuildDefaults(t *testing.T) {
	const text = "service:\n  name: my-api\n  group: apps\n  description: Films\n"
	want := Plan{
		Name: "my-api", Group: "apps", Description: "Films",
		Version:   version.Version{Label: "1.2.3-rc1", Deb: "1.2.3~rc1", RPM: "1.2.3~rc1", APK: "1.2.3_rc1", Arch: "1.2.3rc1"},
		BuildTime: time.Date(2024, 5, 6, 8, 8, 9, 0, time.UTC),
		Unit: Unit{
			User: "my-api", Group: "my-api", Start: Line("/usr/bin/my-api"), StopSignal: "SIGINT", Type: "exec",
			Limits: Limits{MemoryMax: "512M", NoFile: 65536, TasksMax: 4096},
		},
		Program: Program{Main: ".", Archs: []string{"amd64"}},
		Package: Package{Maintainer: "apps <apps@kinectl.invalid>", License: "proprietary"},
		Ports:   []string{"*:9090"},
		Deploy: Deploy{
			Serial: []string{"1"}, OnFailure: "stop",
			Probe: Probe{
				Type: "http", Port: 9090, Path: "/metrics", Status: 200,
				Timeout: time.Minute, Settle: 5 * time.Second, Version: true, Metrics: 9090,
			},
		},
		Spec: []byte(text),
	}
	if got := parsed(t, text); !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
}

func TestBuildSpec(t *testing.T) {
	p := parsed(t, `service:
  name: my-api
  group: apps
  description: Films
  deploy: {serial: [1, "50%"], probe: {type: tcp, port: 8080}}
  limits: {mem: unlimited, no_file: 10_000}
  resources: [redis, postgres]
  environments: |
    METRICS_ADDRESS=127.0.0.1:9100
    A=x{{ b }}{{ a | default(c) }}
    EMPTY=
`)
	f := func(what string, got, want any) {
		t.Helper()
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s is %+v, want %+v", what, got, want)
		}
	}
	f("resources", p.Resources, []string{"redis_url", "postgres_dsn"})
	f("serial", p.Deploy.Serial, []string{"1", "50%"})
	f("probe", p.Deploy.Probe, Probe{Type: "tcp", Port: 8080, Timeout: time.Minute, Settle: 5 * time.Second, Version: true, Metrics: 9100})
	f("ports", p.Ports, []string{"127.0.0.1:9100"})
	f("memory", p.Unit.Limits.MemoryMax, "infinity")
	f("needs", p.Needs, []string{"b", "c", "postgres_dsn", "redis_url"})
	f("environment", p.Environment, []Variable{
		{"REDIS_URL", []Part{{Expression: "redis_url"}}},
		{"POSTGRES_DSN", []Part{{Expression: "postgres_dsn"}}},
		{"METRICS_ADDRESS", []Part{{Literal: "127.0.0.1:9100"}}},
		{"A", []Part{{Literal: "x"}, {Expression: "b"}, {Expression: "a | default(c)"}}},
		{"EMPTY", nil},
	})
}

func TestBuildMetricsPortOfAnsible(t *testing.T) {
	p := parsed(t, "service:\n  name: my-api\n  group: apps\n  description: d\n  deploy: {probe: {type: none}}\n  environments: |\n    METRICS_ADDRESS={{ metrics }}\n")
	if got := p.Deploy.Probe; got.Metrics != 9090 || got.Port != 0 {
		t.Errorf("probe is %+v", got)
	}
}
