package monitor

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"text/template"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/spec"
)

var update = flag.Bool("update", false, "write the golden files anew")

func hello() plan.Plan {
	return plan.Plan{
		Name: "hello", Unit: plan.Unit{Start: plan.Line("/usr/bin/hello"), Limits: plan.Limits{NoFile: 65536}},
		Deploy: plan.Deploy{Probe: plan.Probe{Metrics: 9090}},
	}
}

func everyKey(t *testing.T) plan.Plan {
	t.Helper()
	src, err := os.ReadFile("../../spec/testdata/every-key.yml")
	if err != nil {
		t.Fatal(err)
	}
	s, findings := spec.Parse("every-key.yml", src)
	if findings.HasErrors() {
		t.Fatalf("%+v", findings)
	}
	return plan.Build(s, plan.Facts{})
}

// rule is one rule as Prometheus reads it.
type rule struct {
	Alert, Expr, For    string
	Labels, Annotations map[string]string
}

func read(t *testing.T, p plan.Plan) []rule {
	t.Helper()
	var parsed struct{ Groups []struct{ Rules []rule } }
	if err := yaml.Unmarshal(Files(p)[0].Body, &parsed); err != nil || len(parsed.Groups) != 1 {
		t.Fatalf("%v, %+v", err, parsed)
	}
	return parsed.Groups[0].Rules
}

