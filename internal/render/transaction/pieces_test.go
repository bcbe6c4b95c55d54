package transaction

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestAltered reads what dpkg says of a package's files: what is another's to
// change, or to leave out, is no fault.
func TestAltered(t *testing.T) {
	f := func(said, want string) {
		t.Helper()
		got, _ := sourced(t, hello(), `dpkg() { printf '`+said+`'; }; altered`)
		if got != want {
			t.Errorf("%q: got %q, want %q", said, got, want)
		}
	}
	f("", "")
	f(`??5?????? c /etc/hello/config.yml\nmissing   c /etc/hello/other.yml\n`, "")
	f(`missing     /usr/share/doc/hello/changelog.gz\nmissing     /usr/share/man/man1/hello.1.gz\nmissing     /usr/share/lintian/overrides/hello\n`, "")
	f(`missing     /usr/bin/hello\n`, "missing     /usr/bin/hello\n")
	f(`missing     /usr/share/hello/doc/page\n`, "missing     /usr/share/hello/doc/page\n")
	f(`??5??????   /usr/share/doc/hello/copyright\n`, "??5??????   /usr/share/doc/hello/copyright\n")
}

// TestGuardTells ends a transaction that was killed after its commit, or while
// it took the service away: the deployer hears what became of it.
func TestGuardTells(t *testing.T) {
	const usual = `started=0; who=ann; action=install; work=$KINECTL_TEST; home=$work/home; txn=$home/txn; history=$home/history; recover_link=$work/link; installed_version() { :; }
		mkdir -p "$txn/old"; : >"$work/run"; : >"$work/environment"; say 1.0.0 >"$txn/old/version"; touch -d '1 minute ago' "$work/run"
		take_away() { rm -rf "$home"; }; close_transaction() { rm -rf "$txn"; }; take_lock() { :; }
		`
	f := func(before, want string) {
		t.Helper()
		dir := t.TempDir()
		out, err := sourced(t, hello(), usual+before+"\nguard $$", "KINECTL_TEST="+dir)
		got, _ := sourced(t, hello(), `sed 's/.*"action":"\([a-z]*\)".*"from":"\([^"]*\)".*"result":"\([a-z]*\)","changed":\([a-z]*\),"reason":"\([^"]*\)".*"failed":\([a-z]*\),.*/\1 \2 \3 \4 \5 \6/' "$KINECTL_TEST/result" 2>/dev/null`, "KINECTL_TEST="+dir)
		if got != want || err != nil {
			t.Errorf("%s: got %q, want %q; %v %s", before, got, want, err, out)
		}
	}
	const line = `from=1.0.0; describe deployed true; say "$line}" >"$txn/line"; reason=; `
	f(line+`: >"$txn/committed"`, "install 1.0.0 deployed true  false\n")
	f(line+`: >"$txn/committed"; touch -d '1 hour ago' "$txn/committed"`, "") // an earlier one's
	f(`: >"$txn/removing"`, "remove 1.0.0 removed true  false\n")
}

// TestUnpackTheRightOne proves that deploy.before is not run from the release
// kept last when another version is installed.
func TestUnpackTheRightOne(t *testing.T) {
	f := func(kept, want string) {
		t.Helper()
		dir := t.TempDir()
		folder := filepath.Join(dir, "releases", "1")
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string]string{"package.deb": "", "version": kept + "\n", "../../dpkg-deb": "#!/bin/sh\n"} {
			if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		got, _ := sourced(t, hello(), `work=$KINECTL_TEST; home=$work; from=$package_version; kept_releases() { say "$home/releases/1"; }
			fetch_package() { say "fetched $1"; }; PATH=$work:$PATH
			[ -z "${KINECTL_LOST:-}" ] || fetch_package() { return 1; }
			unpack "$work/tree" || say "$reason"; say "${package#"$work/"}"`, "KINECTL_TEST="+dir)
		if got != want {
			t.Errorf("kept %s: got %q, want %q", kept, got, want)
		}
	}
	f("1.2.0~rc1", "releases/1/package.deb\n")
	f("1.1.0", "fetched 1.2.0~rc1\npackage.deb\n")
	t.Setenv("KINECTL_LOST", "1")
	f("1.1.0", "hello 1.2.0~rc1 could not be fetched for deploy.before\npackage.deb\n")
}

