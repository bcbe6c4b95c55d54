package yum

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kinectl/kinectl/internal/needs"
	"github.com/kinectl/kinectl/internal/repo/signing"
	"github.com/kinectl/kinectl/internal/repo/storage"
)

// add publishes a built package under the signature of key, as a repository does.
func (t tree) add(tb testing.TB, r *Repository, key *signing.Key, path string) *Repository {
	tb.Helper()
	p, _ := readPackage(tb, path)
	signed, err := p.RPM.Signed(tb.Context(), key, clock)
	if err != nil {
		tb.Fatal(err)
	}
	p.Entry.Size, p.Entry.SHA256 = signed.Size, signed.SHA256
	p.HeaderStart, p.HeaderEnd = signed.HeaderStart, signed.HeaderEnd
	fingerprint := key.Fingerprint()
	p.Entry.Filename = Filename("stable", "x86_64", fingerprint[len(fingerprint)-16:], p.Entry)
	t.put(tb, []storage.File{{Name: p.Entry.Filename, Size: signed.Size, Open: signed.Open}})
	return t.publish(tb, r, key, Change{Add: []Package{p}})
}

// host is a machine's root, whose dnf reads one repository.
type host struct {
	root, dir string
}

// newHost gives a new machine the source that Source writes, and the keys.
func newHost(t testing.TB, url, key string) host {
	t.Helper()
	h := host{t.TempDir(), t.TempDir()}
	if err := os.WriteFile(filepath.Join(h.dir, "kinectl.repo"), Source(url, "stable", key), 0o644); err != nil {
		t.Fatal(err)
	}
	return h
}

// dnf runs dnf on the machine, as an x86_64 one whatever this one is.
func (h host) dnf(t testing.TB, args ...string) (string, error) {
	t.Helper()
	return attempt(t, append([]string{
		"dnf", "-y", "-q", "--installroot", h.root, "--releasever=9", "--forcearch=x86_64", "--disableplugin=*", "--noplugins", "--setopt=reposdir=" + h.dir,
		"--setopt=cachedir=" + filepath.Join(h.dir, "cache"), "--setopt=logdir=" + h.dir, "--setopt=retries=1",
	}, args...)...)
}

// serve serves a directory on the loopback interface.
func serve(t testing.TB, dir string) (url string) {
	t.Helper()
	server := httptest.NewServer(http.FileServer(http.Dir(dir)))
	t.Cleanup(server.Close)
	return server.URL
}

// dnfTree is a repository with three packages, in two states of it.
func dnfTree(t testing.TB) tree {
	t.Helper()
	for _, program := range []string{"dnf", "rpm", "rpmbuild"} {
		needs.Program(t, program, "dnf read no repository")
	}
	store := tree{"key.asc": trusted(t, testKey()).Armored()}
	hello := func(version, arch string) string { return build(t, "testdata/hello.spec", "v "+version, "a "+arch) }
	r := store.add(t, New("stable", "x86_64"), testKey(), hello("1.0", "noarch"))
	r = store.add(t, r, testKey(), hello("1.10", "noarch"))
	store.add(t, r, testKey(), build(t, "testdata/full.spec"))
	return store
}

// TestDNF lets the real dnf read what is written here, over HTTP and with all
// signatures checked.
func TestDNF(t *testing.T) {
	store, dir := dnfTree(t), t.TempDir()
	store.write(t, dir)
	url := serve(t, dir)
	h := newHost(t, url, url+"/key.asc")
	f := func(args, want string) {
		t.Helper()
		got, err := h.dnf(t, strings.Fields(args)...)
		if err != nil {
			t.Fatalf("dnf %s: %v\n%s", args, err, got)
		}
		if want = strings.TrimSpace(want); !strings.Contains(strings.Join(strings.Fields(got), " "), strings.Join(strings.Fields(want), " ")) {
			t.Errorf("dnf %s:\n%s\nwithout\n%s", args, got, want)
		}
	}
	f("makecache", "")
	f("list --showduplicates", "full.x86_64 2:1.2~rc1-3^git kinectl hello.noarch 1.0-1 kinectl hello.noarch 1.10-1 kinectl")
	f("repoquery --whatprovides /usr/bin/full", "full-2:1.2~rc1-3^git.x86_64")
	f("repoquery --whatprovides /usr/share/hello/text", "hello-0:1.0-1.noarch hello-0:1.10-1.noarch") // in filelists.xml alone
	f("repoquery --whatprovides greeting", "hello-0:1.0-1.noarch hello-0:1.10-1.noarch")
	f("repoquery -l full", "/etc/full /etc/full/full.conf /opt/x /opt/x/a & b <c> é /opt/x/bin /opt/x/bin/tool /opt/x/tool /usr/bin/full")
	f("repoquery --requires full", "(foo if bar) /bin/sh /opt/x/tool at-the-end bash full glibc >= 2.17 shadow-utils systemd = 1:249-1")
	f("repoquery --changelogs full", "- newest & best")
	f("repoquery full --qf %{summary}|%{license}|%{url}|%{sourcerpm}|%{obsoletes}|%{installsize}|%{description}",
		"All & everything <x> \"q\" 'a'|Apache-2.0|https://example.com/?a=1&b=2|full-1.2~rc1-3^git.src.rpm|old <= 1:3|30|Line one & two. Indented <tag> After a blank: é")
	f("repoquery --location hello-1.0", url+"/yum/stable/x86_64/Packages/"+strings.ToLower(testKey().Fingerprint()[24:])+"/h/hello/hello-1.0-1.noarch.rpm")

	if os.Geteuid() != 0 {
		t.Skip("not root: nothing was installed by dnf")
	}
	installed := func(version string) {
		t.Helper()
		if got := run(t, "rpm", "--root", h.root, "-q", "hello"); got != "hello-"+version+"-1.noarch\n" {
			t.Errorf("installed is %s", got)
		}
		if body, err := os.ReadFile(filepath.Join(h.root, "usr/bin/hello")); string(body) != "hello "+version+"\n" {
			t.Errorf("/usr/bin/hello says %q, %v", body, err)
		}
	}
	f("install hello-1.0", "")
	installed("1.0")
	f("upgrade hello", "")
	installed("1.10")
	f("downgrade hello-1.0", "")
	installed("1.0")
	f("remove hello", "")
	if got, err := h.dnf(t, "install", "full"); err == nil || !strings.Contains(got, "nothing provides bash needed by full") {
		t.Errorf("installed a package without what it requires: %s", got)
	}
}

