package transaction

import (
	"os"
	"path/filepath"
	"testing"
)

// fakeHost stands for systemctl and curl. What they say is in files beside them.
const fakeHost = `#!/bin/sh
here=${0%/*}
echo "${0##*/} $*" >>"$here/calls"
case ${0##*/}\ $* in
systemctl\ show*LoadState*) cat "$here/load" ;;
systemctl\ show*hello-next*) cat "$here/next" ;;
systemctl\ show*) cat "$here/active" ;;
systemctl\ *) ;;
curl\ *)
	while [ "$1" != --output ]; do shift; done
	cat "$here/metrics" >"$2"
	printf 200
	;;
esac
`

// swapHost makes the programs of a host and what they say.
func swapHost(t *testing.T, says map[string]string) (dir, setup string) {
	t.Helper()
	dir = t.TempDir()
	files := map[string]string{"systemctl": fakeHost, "curl": fakeHost, "units0": "hello-next.service\nhello.service\nhello.socket\n", "load": "loaded\n", "next": "active\n", "active": "active\n\nactive\n"}
	for name, text := range says {
		files[name] = text
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return dir, `work=$KINECTL_TEST; PATH=$work:$PATH; next_marker=$work/marker; next_metrics=$work/socket; probe_timeout=20; probe_settle=0; probe_port=9090; probe_path=/metrics; probe_status=200; `
}

// TestCanSwap: only with all of it there.
func TestCanSwap(t *testing.T) {
	f := func(want string, says map[string]string, before string) {
		t.Helper()
		dir, setup := swapHost(t, says)
		got, err := sourced(t, hello(), setup+"runs=true; "+before+"; can_swap && say yes || say no", "KINECTL_TEST="+dir)
		if got != want+"\n" || err != nil {
			t.Errorf("%v, %s: %q, want %s; %v", says, before, got, want, err)
		}
	}
	f("yes", nil, ":")
	f("no", nil, "runs=false")
	f("no", nil, "patience=--no-block") // during a boot
	f("no", map[string]string{"load": "masked\n"}, ":")
	f("no", map[string]string{"active": "active\n\ninactive\n"}, ":")
	f("no", map[string]string{"active": "failed\n\nactive\n"}, ":")
	f("no", map[string]string{"units0": "hello.service\nhello.socket\nhello-nextcloud.service\n"}, ":")
}

// TestNextAnswers: the version counts, and the status of the probe's path.
func TestNextAnswers(t *testing.T) {
	f := func(metrics, before, want string) {
		t.Helper()
		dir, setup := swapHost(t, map[string]string{"metrics": metrics})
		got, err := sourced(t, hello(), setup+before+`; next_answers && say fine || say "$sickness"`, "KINECTL_TEST="+dir)
		if got != want+"\n" || err != nil {
			t.Errorf("%q, %s: %q, want %q; %v", metrics, before, got, want, err)
		}
	}
	const right = `build_info{name="hello",version="1.2.0-rc1"} 1` + "\n"
	f(right, ":", "fine")
	f(`build_info{name="hello",version="1.1.0"} 1`+"\n", ":", "the next one says that it is version '1.1.0', not '1.2.0-rc1'")
	f(`build_info{name="other",version="1.2.0-rc1"} 1`+"\n", ":", "the next one says that it is version '', not '1.2.0-rc1'")
	f("", "probe_version=false", "fine")
	f(right, "probe_status=204", "the next one's /metrics got 200, not 204")
	f(right, "probe_status=204; probe_port=8080", "fine") // which is asked of a port that both have
}

// TestSwapOrder: NAME.service is not touched before next is good, and next goes
// last; what is no good is stopped, and nothing else is.
func TestSwapOrder(t *testing.T) {
	f := func(want string, says map[string]string, before string) {
		t.Helper()
		dir, setup := swapHost(t, says)
		got, _ := sourced(t, hello(), setup+`runs=true; failure_log() { :; }; `+before+`; swap_service >/dev/null; say "$?"; sed -n 's/systemctl \(start\|restart\|stop\) /\1 /p' "$work/calls"; ls "$work/marker" 2>/dev/null`, "KINECTL_TEST="+dir)
		if got != want {
			t.Errorf("%v: got\n%s\nwant\n%s", says, got, want)
		}
	}
	f("0\nstart hello-next.service\nrestart hello.service\nstop hello-next.service\n", nil, ":")
	f("1\nstart hello-next.service\nstop hello-next.service\nstop hello-next.service\n", map[string]string{"next": "failed\n"}, ":")
	f("0\nrestart hello.service\n", map[string]string{"load": "masked\n"}, ":")
	f("0\nrestart hello.service\nstop hello-next.service\n", nil, `: >"$work/marker"`) // left by one that was killed
}

// TestSocketThatGaveUp: going back needs its address, which next still has. Else next
// goes on answering.
func TestSocketThatGaveUp(t *testing.T) {
	f := func(want, before string) {
		t.Helper()
		got, err := sourced(t, hello(), `txn=$KINECTL_TEST; stale=; next_runs() { :; }; stop_next() { say stopped; }; `+before+`; put_back_units`, "KINECTL_TEST="+t.TempDir())
		if got != want || err != nil {
			t.Errorf("%s: %q, want %q; %v", before, got, want, err)
		}
	}
	f("", "listening() { :; }")
	f("stopped\n", "listening() { return 1; }")
	f("", "listening() { return 1; }; next_runs() { return 1; }")
}
