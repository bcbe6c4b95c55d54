package signing

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/kinectl/kinectl/internal/needs"
)

// oneBlock is a ring as gpg --export writes it: all keys in one armored block.
func oneBlock(t *testing.T, k Keyring) []byte {
	t.Helper()
	var all []byte
	for _, c := range k.certificates {
		all = append(all, c.packets...)
	}
	return armorOf("PGP PUBLIC KEY BLOCK", all)
}

// TestRealApt refreshes from a repository that two keys signed, trusting one
// of them, both or neither.
func TestRealApt(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes seconds")
	}
	t.Parallel()
	program := needs.Program(t, "apt-get", "signatures were not tried with the real apt")
	old, next, other := nowKey(t, "old"), nowKey(t, "new"), nowKey(t, "other")
	now := time.Now()
	const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 0 main/binary-amd64/Packages"
	release := fmt.Sprintf("Origin: kinectl\nSuite: stable\nDate: %s\nArchitectures: amd64\nComponents: main\nSHA256:\n %s\n", now.UTC().Format(time.RFC1123), empty)
	update := func(signers Signers, keys []byte, file string) string {
		t.Helper()
		root := t.TempDir()
		for _, dir := range []string{"/lists/partial", "/cache/archives/partial", "/etc/apt.conf.d", "/repo/dists/stable/main/binary-amd64"} {
			if err := os.MkdirAll(root+dir, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		if file == "InRelease" {
			signed, err := signers.ClearSign(t.Context(), []byte(release), now)
			if err != nil {
				t.Fatal(err)
			}
			write(t, root+"/repo/dists/stable/InRelease", signed)
		} else {
			detached, err := signers.Detach(t.Context(), []byte(release), now)
			if err != nil {
				t.Fatal(err)
			}
			write(t, root+"/repo/dists/stable/Release", []byte(release))
			write(t, root+"/repo/dists/stable/Release.gpg", detached)
		}
		write(t, root+"/repo/dists/stable/main/binary-amd64/Packages", nil)
		write(t, root+"/etc/kinectl.asc", keys)
		write(t, root+"/etc/sources.list", fmt.Appendf(nil, "deb [signed-by=%[1]s/etc/kinectl.asc] file:%[1]s/repo stable main\n", root))
		write(t, root+"/status", nil)
		config := write(t, root+"/apt.conf", fmt.Appendf(nil, `Dir "%[1]s"; Dir::Etc "etc"; Dir::Etc::sourceparts "none"; Dir::State "%[1]s"; Dir::State::status "%[1]s/status"; Dir::Cache "cache";
Dir::Bin::Methods "/usr/lib/apt/methods"; APT::Architecture "amd64"; APT::Architectures { "amd64"; }; APT::Sandbox::User "root"; APT::Update::Error-Mode "any"; Debug::NoLocking "1";
`, root))
		cmd := exec.Command(program, "update")
		cmd.Env = append(os.Environ(), "LC_ALL=C", "APT_CONFIG="+config)
		out, err := cmd.CombinedOutput()
		if err == nil {
			return string(out)
		}
		return fmt.Sprintf("%v\n%s", err, out)
	}
	both := Signers{old, next}
	f := func(signers Signers, keys []byte, want string) {
		t.Helper()
		for _, file := range []string{"InRelease", "Release.gpg"} {
			out := update(signers, keys, file)
			if want == "" && (strings.Contains(out, "exit status") || strings.Contains(out, "W:")) || !strings.Contains(out, want) {
				t.Errorf("%s: apt says, want %q:\n%s", file, want, out)
			}
		}
	}
	f(both, ringOf(t, old).Armored(), "")
	f(both, ringOf(t, next).Armored(), "")
	f(both, ringOf(t, old, next).Armored(), "")
	f(both, ringOf(t, other).Armored(), "NO_PUBKEY")
	// A file of two keys counts whole.
	f(both[:1], ringOf(t, old, next).Armored(), "")
	f(both[1:], ringOf(t, old, next).Armored(), "")
	f(Signers{other}, ringOf(t, old, next).Armored(), "NO_PUBKEY")
	// One block of two keys would do for apt.
	f(both[1:], oneBlock(t, ringOf(t, old, next)), "")
}

// nowKey is a key of the time that real programs believe in.
func nowKey(t *testing.T, name string) *Key {
	t.Helper()
	key, err := NewKey(name, Ed25519, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// TestImport gives a file of two keys to gpg and to rpm.
func TestImport(t *testing.T) {
	a, b := nowKey(t, "a"), nowKey(t, "b")
	if !testing.Short() {
		var err error
		if b, err = NewKey("b", RSA4096, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	ring := ringOf(t, a, b)
	g := newGnuPG(t)
	g.run(ring.Armored(), "--import")
	listed := g.run(nil, "--with-colons", "--list-keys")
	rpmkeys := needs.Program(t, "rpmkeys", "the file of keys was not given to rpm")
	db := t.TempDir()
	if out, err := exec.Command(rpmkeys, "--dbpath", db, "--import", write(t, db+"/key.asc", ring.Armored())).CombinedOutput(); err != nil {
		t.Fatalf("rpmkeys --import: %v\n%s", err, out)
	}
	out, err := exec.Command("rpm", "--dbpath", db, "-q", "gpg-pubkey").CombinedOutput()
	if err != nil {
		t.Fatalf("rpm -q gpg-pubkey: %v\n%s", err, out)
	}
	for _, key := range []*Key{a, b} {
		if !strings.Contains(listed, ":"+key.Fingerprint()+":") {
			t.Errorf("gpg has not imported %s:\n%s", key, listed)
		}
		if short := strings.ToLower(key.Fingerprint()[32:]); !strings.Contains(string(out), "gpg-pubkey-"+short) {
			t.Errorf("rpm has not imported %s:\n%s", key, out)
		}
	}
}

// TestRealDNF reads a repository with repo_gpgcheck, trusting one of two keys,
// both or neither.
func TestRealDNF(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes seconds")
	}
	t.Parallel()
	program := needs.Program(t, "dnf", "signatures were not tried with the real dnf")
	createrepo := needs.Program(t, "createrepo_c", "signatures were not tried with the real dnf")
	if os.Getuid() != 0 {
		t.Skip("dnf refreshes an installation root for root only")
	}
	old, next, other := nowKey(t, "old"), nowKey(t, "new"), nowKey(t, "other")
	repo := t.TempDir()
	if out, err := exec.Command(createrepo, repo).CombinedOutput(); err != nil {
		t.Fatalf("createrepo_c: %v\n%s", err, out)
	}
	repomd, err := os.ReadFile(repo + "/repodata/repomd.xml")
	if err != nil {
		t.Fatal(err)
	}
	makecache := func(asc, keys []byte) (string, error) {
		t.Helper()
		root := t.TempDir()
		write(t, repo+"/repodata/repomd.xml.asc", asc)
		key := write(t, root+"/key.asc", keys)
		write(t, root+"/repos/kinectl.repo", fmt.Appendf(nil, "[kinectl]\nname=kinectl\nbaseurl=file://%s\ngpgcheck=1\nrepo_gpgcheck=1\ngpgkey=file://%s\n", repo, key))
		config := write(t, root+"/dnf.conf", []byte("[main]\n"))
		if err := os.Mkdir(root+"/log", 0o755); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(program, "-y", "--config", config, "--installroot", root+"/root", "--releasever", "9", "--setopt=reposdir="+root+"/repos",
			"--setopt=cachedir="+root+"/cache", "--setopt=persistdir="+root+"/persist", "--setopt=logdir="+root+"/log", "--setopt=plugins=0", "makecache")
		cmd.Env = append(os.Environ(), "LC_ALL=C", "HOME="+root)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	f := func(signers Signers, trusted Keyring, want bool) {
		t.Helper()
		asc, err := signers.Detach(t.Context(), repomd, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		out, err := makecache(asc, trusted.Armored())
		if (err == nil) != want || !want && !strings.Contains(out, "GPG") {
			t.Errorf("signed by %s, trusting %s: %v\n%s", signers, trusted, err, out)
		}
	}
	both := Signers{old, next}
	// What kinectl publishes: the first key alone signs.
	f(both[:1], ringOf(t, old, next), true)
	f(both[:1], ringOf(t, old), true)
	f(both[:1], ringOf(t, next), false)
	f(both[1:], ringOf(t, old, next), true)
	f(both[:1], ringOf(t, other), false)
	// Two signatures: this dnf asks gpg, newer ones ask rpm, which refuses them.
	f(both, ringOf(t, old), true)
	f(both, ringOf(t, next), true)
	f(both, ringOf(t, old, next), true)
	f(both, ringOf(t, other), false)
}
