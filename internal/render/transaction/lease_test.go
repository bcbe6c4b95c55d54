package transaction

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// leased runs words of the script about the lease in a folder of its own, as the
// deployer named holder ("ID:SECONDS"). It prints "yes" or the reason.
func leased(t *testing.T, dir, verb, holder, words string) string {
	t.Helper()
	script := fmt.Sprintf("set -u\nname=hello version=1.2.0 action=install who='anna from 192.0.2.1' verb=%s KINECTL_HOLDER=%s KINECTL_LOGIN=%d\nreason=\n",
		verb, quote(holder), os.Getuid()) +
		string(part("10-pieces.sh")) + string(part("25-lease.sh")) +
		fmt.Sprintf("\nlease=%s/lease/hello freezer=%[1]s/freeze verb=%s\nreason=\n%s", dir, verb, words)
	out, err := exec.Command("sh", "-c", script).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return strings.TrimSpace(string(out))
}

// TestLease takes, renews, refuses and loses a lease.
func TestLease(t *testing.T) {
	const hold = `if hold_lease; then say yes; else say "$reason"; fi`
	dir := t.TempDir()
	f := func(verb, holder, want string) {
		t.Helper()
		if got := leased(t, dir, verb, holder, hold); got != want && (want == "yes" || !strings.HasPrefix(got, want)) {
			t.Errorf("%s by %s: %q, want %q", verb, holder, got, want)
		}
	}
	beat := func(id, content string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "lease/hello/beat-"+id), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	up := func(back int) string {
		t.Helper()
		return leased(t, dir, "prepare", "", fmt.Sprintf(`read -r up _ </proc/uptime; say $((${up%%.*} - %d)).00`, back)) + "\n"
	}
	const held = "under way on this host: deploy of 1.2.0 by anna from 192.0.2.1, since 20"

	f("prepare", "a1:20", "yes")
	f("transaction", "a1:20", "yes") // renewed
	f("prepare", "b2:20", held)
	f("transaction", "b2:20", held)
	f("prepare", ":", held) // a playbook without an id
	f("prepare", "", held)
	beat("a1", up(15))
	f("prepare", "b2:20", held)
	beat("a1", up(25))
	f("prepare", "", "yes")      // it takes none
	f("prepare", "b2:20", "yes") // taken over
	if _, err := os.Stat(filepath.Join(dir, "lease/hello/beat-a1")); err == nil {
		t.Error("the beat of the one before is still there")
	}
	f("transaction", "a1:20", held) // lost
	beat("b2", "")                  // given back
	f("transaction", "a1:20", "the lease ran out, and this host has had another since: deploy of 1.2.0 by anna")
	f("before", "a1:20", "the lease ran out, and this host has had another since: deploy of 1.2.0 by anna")
	f("prepare", "a1:20", "yes") // a new deploy may
	beat("a1", "")               // given back at Ctrl-C, while its transaction was about to begin
	f("transaction", "a1:20", "yes")
	f("prepare", "a1:20", "yes") // who begins anew takes it
	f("prepare", "b2:20", held)
	beat("a1", "")
	f("transaction", "a1:20", "yes")
	f("prepare", "b2:20", "yes") // nobody is left to keep it
	beat("b2", "")
	f("prepare", "a1:20", "yes")
	for _, nonsense := range []string{"x\n", "-5\n", up(-1000), "99999999999999999999\n", "$(id)\n", "08\n", "1.0"} {
		beat("a1", nonsense)
		f("prepare", "c3:20", "yes")
		beat("c3", "")
		f("prepare", "a1:20", "yes")
	}
	f("prepare", "d4/../..:20", "KINECTL_HOLDER of this run may have lower-case letters and digits only")
	f("transaction", "A1:20", "KINECTL_HOLDER of this run may have lower-case letters and digits only")
	// A boot: what is not there was nobody else's.
	if err := os.RemoveAll(filepath.Join(dir, "lease")); err != nil {
		t.Fatal(err)
	}
	f("transaction", "a1:20", "yes")
}

