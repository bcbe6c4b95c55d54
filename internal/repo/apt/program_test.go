package apt

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kinectl/kinectl/internal/needs"
	"github.com/kinectl/kinectl/internal/repo/debfile"
)

// realDeb builds a package with dpkg-deb and reads it as a publisher does.
func realDeb(t *testing.T, name, version, arch string) (Package, []byte) {
	t.Helper()
	dir := t.TempDir()
	control := fmt.Sprintf("Package: %s\nVersion: %s\nArchitecture: %s\nSection: misc\nMaintainer: Jo Doe <jo@example.com>\nDescription: for tests\n", name, version, arch)
	for file, body := range map[string]string{"DEBIAN/control": control, "usr/bin/" + name: version, "usr/share/" + name + "/a file": "x"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, file)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, file), []byte(body), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(t.TempDir(), "x.deb")
	if out, err := exec.Command("dpkg-deb", "--root-owner-group", "--build", dir, file).CombinedOutput(); err != nil {
		t.Fatalf("dpkg-deb: %v\n%s", err, out)
	}
	body, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	d, err := debfile.Read(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	files, err := d.Payload(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(body)
	return NewPackage(d, int64(len(body)), hex.EncodeToString(sum[:]), files, time.Now()), body
}

// server offers a repository in memory over HTTP and notes what is asked for.
type server struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string
}

func serve(t *testing.T, p place) *server {
	t.Helper()
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, "/")
		s.mu.Lock()
		s.asked = append(s.asked, name)
		s.mu.Unlock()
		p.mu.Lock()
		body, found := p.files[name]
		p.mu.Unlock()
		if !found {
			http.NotFound(w, r)
			return
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
	}))
	t.Cleanup(s.Close)
	return s
}

// takeAsked returns what was asked for since it was last called.
func (s *server) takeAsked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := s.asked
	s.asked = nil
	return asked
}

// aptHost is a root of its own for the real apt, which trusts one suite and
// needs no rights. It wants Contents, as apt-file does.
type aptHost struct {
	t    *testing.T
	root string
}

