package release

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// told runs the callback's lines through a teller, as run does, and returns
// the results as "host:result:reason" and the events as "stage/host/…".
func told(t *testing.T, lines string) (out *Outcome, results, events []string) {
	t.Helper()
	out = &Outcome{Service: "hello"}
	teller := teller{out: out, began: map[string]string{}, told: map[string]bool{}, lost: map[string]line{}, progress: func(e Event) {
		what := string(e.Result.Result)
		if e.Started {
			what = "started"
		}
		events = append(events, strings.TrimRight(fmt.Sprintf("%s/%s/%s", e.Stage, e.Host, what), "/"))
	}}
	for text := range strings.Lines(strings.TrimSpace(lines)) {
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		teller.event(l)
	}
	teller.unfinished(false)
	teller.unreachable()
	for _, r := range out.Hosts {
		results = append(results, strings.TrimSuffix(fmt.Sprintf("%s:%s:%s", r.Host, r.Result, r.Reason), ":"))
	}
	return out, results, events
}

// What Ansible says at the start of every run.
const prepared = `
{"event": "play", "play": "Prepare", "task": "", "host": "", "result": {}}
{"event": "start", "play": "Prepare", "task": "Reach every host", "host": "h1", "result": {}}
{"event": "start", "play": "Prepare", "task": "Reach every host", "host": "h2", "result": {}}
`

const ready = prepared + `
{"event": "ok", "play": "Prepare", "task": "Reach every host", "host": "h1", "result": {"result": "ready", "changed": false}}
{"event": "ok", "play": "Prepare", "task": "Reach every host", "host": "h2", "result": {"result": "ready", "changed": false}}
{"event": "play", "play": "Deploy", "task": "", "host": "", "result": {}}
{"event": "start", "play": "Deploy", "task": "Run the transaction", "host": "h1", "result": {}}
`

