package spec

import (
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestFindings compares all that Check says about each file of
// testdata/findings with the golden file beside it.
func TestFindings(t *testing.T) {
	files, err := filepath.Glob("testdata/findings/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no test files: %v", err)
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, findings := Check(filepath.Base(file), src)
		var b strings.Builder
		_ = findings.Write(&b, false)
		golden := strings.TrimSuffix(file, ".yml") + ".golden"
		if *update {
			if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if b.String() != string(want) {
			t.Errorf("%s: got\n%s\nwant\n%s", file, b.String(), want)
		}
	}
}

func TestParseValues(t *testing.T) {
	s, findings := Parse("spec.yml", []byte(`service:
  name: my-api
  group: applications
  description: " Serves: the \"catalogue\" "
  deploy:
    serial: [1, "25%", 1_000]
    probe: {type: tcp, port: 8_080, timeout: 1m30s, settle: 0s, version: false}
  limits: {mem: unlimited, no_file: 10_000}
  resources: [postgres, nats]
`))
	if len(findings) > 0 {
		t.Fatalf("findings: %+v", findings)
	}
	f := func(what string, got, want any) {
		t.Helper()
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s is %v, want %v", what, got, want)
		}
	}
	f("name", s.Name, Value[string]{"my-api", true, Pos{2, 9, 6}})
	f("description", s.Description.V, `Serves: the "catalogue"`)
	f("serial", s.Deploy.Serial.V, []string{"1", "25%", "1000"})
	f("port", s.Deploy.Probe.Port, Value[int]{8080, true, Pos{7, 30, 5}})
	f("timeout", s.Deploy.Probe.Timeout.V, 90*time.Second)
	f("settle", s.Deploy.Probe.Settle, Value[time.Duration]{0, true, Pos{7, 61, 2}})
	f("version", s.Deploy.Probe.Version.Or(true), false)
	f("status", s.Deploy.Probe.Status.Or(DefaultProbeStatus), 200)
	f("mem", s.Limits.Mem.V, "unlimited")
	f("no_file", s.Limits.NoFile.V, 10_000)
	f("resources", len(s.Resources), 2)
}

// TestStrangeNumbers: YAML knows them, and the hint says what to write.
func TestStrangeNumbers(t *testing.T) {
	f := func(line, message, hint string) {
		t.Helper()
		_, findings := Parse("spec.yml", []byte(minimal+"  "+line+"\n"))
		if len(findings) != 1 || findings[0].Rule != "bad-value" || findings[0].Message != message || findings[0].Hint != hint {
			t.Errorf("%s: %+v", line, findings)
		}
	}
	f("limits: {nice: +5}", `nice cannot be "+5"`, "write 5")
	f("limits: {no_file: 0x400}", `no_file cannot be "0x400"`, "write 1024")
	f("limits: {no_file: 0o2000}", `no_file cannot be "0o2000"`, "write 1024")
	f("limits: {nice: 05}", `nice cannot be "05"`, "write decimal digits, without a sign or zeros before them")
	f("deploy: {serial: +1}", `serial cannot be "+1"`, "write 1")
	f("deploy: {serial: [1, 0x2]}", `serial cannot be "0x2"`, "write 2")
}

func TestTooLarge(t *testing.T) {
	_, findings := Check("spec.yml", make([]byte, MaxSize+1))
	if len(findings) != 1 || findings[0].Rule != "too-large" {
		t.Errorf("findings: %+v", findings)
	}
}