func TestFiles(t *testing.T) {
	for _, p := range []plan.Plan{hello(), everyKey(t)} {
		files, golden := Files(p), "testdata/"+p.Name+".rules.yml"
		if *update {
			if err := os.WriteFile(golden, files[0].Body, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil || !bytes.Equal(files[0].Body, want) || files[0].Path != "monitor/"+p.Name+".rules.yml" {
			t.Errorf("%v; %s:\n%s", err, files[0].Path, files[0].Body)
		}
	}
}

func TestWhichRules(t *testing.T) {
	f := func(want string, change func(*plan.Plan)) {
		t.Helper()
		p := hello()
		change(&p)
		var names []string
		if len(Files(p)) > 0 {
			for _, r := range read(t, p) {
				names = append(names, r.Alert)
				if r.Labels["service"] != "hello" || r.Labels["severity"] == "" || r.Annotations["summary"] == "" {
					t.Errorf("%+v", r)
				}
			}
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("rules %q, want %q", got, want)
		}
	}
	const standard = "ServiceDown ServiceRestarting ServiceFilesRunningOut"
	silent := func(p *plan.Plan) { p.Deploy.Probe.Metrics = 0 }
	own := func(p *plan.Plan) {
		p.Alerts = []plan.Alert{{Name: "Queue", Expr: "q > 1", Severity: "info", Summary: "s"}}
	}
	task := func(p *plan.Plan) { p.Timers = []plan.Timer{{Name: "a"}, {Name: "b"}} }
	f(standard, func(*plan.Plan) {})
	f(standard+" Queue", own)
	f(standard+" TaskFailed TaskFailed", task)
	f("", silent)
	f("Queue", func(p *plan.Plan) { silent(p); own(p) })
	f("TaskFailed TaskFailed", func(p *plan.Plan) { silent(p); task(p); p.Unit.Start = nil })
}

func TestDuration(t *testing.T) {
	f := func(in time.Duration, want string) {
		t.Helper()
		if got := duration(in); got != want {
			t.Errorf("%s is %s, want %s", in, got, want)
		}
	}
	f(5*time.Minute, "5m")
	f(24*time.Hour, "24h")
	f(90*time.Second, "90s")
	f(1500*time.Millisecond, "1500ms")
	f(time.Nanosecond, "1ms")
}

// hostile is a plan whose alerts are full of what means something to YAML or to
// Prometheus.
func hostile() plan.Plan {
	p := hello()
	for i, s := range []string{
		"plain", "'", `"`, `\`, `a: b # c`, "- x", "{{ $value }}", "{{", "}}", "{{{", `{{"{{"}}`, "{{ query `up` }}", "[[ .Name ]]", "100 %", "\x7f\u0081", "\u2028", "世界 🚀", "&a *a !!x", "|", "",
		"x\n      - alert: Injected\n", "\ufeff", strings.Repeat("long ", 100),
	} {
		p.Alerts = append(p.Alerts, plan.Alert{
			Name: fmt.Sprintf("A%d", i), Expr: "up{x=" + fmt.Sprintf("%q", s) + "} > 1", For: time.Duration(i) * time.Millisecond,
			Severity: "warning", Summary: s,
		})
	}
	return p
}

// TestHostile holds that every value arrives to the letter: the expression as
// it is, the summary when Prometheus has expanded it.
func TestHostile(t *testing.T) {
	p := hostile()
	rules := read(t, p)
	if len(rules) != 3+len(p.Alerts) {
		t.Fatalf("%d rules of %d", len(rules), 3+len(p.Alerts))
	}
	for i, a := range p.Alerts {
		r := rules[3+i]
		var shown strings.Builder
		if err := template.Must(template.New("").Parse(r.Annotations["summary"])).Execute(&shown, nil); err != nil {
			t.Errorf("%q: %v", a.Summary, err)
		}
		if shown.String() != a.Summary || r.Expr != a.Expr || r.Alert != a.Name {
			t.Errorf("%+v became %+v", a, r)
		}
	}
}

// TestPromtool gives the rules to Prometheus' own check, and lets Prometheus'
// own tests say what fires.
func TestPromtool(t *testing.T) {
	if _, err := exec.LookPath("promtool"); err != nil {
		if os.Getenv("KINECTL_E2E") == "required" {
			t.Fatal("promtool is not installed")
		}
		t.Skip("promtool is not installed: the rules were not given to Prometheus")
	}
	dir := t.TempDir()
	write := func(name string, body []byte) string {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, body, 0o644); err != nil {
			t.Fatal(err)
		}
		return file
	}
	for i, p := range []plan.Plan{hello(), everyKey(t), hostile()} {
		file := write(fmt.Sprintf("rules%d.yml", i), Files(p)[0].Body)
		if out, err := exec.Command("promtool", "check", "rules", "--lint-fatal", file).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	}
	bad := hello()
	bad.Alerts = []plan.Alert{{Name: "A", Expr: "up >", Severity: "info"}}
	if out, err := exec.Command("promtool", "check", "rules", write("bad.yml", Files(bad)[0].Body)).CombinedOutput(); err == nil {
		t.Errorf("a bad expression went unseen: %s", out)
	}
	// A service that was never scraped, one that is well, and one that is down.
	tests := write("tests.yml", []byte(`rule_files: [rules1.yml]
tests:
  - interval: 1m
    input_series: []
    alert_rule_test:
      - {eval_time: 10m, alertname: ServiceDown, exp_alerts: []}
      - {eval_time: 10m, alertname: ServiceRestarting, exp_alerts: []}
      - {eval_time: 10m, alertname: ServiceFilesRunningOut, exp_alerts: []}
      - {eval_time: 10m, alertname: TaskFailed, exp_alerts: []}
      - {eval_time: 10m, alertname: FilmsQueueTooLong, exp_alerts: []}
  - interval: 1m
    input_series:
      - {series: 'up{job="films", instance="h1"}', values: '0x10'}
      - {series: 'up{job="films", instance="h2"}', values: '1x10'}
      - {series: 'films_queue_length{queue="encode", instance="h2"}', values: '101x10'}
      - {series: 'node_systemd_unit_state{name="films-cleanup.service", state="failed", instance="h2"}', values: '1x10'}
    alert_rule_test:
      - eval_time: 5m
        alertname: ServiceDown
        exp_alerts:
          - exp_labels: {job: films, instance: h1, service: films, severity: critical}
            exp_annotations: {summary: films on h1 does not answer}
      - eval_time: 5m
        alertname: FilmsQueueTooLong
        exp_alerts:
          - exp_labels: {queue: encode, instance: h2, service: films, severity: critical}
            exp_annotations: {summary: More than 100 films wait}
      - eval_time: 5m
        alertname: TaskFailed
        exp_alerts:
          - exp_labels: {name: films-cleanup.service, state: failed, instance: h2, service: films, task: cleanup, severity: warning}
            exp_annotations: {summary: the task cleanup of films failed on h2}
`))
	if out, err := exec.Command("promtool", "test", "rules", tests).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