// TestHasCredentials refuses a host that lacks a file, or cannot decrypt it: one
// of another host, or of another name.
func TestHasCredentials(t *testing.T) {
	p := hello()
	p.Unit.Credentials = []string{"vault-password", "tls-key"}
	const creds = `#!/bin/sh
[ "$1 $2 $4" = "--name=${3##*/hello.} decrypt -" ] && grep good "$3"
`
	const fake = `credstore=$KINECTL_TEST; work=$KINECTL_TEST; PATH=$KINECTL_TEST:$PATH; `
	f := func(want string, files map[string]string) {
		t.Helper()
		dir := t.TempDir()
		all := map[string]string{"systemd-creds": creds}
		maps.Copy(all, files)
		for name, text := range all {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		got, err := sourced(t, p, fake+`has_credentials && say fine || say "$reason"`, "KINECTL_TEST="+dir)
		if got = strings.ReplaceAll(got, dir, "STORE"); got != want+"\n" || err != nil {
			t.Errorf("%v: got %q, want %q; %v", files, got, want, err)
		}
	}
	const command = "; run there, as root: mkdir -p -m 0700 STORE && systemd-creds encrypt --name="
	f("fine", map[string]string{"hello.vault-password": "good", "hello.tls-key": "good"})
	f("security.credentials wants STORE/hello.vault-password, which is not on this host"+command+"vault-password - STORE/hello.vault-password", nil)
	f("security.credentials wants STORE/hello.tls-key, which is not on this host"+command+"tls-key - STORE/hello.tls-key",
		map[string]string{"hello.vault-password": "good", "hello.tls-key": ""})
	f("this host cannot decrypt STORE/hello.vault-password"+command+"vault-password - STORE/hello.vault-password",
		map[string]string{"hello.vault-password": "another host's", "hello.tls-key": "good"})
}

// TestIsStopped: when systemd does not answer, nobody knows that it is stopped.
func TestIsStopped(t *testing.T) {
	f := func(want, before string) {
		t.Helper()
		got, err := sourced(t, hello(), `from=1.0.0 runs=true; listeners() { :; }; `+before+`; is_stopped && say yes || say no`)
		if got != want+"\n" || err != nil {
			t.Errorf("%s: %q, want %s; %v", before, got, want, err)
		}
	}
	f("yes", "unit_states() { say hello.service disabled inactive; }")
	f("no", "unit_states() { say hello.service disabled active; }")
	f("no", "unit_states() { say hello.service enabled inactive; }")
	f("no", "unit_states() { :; }")
	f("yes", "from=; unit_states() { :; }")
}

// TestLockOfAnEmptyFolder: who had the lock of a service that is not here yet takes
// its folder away. The next one must not hold a lock that nobody else can see.
func TestLockOfAnEmptyFolder(t *testing.T) {
	dir := t.TempDir()
	got, err := sourced(t, hello(), `home=$KINECTL_TEST/home
		flock() { command flock "$@" && if [ ! -e "$home.once" ]; then : >"$home.once" && rmdir "$home"; fi; }
		take_lock --nonblock && (exec 9<&-; command flock --nonblock "$home" true) || say held`, "KINECTL_TEST="+dir)
	if got != "held\n" || err != nil {
		t.Errorf("%q, want held; %v", got, err)
	}
}

// TestRemoveLeavesFreezes: a freeze of another service is no reason to fail.
func TestRemoveLeavesFreezes(t *testing.T) {
	got, err := sourced(t, hello(), `ls() { [ "$1" = /var/lib/kinectl ]; }; rmdir() { return 1; }; rm() { :; }
		stop_all() { :; }; purge() { :; }; unbind_from_numa() { :; }; put_in() { :; }; systemctl() { :; }
		take_away && say done`)
	if got != "done\n" || err != nil {
		t.Errorf("%q, want done; %v", got, err)
	}
}

// TestNothingElse reads what apt-get says it would do.
func TestNothingElse(t *testing.T) {
	f := func(want, said string) {
		t.Helper()
		work := t.TempDir()
		if err := os.WriteFile(filepath.Join(work, "apt"), []byte("Reading package lists...\n"+said+"\nNeed to get 8 MB of archives.\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := sourced(t, hello(), `work=$KINECTL_TEST; nothing_else && say yes || say no`, "KINECTL_TEST="+work)
		if got != want+"\n" || err != nil {
			t.Errorf("%s: %q, want %s; %v", said, got, want, err)
		}
	}
	f("yes", "1 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.")
	f("yes", "0 upgraded, 1 newly installed, 0 to remove and 12 not upgraded.")
	f("yes", "0 upgraded, 0 newly installed, 1 downgraded, 0 to remove and 0 not upgraded.")
	f("no", "1 upgraded, 1 newly installed, 0 to remove and 0 not upgraded.") // a dependency
	f("no", "0 upgraded, 2 newly installed, 0 to remove and 0 not upgraded.")
	f("no", "0 upgraded, 10 newly installed, 0 to remove and 0 not upgraded.")
	f("no", "1 upgraded, 0 newly installed, 1 to remove and 0 not upgraded.") // a conflict
	f("no", "0 upgraded, 0 newly installed, 1 reinstalled, 0 to remove and 0 not upgraded.")
	f("no", "")
}

// TestAsSeen: what a host goes back to was chosen by what it had then.
func TestAsSeen(t *testing.T) {
	f := func(want, newest string, kept ...string) {
		t.Helper()
		home := t.TempDir()
		for _, release := range kept {
			if err := os.MkdirAll(filepath.Join(home, "releases", release), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		got, err := sourced(t, hello(), `home=$KINECTL_TEST; as_seen && say yes || say "${reason%%:*}"`, "KINECTL_TEST="+home, "KINECTL_NEWEST="+newest)
		if got != want+"\n" || err != nil {
			t.Errorf("%s of %v: %q, want %s; %v", newest, kept, got, want, err)
		}
	}
	const another = "another release has come to this host since it was chosen what to go back to"
	f("yes", "10", "9", "10")
	f("yes", "0")
	f("yes", "", "9") // by hand, or by a playbook of an earlier kinectl
	f(another, "9", "9", "10")
	f(another, "0", "1")
	f(another, "1")
	f("this host did not answer when it was chosen what to go back to", "unknown", "9")
}
