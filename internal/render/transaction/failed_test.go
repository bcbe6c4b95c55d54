package transaction

import (
	"os"
	"path/filepath"
	"testing"
)

// unlucky is a host with hello 1.0.0, for a transaction that ends before it has come to the service,
// and for who comes after it. What is told then: the action, the result, whether anything has
// changed and why; first as the deployer hears it, then line by line as the history has it.
const unlucky = `work=$KINECTL_TEST home=$work/home txn=$home/txn history=$home/releases.jsonl recover_link=$work/link next_marker=$work/marker
	live_environment=$work/etc/environment pin=$work/etc/pin numa_conf=$work/etc/numa.conf drain_marker=$work/drain alone=$work/alone
	PATH=$work:$PATH; [ -e "$work/systemd-run" ] || { say : >"$work/systemd-run"; chmod 755 "$work/systemd-run"; }
	mkdir "$work/etc"; : >"$work/run"; : >"$work/environment"; started=0 who=ann action=install from=1.0.0 drain=100 now=0
	take_turn() { mkdir -p "$home"; }; take_lock() { :; }; read_installed() { from=1.0.0; }; installed_version() { say 1.0.0; }; as_deployed() { :; }; same_as_now() { false; }
	unit_state() { active=active enabled=enabled invocation=1; }; keep_units() { :; }; keep_states() { :; }; owned_units() { :; }; altered() { :; }; unit_differs() { false; }
	install_recovery() { :; }; sync() { :; }; dpkg() { :; }; systemctl() { :; }; fallocate() { :; }; forget_home() { :; }; step() { :; }
	fetch_package() { :; }; enough_room() { :; }; mark_drained() { : >"$drain_marker"; }; await_drained() { :; }
	words() { sed 's/.*"action":"\([a-z]*\)".*"result":"\([-a-z]*\)","changed":\([a-z]*\),"reason":"\([^"]*\)".*/\1 \2 \3 \4/' "$@"; }
	all() { [ ! -e "$txn" ] || say unfinished; [ ! -e "$drain_marker" ] || say out; words "$work/result"; [ ! -e "$history" ] || words "$history"; }
	`

func TestFailedBeforeTheService(t *testing.T) {
	f := func(want, words string) {
		t.Helper()
		got, err := sourced(t, hello(), unlucky+words, "KINECTL_TEST="+t.TempDir())
		if got != want || err != nil {
			t.Errorf("%s: got\n%s\nwant\n%s\n%v", words, got, want, err)
		}
	}
	once := func(line string) string { return line + "\n" + line + "\n" }
	const end = `; (action=$does; transaction 7) >/dev/null; guard $$; all`
	const interrupted = "failed false the transaction was interrupted"

	f(once("remove failed false no marker"), `does=remove; mark_drained() { reason='no marker'; false; }`+end)
	f(once("remove "+interrupted), `does=remove; await_drained() { exit 9; }`+end)
	f(once("remove failed false no bus"), `does=remove; begin() { reason='no bus'; false; }`+end)
	// Beyond txn/removing there is only the way on, which the guard tries once more.
	f("unfinished\nout\nremove failed true no dpkg; this host tries it again every 10 s, see docs/recovery.md\nremove failed true no dpkg\n", `does=remove; take_away() { reason='no dpkg'; false; }`+end)
	f("remove removed true \n", `does=remove; take_away() { [ -e "$work/tried" ] && rm -r "$home" "$drain_marker" || { : >"$work/tried"; false; }; }`+end)

	f(once("install failed false disk full"), `does=install; enough_room() { reason='disk full'; false; }`+end)
	f(once("install failed false no way back"), `does=install; begin() { reason='no way back'; false; }`+end)
	f(once("install "+interrupted), `does=install; act() { exit 9; }`+end)
	f(once("restore "+interrupted), `does=restore; find_kept() { kept_release=$work/kept; }; mkdir "$work/kept"; : >"$work/kept/parameters"; : >"$work/kept/environment"; say 0.9 >"$work/kept/version"
		act() { exit 9; }`+end)
}

// TestRecoveredAction: after a boot the history says what the power cut has ended.
func TestRecoveredAction(t *testing.T) {
	for _, does := range []string{"install", "restore", "remove"} {
		got, err := sourced(t, hello(), unlucky+`action=`+does+`; mkdir -p "$home"; begin; action=install; mktemp() { say "$work"; }; recover offline; words "$history"`, "KINECTL_TEST="+t.TempDir())
		if want := does + " recovered true the host lost its power or was restarted in the middle of a release\n"; got != want || err != nil {
			t.Errorf("got %q, want %q; %v", got, want, err)
		}
	}
}

// TestTriedAgain: the history has one line of a release whose going back failed, with
// the reason of the release, whoever undoes it in the end; and none until then. The
// deployer hears whether it is tried again.
func TestTriedAgain(t *testing.T) {
	f := func(want, starts, words string) {
		t.Helper()
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "systemd-run"), []byte("#!/bin/sh\n"+starts+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		got, err := sourced(t, hello(), unlucky+`verb=guard version=1.2.0; mkdir -p "$home"; say "version='1.2.0'" >"$work/run"; can=no
			restore() { old=1.0.0 intact=no; [ "$can" = yes ]; }; judge() { :; }; mktemp() { say "$work"; }; begin
			line() { sed 's/.*"action":"\([a-z]*\)","version":"\([^"]*\)".*"from":"\([^"]*\)".*"result":"\([-a-z]*\)".*"reason":"\([^"]*\)","who":"\([a-z]*\)".*/\1 \2 \3 \4 \5 \6/' "$history"; }
			`+words, "KINECTL_TEST="+dir)
		if got != want || err != nil {
			t.Errorf("%s: got\n%s\nwant\n%s\n%v", words, got, want, err)
		}
	}
	const told = "unfinished\ninstall failed true got 500; going back failed too"
	const twice = `reason='got 500'; roll_back; guard 1; all`
	f(told+"; this host tries it again every 10 s, see docs/recovery.md\n", "", twice)
	f(told+"; this host tries it again every 10 s, see docs/recovery.md\n", "echo Unit was already loaded; exit 1", twice)
	f(told+"; trying it again could not be started (no bus): recover this host by hand, see docs/recovery.md\n", "echo no bus; exit 1", twice)
	f("unfinished\ninstall failed true the transaction was interrupted; going back failed too; this host tries it again every 10 s, see docs/recovery.md\n", "", "guard 1; all")

	const failed = `reason='got 500'; roll_back; guard 1; cp "$txn/run" "$work/run"; `
	const tail = "; going back failed at first, and was tried again ann\n"
	f("install 1.0.0 1.2.0 recovered got 500"+tail, "", failed+`who=unknown can=yes; recover online; line`)
	f("install 1.0.0 1.2.0 recovered got 500"+tail, "", failed+`recover online 2>/dev/null; can=yes; recover online; line`)
	f("install 1.0.0 1.2.0 recovered got 500; going back was finished by a boot ann\n", "", failed+`can=yes; recover offline; line`)
	f("install 1.0.0 1.2.0 recovered got 500"+tail, "", failed+`can=yes version=1.3.0 who=bob; begin; line`) // the next release
	f("", "", failed+`: >"$history"; recover online 2>/dev/null; line`)                                      // not yet
	f("install 1.2.0 1.0.0 rolled-back got 500 ann\n", "", `reason='got 500'; roll_back; can=yes; guard 1; line`)
	f("restore 1.0.0 1.2.0 recovered the release was interrupted, and undone by the next one ann\n", "", `say restore >"$txn/action"; can=yes version=1.3.0 who=bob; begin; line`)
}
