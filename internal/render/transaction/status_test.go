package transaction

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// seen is a host whose service is sick and has drifted, if anybody looks. $sub is the
// state of the units of a transaction, its guard and their retries, a word each.
const seen = `work=$KINECTL_TEST home=$work/home txn=$home/txn history=$home/releases.jsonl lease=$work/lease freezer=$work/freezer
	mkdir -p "$home" "$lease"; sub=dead
	systemctl() { case "$*" in *SubState*) say "$sub" ;; *is-active*) [ "$sub" = running ] ;; *ActiveState,NRestarts*) say ActiveState=active; say NRestarts=0 ;; esac; }
	installed_version() { say 1.2.0~rc1; }; is_stopped() { false; }; group_of_service() { :; }; conflicts() { say 'port 9090 is also that of other'; }
	sweep() { :; }; looks_well() { sickness='no answer'; false; }; drift() { say 'a file is missing'; }
	leased() { say '{"id":"a1","who":"anna from 192.0.2.1","what":"deploy of 1.3.0","since":"2026-01-01T00:00:00Z","ttl":"60"}' >"$lease/holder"; cat /proc/uptime >"$lease/beat-a1"; }
	`

// TestStatusOfABusyHost: in the middle of a release nothing is as it was deployed, and
// none of that is drift; who is at it is what there is to say.
func TestStatusOfABusyHost(t *testing.T) {
	f := func(words, health, reason string, found int) {
		t.Helper()
		dir := t.TempDir()
		if out, err := sourced(t, hello(), seen+words+"\nstatus", "KINECTL_TEST="+dir); err != nil || out != "" {
			t.Fatalf("%s: %v: %s", words, err, out)
		}
		text, err := os.ReadFile(filepath.Join(dir, "result"))
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			Health, Reason   string
			Busy             bool
			Drift, Conflicts []string
		}
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatalf("%s: %v: %s", words, err, text)
		}
		if got.Health != health || got.Reason != reason || got.Busy != (found == 0) || len(got.Drift) != found || len(got.Conflicts) != found {
			t.Errorf("%s: got %+v", strings.ReplaceAll(words, "\n", " "), got)
		}
	}
	const anna = "deploy of 1.3.0 by anna from 192.0.2.1, since 2026-01-01T00:00:00Z"
	f("", "sick", "no answer", 1)
	f("leased", "sick", "no answer", 1) // she waits for another host
	f("leased; sub=running", "changing", anna, 0)
	f("leased; sub=stop-post", "changing", anna, 0) // the guard
	f("sub=stop-post", "changing", "a release whose deployer is gone, which this host ends by itself", 0)
	f("sub='dead\n\nstart'", "changing", "a release whose deployer is gone, which this host ends by itself", 0)                                                // after a boot
	f("sub='dead\n\nauto-restart'", "sick", "no answer", 1)                                                                                                    // until the next try
	f("sub=running; at_work() { [ ! -e $work/asked ] && : >$work/asked; }", "changing", "a release whose deployer is gone, which this host ends by itself", 0) // it ends meanwhile
	f("leased; drift() { say running >$work/sub; say 'a file is missing'; }; looks_well() { false; }; systemctl() { case $* in *SubState*) cat $work/sub 2>/dev/null ;; esac; }", "changing", anna, 0)
}

// TestCommitted: what a host has by a rollback it still has by that after a restart, a
// release that went back, or a freeze.
func TestCommitted(t *testing.T) {
	f := func(want string, results ...string) {
		t.Helper()
		words := ""
		for _, r := range results {
			words += "say '{\"action\":\"" + strings.Replace(r, " ", `","result":"`, 1) + "\"}' >>\"$history\"; "
		}
		dir := t.TempDir()
		if out, err := sourced(t, hello(), seen+words+"\nstatus", "KINECTL_TEST="+dir); err != nil || out != "" {
			t.Fatalf("%s: %v: %s", words, err, out)
		}
		text, err := os.ReadFile(filepath.Join(dir, "result"))
		if err != nil {
			t.Fatal(err)
		}
		var got struct{ Committed *struct{ Action string } }
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatalf("%s: %v: %s", words, err, text)
		}
		if was := got.Committed; (was == nil) != (want == "") || was != nil && was.Action != want {
			t.Errorf("%q: got %+v, want %q", results, was, want)
		}
	}
	f("")
	f("", "install rolled-back")
	f("install", "restore restored", "install deployed", "remove failed")
	f("restore", "install deployed", "restore restored", "restart restarted", "install rolled-back", "stop stopped", "start started", "freeze frozen")
}

// TestCrashIsPast: of a service that systemd has started again, ten minutes later.
func TestCrashIsPast(t *testing.T) {
	f := func(want, words string) {
		t.Helper()
		const running = `uptime() { now=100000; }; systemctl() { case $* in *NRestarts*) say ActiveState=$state; say NRestarts=$crashes ;; *) say $since ;; esac; }
			probe() { :; }; says_version() { :; }; listening() { :; }; state=active crashes=1 since=0 runs=true; `
		got, err := sourced(t, hello(), running+words+`; looks_well && say "well$reason" || say "$reason"`)
		if got != want+"\n" || err != nil {
			t.Errorf("%s: got %q, want %q; %v", words, got, want, err)
		}
	}
	const crashed = "hello.service crashed and was started again by systemd"
	f("well", "since=999999999; crashes=0") // just now
	f(crashed, "since=999999999")
	f(crashed, "since=400010000")
	f("well", "since=400000000") // microseconds; now is 1,000 s
	f(crashed, "state=activating")
	f("hello.service is failed", "state=failed crashes=0")
}