func newAptHost(t *testing.T, url string, public []byte, more string) aptHost {
	t.Helper()
	h := aptHost{t, t.TempDir()}
	for _, dir := range []string{"/var/lib/apt/lists/partial", "/var/cache/apt/archives/partial", "/var/lib/dpkg", "/etc/apt/apt.conf.d", "/etc/apt/preferences.d", "/download"} {
		if err := os.MkdirAll(h.root+dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	config := fmt.Sprintf(`Dir "%[1]s";
Dir::State::status "%[1]s/var/lib/dpkg/status";
Dir::Bin::Methods "/usr/lib/apt/methods";
Dir::Bin::dpkg "/usr/bin/dpkg";
APT::Architecture "amd64";
APT::Architectures { "amd64"; };
APT::Sandbox::User "root";
APT::Update::Error-Mode "any";
Acquire::Retries "0";
Acquire::Languages "none";
Debug::NoLocking "1";
Acquire::IndexTargets::deb::Contents-deb {
	MetaKey "$(COMPONENT)/Contents-$(ARCHITECTURE)";
	ShortDescription "Contents-$(ARCHITECTURE)";
	Description "$(RELEASE)/$(COMPONENT) $(ARCHITECTURE) Contents (deb)";
	flatMetaKey "Contents-$(ARCHITECTURE)";
	flatDescription "$(RELEASE) Contents (deb)";
	PDiffs "false";
	KeepCompressed "true";
};
%[2]s`, h.root, more)
	for name, body := range map[string]string{
		"/var/lib/dpkg/status":  "",
		"/etc/apt/key.asc":      string(public),
		"/etc/apt/sources.list": fmt.Sprintf("deb [signed-by=%s/etc/apt/key.asc] %s stable main\n", h.root, url),
		"/apt.conf":             config,
	} {
		if err := os.WriteFile(h.root+name, []byte(body), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

func (h aptHost) run(program string, args ...string) (string, error) {
	h.t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = h.root + "/download"
	cmd.Env = append(os.Environ(), "LC_ALL=C", "APT_CONFIG="+h.root+"/apt.conf", "http_proxy=", "no_proxy=*")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (h aptHost) mustRun(program string, args ...string) string {
	h.t.Helper()
	out, err := h.run(program, args...)
	if err != nil || strings.Contains(out, "W:") || strings.Contains(out, "E:") {
		h.t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, out)
	}
	return out
}

// realPlace is a repository with a key of now, since real programs believe in
// no other time.
func realPlace(t *testing.T, debs ...[3]string) (place, *Suite) {
	t.Helper()
	needs.Program(t, "apt-get", "the suite is not tried with the real apt")
	needs.Program(t, "apt-cache", "the suite is not tried with the real apt")
	needs.Program(t, "dpkg-deb", "the suite is not tried with the real apt")
	p := newPlace(t)
	var add []Package
	for _, d := range debs {
		one, body := realDeb(t, d[0], d[1], d[2])
		p.files[one.Entry.Filename] = body
		add = append(add, one)
	}
	day := 24 * time.Hour
	s := apply(t, NewSuite("kinectl", "stable"), Change{Add: add, Now: time.Now(), ValidFor: &day})
	p.publish(t, s)
	return p, s
}

// TestRealApt refreshes, lists and downloads, then again after a publication.
func TestRealApt(t *testing.T) {
	p, s := realPlace(t, [3]string{"hello", "1.9.0", "amd64"}, [3]string{"hello", "1.10.0", "amd64"}, [3]string{"docs", "1:1.0", "all"}, [3]string{"hello", "1.9.0", "arm64"})
	server := serve(t, p)
	h := newAptHost(t, server.URL, p.trusted.Armored(), `Acquire::CompressionTypes::Order { "zst"; };`)
	h.mustRun("apt-get", "update")
	asked := server.takeAsked()
	for _, want := range []string{"main/binary-amd64/Packages.zst", "main/Contents-amd64.gz"} {
		f, found := s.release.File(want)
		if !found || !slices.Contains(asked, s.hashName(f)) {
			t.Errorf("apt did not fetch %s by its hash, but %q", want, asked)
		}
	}
	for _, name := range asked {
		if strings.Contains(name, "arm64") || strings.Contains(name, "binary-all") {
			t.Errorf("apt asks for %s", name)
		}
	}
	policy := h.mustRun("apt-cache", "policy", "hello")
	if !strings.Contains(policy, "Candidate: 1.10.0") || !strings.Contains(policy, " 1.9.0 ") {
		t.Errorf("apt-cache policy hello:\n%s", policy)
	}
	for _, name := range []string{"hello=1.9.0", "hello=1.10.0", "docs=1:1.0"} {
		h.mustRun("apt-get", "download", name)
	}
	if files, err := filepath.Glob(h.root + "/download/*.deb"); err != nil || len(files) != 3 {
		t.Errorf("downloaded %q, %v", files, err)
	}

	targets := h.mustRun("apt-get", "indextargets", "--format", "$(FILENAME)", "Created-By: Contents-deb")
	file := strings.TrimSpace(targets)
	contents := h.mustRun("/usr/lib/apt/apt-helper", "cat-file", file)
	if contents != plain(t, s.contents["amd64"]) || !strings.Contains(contents, "usr/share/hello/a file   misc/hello\n") {
		t.Errorf("apt's Contents is %q:\n%s", file, contents)
	}

	next, body := realDeb(t, "hello", "1.11.0", "amd64")
	p.mu.Lock()
	p.files[next.Entry.Filename] = body
	p.mu.Unlock()
	s, err := Load(t.Context(), p, "stable", p.trusted, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	more := many(500) // which makes blocks
	s = apply(t, s, Change{Add: append(more, next), Now: time.Now().Add(time.Second)})
	p.publish(t, s)
	h.mustRun("apt-get", "update")
	if got := h.mustRun("apt-cache", "dumpavail"); strings.Count(got, "Package: service-") != len(more) {
		t.Errorf("apt reads %d of %d packages", strings.Count(got, "Package: service-"), len(more))
	}
	if policy := h.mustRun("apt-cache", "policy", "hello"); !strings.Contains(policy, "Candidate: 1.11.0") {
		t.Errorf("after a publication, apt-cache policy hello:\n%s", policy)
	}
}

// TestRealAptForms: every form of Packages is read, and an empty one.
func TestRealAptForms(t *testing.T) {
	p, s := realPlace(t, [3]string{"hello", "1.0", "amd64"})
	f := func(order, suffix string) {
		t.Helper()
		server := serve(t, p)
		h := newAptHost(t, server.URL, p.trusted.Armored(), fmt.Sprintf("Acquire::CompressionTypes::Order { %q; };", order))
		h.mustRun("apt-get", "update")
		if got := h.mustRun("apt-cache", "madison", "hello"); !strings.Contains(got, "1.0") {
			t.Errorf("%q: apt knows %q", suffix, got)
		}
		asked := server.takeAsked()
		if file, _ := s.release.File("main/binary-amd64/Packages" + suffix); !slices.Contains(asked, s.hashName(file)) {
			t.Errorf("%q: apt fetched %q", suffix, asked)
		}
	}
	f("zst", ".zst")
	f("gz", ".gz")
	plainOnly := *s // apt takes that only where there is nothing else
	plainOnly.release.Files = slices.DeleteFunc(slices.Clone(s.release.Files), func(f File) bool { return strings.Contains(f.Path, "Packages.") })
	plainOnly.text = plainOnly.release.render()
	p.publish(t, &plainOnly)
	f("", "")

	empty, _ := realPlace(t)
	h := newAptHost(t, serve(t, empty).URL, empty.trusted.Armored(), "")
	h.mustRun("apt-get", "update")
	if got := h.mustRun("apt-cache", "madison", "hello"); got != "" {
		t.Errorf("of an empty suite apt knows %q", got)
	}
}

// TestRealAptRefuses changes a byte of each kind of file, and the key.
func TestRealAptRefuses(t *testing.T) {
	p, _ := realPlace(t, [3]string{"hello", "1.0", "amd64"})
	f := func(what, part, want string, key []byte) {
		t.Helper()
		damaged := &memory{files: map[string][]byte{}}
		changed := 0
		for name, body := range p.files {
			if part != "" && strings.Contains(name, part) && len(body) > 0 {
				body = bytes.Clone(body)
				body[len(body)/3] ^= 1
				changed++
			}
			damaged.files[name] = body
		}
		if part != "" && changed == 0 {
			t.Fatalf("%s: nothing to change", what)
		}
		h := newAptHost(t, serve(t, place{damaged, nil, p.trusted}).URL, key, "")
		out, err := h.run("apt-get", "update")
		if err == nil {
			var download string
			download, err = h.run("apt-get", "download", "hello=1.0")
			out += download
		}
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(out, want)) {
			t.Errorf("%s: apt says %v, want %q in:\n%s", what, err, want, out)
		}
	}
	key := p.trusted.Armored()
	f("nothing", "", "", key)
	f("the key", "", "NO_PUBKEY", newPlace(t).trusted.Armored())
	f("InRelease", "InRelease", "invalid", key)
	f("Packages", "binary-amd64/by-hash", "Hash Sum mismatch", key)
	f("Contents", "main/by-hash", "Hash Sum mismatch", key)
	f("the package", "pool/", "Hash Sum mismatch", key)
}

// TestRealAptValidUntil: an old root is refused, and a new one of the same
// lists is taken.
func TestRealAptValidUntil(t *testing.T) {
	p, s := realPlace(t, [3]string{"hello", "1.0", "amd64"})
	hour := time.Hour
	h := newAptHost(t, serve(t, p).URL, p.trusted.Armored(), "")
	old := apply(t, NewSuite("kinectl", "stable"), Change{Now: time.Now().Add(-2 * time.Hour), ValidFor: &hour})
	p.publish(t, old)
	if out, err := h.run("apt-get", "update"); err == nil || !strings.Contains(out, "expired") {
		t.Errorf("apt takes a root that is out of date: %v\n%s", err, out)
	}
	p.publish(t, apply(t, s, Change{Now: time.Now()}))
	h.mustRun("apt-get", "update")
}