// TestOrphan: a transaction whose deployer was killed goes on without a lease that lives. Who
// comes meanwhile is told whose it is.
func TestOrphan(t *testing.T) {
	const busy = `take_lock() { reason=busy; return 1; }; if take_turn; then say yes; else say "$reason"; fi`
	dir := t.TempDir()
	f := func(want string) {
		t.Helper()
		if got := leased(t, dir, "prepare", "b2:20", busy); got != want && !strings.HasPrefix(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	f("another release of this service is under way on this host")
	leased(t, dir, "prepare", "a1:20", "hold_lease")
	f("under way on this host: deploy of 1.2.0 by anna from 192.0.2.1, since 20")
	for _, beat := range []string{"", "1.00\n"} { // given back, run out
		if err := os.WriteFile(filepath.Join(dir, "lease/hello/beat-a1"), []byte(beat), 0o600); err != nil {
			t.Fatal(err)
		}
		f("another release of this service is under way on this host: deploy of 1.2.0 by anna from 192.0.2.1, since 20")
	}
	// One that came without a lease is not of who had the last.
	without := fmt.Sprintf("txn=%s; say 'bob from 192.0.2.2' >\"$txn/who\"; ", dir)
	if got := leased(t, dir, "prepare", "b2:20", without+busy); got != "another release of this service is under way on this host" {
		t.Errorf("got %q", got)
	}
}

// TestFreezeNote writes and reads the note of a freeze, whatever the reason.
func TestFreezeNote(t *testing.T) {
	f := func(reason string) {
		t.Helper()
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "reason"), []byte(reason), 0o600); err != nil {
			t.Fatal(err)
		}
		words := "work=" + dir + "\nmkdir -p $work/lease\nstarted=0 digest= from= release=0 action=freeze format=1 roll= || :\n" +
			`freeze >/dev/null; reason=; if frozen; then say "$reason"; fi`
		if got, want := leased(t, dir, "freeze", "", words), ": "+reason+"; `kinectl unfreeze` ends it"; !strings.HasPrefix(got, "frozen by anna from 192.0.2.1 since 20") || !strings.HasSuffix(got, want) {
			t.Errorf("got %q, want the end %q", got, want)
		}
		words = `rm -f ` + dir + `/freeze/hello; if frozen; then say "$reason"; else say free; fi`
		if got := leased(t, dir, "freeze", "", words); got != "free" {
			t.Errorf("without the note: %q", got)
		}
	}
	f("plain")
	f(`a "quoted" one`)
	f(`back\slash, "}, {"who":"x"}`)
	f("$(id) `id` it's 100 % größe")
}

// TestFreezeRecorded: a freeze is in the history of the service, one of the environment in that of
// every service that is here; a second unfreeze is none. What status tells as the last of it, is a release.
func TestFreezeRecorded(t *testing.T) {
	f := func(want, words string) {
		t.Helper()
		got, err := sourced(t, hello(), `work=$KINECTL_TEST home=$work/lib/hello history=$work/lib/hello/releases.jsonl freezer=$work/freeze started=0 who=ann
			sync() { :; }; printf %s 'moving "racks"' >"$work/reason"; mkdir -p "$home/releases" "$work/lib/other/releases" "$work/lib/empty"
			do_it() { action=$1 verb=$1; "$1" >/dev/null; }
			all() { for each in "$work"/lib/*; do [ ! -e "$each/releases.jsonl" ] || sed "s/.*\"action\":\"\([a-z ]*\)\".*\"result\":\"\([-a-z]*\)\".*\"reason\":\"\(.*\)\",\"who\":\"\([a-z]*\)\".*/${each##*/} \1 \2 \3 \4/" "$each/releases.jsonl"; done; }
			`+words+`; all`, "KINECTL_TEST="+t.TempDir())
		if got != want || err != nil {
			t.Errorf("%s: got\n%s\nwant\n%s\n%v", words, got, want, err)
		}
	}
	const racks = ` moving \"racks\" ann` + "\n"
	f("hello freeze frozen"+racks+"hello unfreeze unfrozen  ann\n", "do_it freeze; reason=; do_it unfreeze; do_it unfreeze")
	f("hello freeze all frozen"+racks+"other freeze all frozen"+racks, "name=_all home=$work/lib/_all; do_it freeze")
	f("", "name=absent home=$work/lib/absent history=$home/releases.jsonl; do_it freeze")
	f("deployed\nhello install deployed  ann\nhello freeze frozen"+racks, `action=install; describe deployed true; record_history "$line}"; do_it freeze; last_release_line | sed 's/.*"result":"\([a-z]*\)".*/\1/'`)
}

// TestBeat writes beats as the plugin does: never empty in between, only where the
// lease is held still, and what is written is read as alive.
func TestBeat(t *testing.T) {
	plugin, err := os.ReadFile("../ansible/kinectl_lease.py")
	if err != nil {
		t.Fatal(err)
	}
	_, line, ok := strings.Cut(string(plugin), "\nBEAT = '")
	command, _, ended := strings.Cut(line, "'\n")
	if !ok || !ended {
		t.Fatal("the plugin has no BEAT")
	}
	dir := t.TempDir()
	command = strings.NewReplacer("/run/kinectl/lease", dir+"/lease", "{id}", "a1", `\\n`, `\n`).Replace(command)
	const hold = `if hold_lease; then say yes; else say "$reason"; fi`
	leased(t, dir, "prepare", "a1:20", hold)
	file := filepath.Join(dir, "lease/hello/beat-a1")
	f := func(before string, alive bool) {
		t.Helper()
		if err := os.WriteFile(file, []byte(before), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("sh", "-c", command).CombinedOutput(); err != nil || len(out) > 0 {
			t.Fatalf("%v: %s", err, out)
		}
		if got := leased(t, dir, "prepare", "b2:20", `if refused; then say alive; else say free; fi`) == "alive"; got != alive {
			after, _ := os.ReadFile(file)
			t.Errorf("after a beat over %q there is %q: alive is %t", before, after, got)
		}
	}
	f("1.00\n", true)
	f(strings.Repeat("9", 20)+"\n", true)
	f("", false) // given back
}
