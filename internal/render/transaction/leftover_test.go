package transaction

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestPatienceOfTheOldOne: going back waits for the old release as long as that may
// take, and what comes after it has its own time again.
func TestPatienceOfTheOldOne(t *testing.T) {
	f := func(want, before string) {
		t.Helper()
		dir, setup := swapHost(t, map[string]string{"hello-next.service": ""})
		got, err := sourced(t, hello(), setup+`runs=true txn=$work unit_folder=$work; mkdir "$txn/old"
			timeout() { say "waits $1 s"; }; untouched() { false; }; `+before+`
			swap_back; say "$probe_timeout $version"`, "KINECTL_TEST="+dir)
		if got != want+"\n20 1.2.0-rc1\n" || err != nil {
			t.Errorf("%s: got %q, want %q; %v", before, got, want, err)
		}
	}
	f("waits 8 s", `say "probe_timeout=700 version=1.1.0" >"$txn/old/parameters"`)
	f("waits 1 s", ":") // the old one was not installed by us
}

// TestStopNext: who could not be stopped keeps its marker. What went well asks nothing.
func TestStopNext(t *testing.T) {
	f := func(want, stop, state string) {
		t.Helper()
		got, err := sourced(t, hello(), `next_marker=$KINECTL_TEST/marker; : >"$next_marker"
			systemctl() { case $1 in stop) `+stop+` ;; show) say asked >&3; say "`+state+`" ;; esac; }
			stop_next 3>&1; next_runs && say "runs still" || say gone`, "KINECTL_TEST="+t.TempDir())
		if got != want || err != nil {
			t.Errorf("stop: %s, then %q: got %q, want %q; %v", stop, state, got, want, err)
		}
	}
	f("gone\n", "true", "")
	f("asked\ngone\n", "false", "inactive")
	f("asked\ngone\n", "false", "failed")
	f("asked\nruns still\n", "false", "active")
	f("asked\nruns still\n", "false", "deactivating")
	f("asked\nruns still\n", "false", "") // systemd does not answer
}

// TestSpareNext: a next that is all that answers is left, be it by a guard whose going
// back failed or at the end of a restart that failed.
func TestSpareNext(t *testing.T) {
	const usual = `work=$KINECTL_TEST home=$KINECTL_TEST/home txn=$KINECTL_TEST/home/txn recover_link=$KINECTL_TEST/link history=$KINECTL_TEST/history next_marker=$KINECTL_TEST/marker
		mkdir -p "$txn/old" && : >"$next_marker"; started=0 who=ann action=install up=
		systemctl() { case "$*" in *is-active*) case " $up " in *" ${3%.service} "*) ;; *) false ;; esac ;; stop*) say "$*" >&3 ;; esac; }
		take_lock() { :; }; put_in() { :; }; sync() { :; }; forget_home() { :; }; digest_of() { :; }
		exec 3>&1
		`
	f := func(want, words string) {
		t.Helper()
		got, err := sourced(t, hello(), usual+words, "KINECTL_TEST="+t.TempDir())
		if got != want || err != nil {
			t.Errorf("%s: got %q, want %q; %v", words, got, want, err)
		}
	}
	const stopped = "stop hello-next.service\n"
	f("", `up=hello-next; spare_next; next_runs`)
	f(stopped, `up='hello hello-next'; spare_next; ! next_runs`)
	f(stopped, `spare_next; ! next_runs`) // neither answers
	f("", `up=hello-next; clear_transaction; next_runs`)
	f("", `up='hello hello-next'; : >"$txn/record"; restore() { return 1; }; guard $$; next_runs && unfinished`)
	f(stopped, `up='hello hello-next'; : >"$txn/record"; roll_back() { rm -r "$txn"; }; guard $$; ! next_runs`)
}

// TestRefusedTouchesNothing: the guard of a transaction that found the host another
// deployer's leaves an older record to that one.
func TestRefusedTouchesNothing(t *testing.T) {
	f := func(want, result string) {
		t.Helper()
		got, err := sourced(t, hello(), `work=$KINECTL_TEST home=$KINECTL_TEST/home txn=$KINECTL_TEST/home/txn recover_link=$KINECTL_TEST/link history=$KINECTL_TEST/history
			mkdir -p "$txn/old" && : >"$txn/record"; started=0 who=ann action=install
			take_lock() { :; }; forget_home() { :; }; digest_of() { :; }; roll_back() { say "undone"; }; stop_next() { say "stopped"; }; spare_next() { stop_next; }
			take_turn() { reason='under way, and "result":"deployed"'; return 1; }
			transaction install "$work" >/dev/null; code=$?
			`+result+`; guard $$; say "$code"`, "KINECTL_TEST="+t.TempDir())
		if got != want || err != nil {
			t.Errorf("%s: got %q, want %q; %v", result, got, want, err)
		}
	}
	f("4\n", ":")
	f("undone\n4\n", `reason='no "result":"locked"'; refuse failed`)
	f("undone\n4\n", `rm "$work/result"`) // killed
}

// TestPowerAfterAnEarlierOne: what was left is finished first, and seen as it is then.
func TestPowerAfterAnEarlierOne(t *testing.T) {
	f := func(want, words string) {
		t.Helper()
		got, err := sourced(t, hello(), `action=stop left=yes state=running from=1.0.0
			unfinished() { [ "$left" = yes ]; }; finish_earlier() { left=no state=stopped from=1.1.0; }; as_deployed() { :; }
			power_needless() { [ "$state" = stopped ]; }; begin_power() { say began; false; }; clear_transaction() { :; }; refuse() { say "$1 $from"; }
			`+words+`; power`)
		if got != want {
			t.Errorf("%s: got %q, want %q; %v", words, got, want, err)
		}
	}
	f("unchanged 1.1.0\n", ":")
	f("began\nfailed 1.0.0\n", "left=no")
	f("failed 1.0.0\n", "finish_earlier() { false; }")
}

// TestSweep takes the folders of stages that were killed long ago, of this service alone.
func TestSweep(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"hello.abcdef", "hello.ghijkl", "hello-x.abcdef", "hello.abcdefg", "lease"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
		write := time.Now().Add(-25 * time.Hour)
		if name == "hello.ghijkl" {
			write = time.Now().Add(-23 * time.Hour)
		}
		if err := os.Chtimes(filepath.Join(dir, name), write, write); err != nil {
			t.Fatal(err)
		}
	}
	got, err := sourced(t, hello(), `sweep "$KINECTL_TEST"; ls "$KINECTL_TEST"`, "KINECTL_TEST="+dir)
	if want := "hello-x.abcdef hello.abcdefg hello.ghijkl lease"; strings.Join(strings.Fields(got), " ") != want || err != nil {
		t.Errorf("left: %q, want %q; %v", got, want, err)
	}
}