// TestDNFRefuses changes one byte of each file in turn: dnf takes nothing from
// it. Without a change it takes all, by the same commands.
func TestDNFRefuses(t *testing.T) {
	store := dnfTree(t)
	root := os.Geteuid() == 0
	f := func(change func(tree), want string, options ...string) {
		t.Helper()
		changed, dir := maps.Clone(store), t.TempDir()
		change(changed)
		changed.write(t, dir)
		h := newHost(t, "file://"+dir, "file://"+dir+"/key.asc")
		got, err := h.dnf(t, append(options, "repoquery", "--changelogs", "hello")...) // reads all lists
		if err == nil && root {
			got, err = h.dnf(t, append(options, "install", "hello")...)
		}
		if (err != nil) != (want != "") || !strings.Contains(got, want) {
			t.Errorf("%v, want %q\n%s", err, want, got)
		}
	}
	flip := func(name string) func(tree) {
		return func(files tree) {
			body := slices.Clone(files[name])
			body[len(body)/2] ^= 1
			files[name] = body
		}
	}
	f(func(tree) {}, "")
	r := store.load(t)
	const dir, badSignature = "yum/stable/x86_64/", "repomd.xml GPG signature verification error"
	f(flip(dir+"repodata/repomd.xml"), badSignature)
	f(flip(dir+"repodata/repomd.xml.asc"), badSignature)
	for kind := range kinds {
		name := r.root.data[kind].name(kind)
		f(flip(dir+name), name+" - Cannot download")
	}
	// Whole and well signed, but by a stranger.
	stranger, err := signing.NewKey("stranger", signing.Ed25519, clock.AddDate(0, 0, -1))
	if err != nil {
		t.Fatal(err)
	}
	f(func(files tree) { files.publish(t, r, stranger, Change{Now: clock}) }, badSignature)
	f(func(files tree) { files.publish(t, r, testKey(), Change{Now: clock.Add(time.Hour)}) }, "")
	if !root {
		t.Skip("not root: no package was refused by dnf")
	}
	hello, _, err := r.Find(t.Context(), "hello", "1.10-1", "noarch")
	if err != nil {
		t.Fatal(err)
	}
	f(flip(hello.Filename), "has incorrect checksum")
	f(func(files tree) {
		p, body := readPackage(t, build(t, "testdata/hello.spec", "v 2.0", "a noarch"))
		files[p.Entry.Filename] = body
		files.publish(t, r, testKey(), Change{Add: []Package{p}})
	}, "hello-2.0-1.noarch.rpm is not signed")
}

// TestDNFSource shows what two settings of Source are for.
func TestDNFSource(t *testing.T) {
	store, dir := dnfTree(t), t.TempDir()
	store.write(t, dir)
	h := newHost(t, "file://"+dir, "file://"+dir+"/key.asc")
	f := func(want string, args ...string) {
		t.Helper()
		if got, err := h.dnf(t, args...); err != nil || strings.Join(strings.Fields(got), " ") != want {
			t.Errorf("dnf %q: %v, want %q\n%s", args, err, want, got)
		}
	}
	ask := []string{"list", "hello"}
	if _, err := h.dnf(t, "makecache"); err != nil { // which says that it imports the key
		t.Fatal(err)
	}
	f("Available Packages hello.noarch 1.10-1 kinectl", ask...)

	// The system has a package of that name.
	system, systemDir := tree{}, t.TempDir()
	p, body := readPackage(t, build(t, "testdata/hello.spec", "v 0.9", "a noarch"))
	system[p.Entry.Filename] = body
	system.publish(t, New("stable", "x86_64"), testKey(), Change{Add: []Package{p}})
	system.write(t, systemDir)
	text := "[system]\nname=system\nbaseurl=file://" + systemDir + "/yum/stable/x86_64/\n"
	if err := os.WriteFile(filepath.Join(h.dir, "system.repo"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	f("Available Packages hello.noarch 0.9-1 system", ask...)
	f("Available Packages hello.noarch 1.10-1 kinectl", append([]string{"--setopt=kinectl.priority=99"}, ask...)...)

	// The signature does not hold.
	if err := os.WriteFile(filepath.Join(dir, "yum/stable/x86_64/repodata/repomd.xml"), []byte("<repomd/>"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got, err := h.dnf(t, append([]string{"--refresh"}, ask...)...); err == nil {
		t.Errorf("dnf says nothing: %s", got)
	}
	if got, err := h.dnf(t, append([]string{"--refresh", "--setopt=kinectl.skip_if_unavailable=1"}, ask...)...); err != nil {
		t.Errorf("skip_if_unavailable does not matter: %v, %s", err, got)
	}
}

func TestSource(t *testing.T) {
	golden(t, "kinectl.repo", Source("https://packages.example.com", "stable", "file://"+KeyPath))
}