func TestTeller(t *testing.T) {
	f := func(lines, want string) {
		t.Helper()
		_, results, _ := told(t, strings.ReplaceAll(lines, "\n\n", "\n"))
		if got := strings.Join(results, " "); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	f(ready+`{"event": "ok", "play": "Deploy", "task": "", "host": "h1", "result": {"result": "deployed", "changed": true}}`, "h1:deployed")
	f(ready+`{"event": "failed", "play": "Deploy", "task": "", "host": "h1", "result": {"failed": true, "result": "rolled-back", "reason": "got 500, not 200", "msg": "rolled-back: got 500, not 200"}}`, "h1:rolled-back:got 500, not 200")
	f(ready+`{"event": "failed", "play": "Deploy", "task": "", "host": "h1", "result": {"failed": true, "result": "locked", "reason": "another release"}}`, "h1:locked:another release")
	f(prepared+`{"event": "failed", "play": "Prepare", "task": "", "host": "h2", "result": {"failed": true, "result": "failed", "reason": "disk full"}}`, "h2:failed:disk full")

	// Ansible ended first. A host whose turn it was not, or whose migration is done, is not in it.
	const alone = "under way when kinectl lost sight of it: the host finishes it alone, or goes back by itself; `kinectl status` tells which"
	f(ready, "h1:unfinished:"+alone)
	f(ready+`{"event": "skipped", "play": "Deploy", "task": "Run the transaction", "host": "h1"}`, "")
	const migrates = prepared + `{"event": "start", "play": "Prepare", "task": "Run deploy.before once, when a host will change", "host": "h1"}` + "\n"
	f(migrates, "h1:unfinished:deploy.before was under way when kinectl lost sight of it, and goes on alone; nothing else was done")
	f(migrates+`{"event": "ok", "play": "Prepare", "task": "Run deploy.before once, when a host will change", "host": "h1", "result": {"result": "ran"}}`, "")
	f(migrates+`{"event": "ok", "play": "Prepare", "task": "Run deploy.before once, when a host will change", "host": "h1", "result": {"result": "ready"}}`, "") // --check
	f(migrates+`{"event": "skipped", "play": "Prepare", "task": "Run deploy.before once, when a host will change", "host": "h1"}`, "")

	// A migration is told, but is no host's result.
	f(prepared+`{"event": "ok", "play": "Prepare", "task": "Run deploy.before once", "host": "h1", "result": {"result": "ran", "version": "1.2.0"}}`, "")
	f(prepared+`{"event": "failed", "play": "Prepare", "task": "Run deploy.before once", "host": "h1", "result": {"failed": true, "result": "failed", "reason": "deploy.before failed"}}`, "h1:failed:deploy.before failed")

	// A task that is not ours, or a module that never came to speak.
	f(ready+`{"event": "failed", "play": "Deploy", "task": "", "host": "h1", "result": {"msg": "MODULE FAILURE\nSee stdout", "module_stderr": "sudo: a password\nis required"}}`, "h1:failed:MODULE FAILURE See stdout sudo: a password is required")
	f(ready+`{"event": "failed", "play": "Deploy", "task": "", "host": "h1", "result": {"msg": ["no", "text"]}}`, "h1:failed")

	f(`{"event": "failed", "play": "Monitoring", "task": "", "host": "m1", "result": {"msg": "failed to validate", "stdout": "", "stderr": "no such\n function"}}`, "m1:failed:failed to validate no such function")

	// Lost before and in the middle; a host that came back has its own word.
	f(prepared+`{"event": "unreachable", "play": "Prepare", "task": "", "host": "h1", "result": {"msg": "Connection refused"}}`, "h1:unreachable:Connection refused")
	f(ready+`{"event": "unreachable", "play": "Deploy", "task": "", "host": "h1", "result": {"msg": "Connection reset"}}`, "h1:unreachable:Connection reset")
	f(`{"event": "unreachable", "play": "Prepare", "task": "", "host": "h1", "result": {"msg": "x"}}`+"\n"+
		`{"event": "ok", "play": "Deploy", "task": "", "host": "h1", "result": {"result": "unchanged"}}`, "h1:unchanged")

	// A monitoring host counts too: its silence is no success.
	f(`{"event": "play", "play": "Monitoring"}`+"\n"+`{"event": "failed", "play": "Monitoring", "host": "m1", "result": {"msg": "no space"}}`, "m1:failed:no space")
	f(`{"event": "play", "play": "Monitoring"}`+"\n"+`{"event": "unreachable", "play": "Monitoring", "host": "m1", "result": {"msg": "gone"}}`, "m1:unreachable:gone")
	f(ready+`{"event": "ok", "play": "Deploy", "host": "h1", "result": {"result": "deployed"}}`+"\n"+
		`{"event": "unreachable", "play": "Monitoring", "host": "h1", "result": {"msg": "gone"}}`, "h1:deployed h1:unreachable:gone")
	f(`{"event": "ok", "play": "Monitoring", "host": "m1", "result": {"changed": true}}`, "")
}

func TestTellerMonitored(t *testing.T) {
	f := func(want bool, lines string) {
		t.Helper()
		if out, _, _ := told(t, lines); out.Monitored != want {
			t.Errorf("%s: monitored is %t", lines, out.Monitored)
		}
	}
	f(false, `{"event": "play", "play": "Deploy"}`)
	f(true, `{"event": "play", "play": "Monitoring"}`)
	f(false, `{"event": "play", "play": "Monitoring"}`+"\n"+`{"event": "no-hosts", "play": "Monitoring"}`)
	f(true, `{"event": "play", "play": "Monitoring"}`+"\n"+`{"event": "no-hosts", "play": "Cleanup"}`)
}

func TestTellerProgress(t *testing.T) {
	_, _, events := told(t, strings.ReplaceAll(ready, "\n\n", "\n")+
		`{"event": "ok", "play": "Deploy", "task": "", "host": "h1", "result": {"result": "deployed"}}`)
	want := []string{"Prepare", "Deploy", "Deploy/h1/started", "Deploy/h1/deployed"}
	if !slices.Equal(events, want) {
		t.Errorf("events are %q, want %q", events, want)
	}
}

// TestReported reads a whole line of the transaction script.
func TestReported(t *testing.T) {
	r := reported(line{Host: "h1", Result: json.RawMessage(`{"format":1,"service":"hello","action":"install","version":"1.2.0","digest":"0123456789ab","from":"1.1.0",` +
		`"release":3,"result":"rolled-back","changed":true,"reason":"got 500","who":"ann from 198.51.100.1","when":"2026-01-02T03:04:05Z","seconds":2.5,"failed":true,"msg":"rolled-back: got 500","log":["a","b"]}`)})
	want := HostResult{
		Host: "h1", Action: "install", Version: "1.2.0", From: "1.1.0", Result: RolledBack, Changed: true, Reason: "got 500", Digest: "0123456789ab",
		Release: 3, Who: "ann from 198.51.100.1", When: "2026-01-02T03:04:05Z", Seconds: 2.5, Log: []string{"a", "b"},
	}
	if fmt.Sprintf("%+v", r) != fmt.Sprintf("%+v", want) {
		t.Errorf("got\n%+v\nwant\n%+v", r, want)
	}
}
