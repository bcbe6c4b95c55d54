package repo

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestAptTexts(t *testing.T) {
	golden(t, "kinectl.sources", AptSource("http://apt.example.com", "stable"))
	golden(t, "kinectl.pref", AptPin("kinectl"))
}

// aptHost is a root of its own for the real apt, which trusts one repository
// as a host does, and which needs no rights.
type aptHost struct {
	t    *testing.T
	root string
}

func newAptHost(t *testing.T, url string, public []byte) aptHost {
	t.Helper()
	h := aptHost{t, t.TempDir()}
	source := AptSource(url, "stable")
	source = bytes.ReplaceAll(source, []byte(AptKeyPath), []byte(h.root+AptKeyPath)) // Dir is not put before this path
	for name, body := range map[string][]byte{AptKeyPath: public, AptSourcePath: source, AptPinPath: AptPin("kinectl"), "/var/lib/dpkg/status": nil} {
		if err := os.MkdirAll(filepath.Dir(h.root+name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(h.root+name, body, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range []string{"/var/lib/apt/lists/partial", "/var/cache/apt/archives/partial", "/etc/apt/apt.conf.d", "/download"} {
		if err := os.MkdirAll(h.root+dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

// run calls one of apt's programs in the host's download directory. Its own
// configuration file comes first and turns apt away from this machine's.
func (h aptHost) run(program string, args ...string) (output string, err error) {
	h.t.Helper()
	config := fmt.Sprintf(`Dir "%[1]s";
Dir::State::status "%[1]s/var/lib/dpkg/status";
Dir::Bin::Methods "/usr/lib/apt/methods";
Dir::Bin::dpkg "/usr/bin/dpkg";
APT::Architecture "amd64";
APT::Architectures { "amd64"; };
APT::Sandbox::User "root";
APT::Update::Error-Mode "any";
Acquire::Retries "0";
Debug::NoLocking "1";
`, h.root)
	if err := os.WriteFile(h.root+"/apt.conf", []byte(config), 0o644); err != nil {
		h.t.Fatal(err)
	}
	cmd := exec.Command(program, args...)
	cmd.Dir = h.root + "/download"
	cmd.Env = append(os.Environ(), "LC_ALL=C", "APT_CONFIG="+h.root+"/apt.conf", "http_proxy=", "no_proxy=*")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (h aptHost) mustRun(program string, args ...string) string {
	h.t.Helper()
	out, err := h.run(program, args...)
	if err != nil {
		h.t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, out)
	}
	return out
}

// TestRealApt refreshes, lists and downloads with the apt of this machine.
func TestRealApt(t *testing.T) {
	if _, err := exec.LookPath("apt-get"); err != nil {
		t.Skip("apt-get is not installed: the repository is not tried with the real apt")
	}
	dir, o := realTimeRepo(t)
	old, next := debFile(t, "hello", "1.9.0", "amd64", "old"), debFile(t, "hello", "1.10.0", "amd64", "next")
	testPublish(t, dir, o, old)
	public, err := os.ReadFile(filepath.Join(dir, keyName))
	if err != nil {
		t.Fatal(err)
	}
	url := serve(t, dir, nil)
	h := newAptHost(t, url, public)

	if out := h.mustRun("apt-get", "update"); strings.Contains(out, "W:") || strings.Contains(out, "E:") {
		t.Errorf("apt-get update complains:\n%s", out)
	}
	// Published within the second of the last refresh, and yet seen by the next.
	testPublish(t, dir, o, next)
	h.mustRun("apt-get", "update")
	policy := h.mustRun("apt-cache", "policy", "hello")
	for _, want := range []string{"1.10.0 1\n", "1.9.0 1\n", "Candidate: 1.10.0"} { // the 1 is the pin
		if !strings.Contains(policy, want) {
			t.Errorf("apt-cache policy has no %q:\n%s", want, policy)
		}
	}
	for version, file := range map[string]string{"1.9.0": old, "1.10.0": next} {
		h.mustRun("apt-get", "download", "hello="+version)
		got, err := os.ReadFile(h.root + "/download/hello_" + version + "_amd64.deb")
		if want, _ := os.ReadFile(file); err != nil || !bytes.Equal(got, want) {
			t.Errorf("apt-get download hello=%s has other bytes: %v", version, err)
		}
	}
}

// realTimeRepo is testRepo at the time that real programs believe in.
func realTimeRepo(t *testing.T) (dir string, o Options) {
	t.Helper()
	base := t.TempDir()
	dir = filepath.Join(base, "apt")
	o = Options{KeyDir: filepath.Join(base, "keys")}
	if _, err := Init(t.Context(), dir, InitOptions{Options: o, KeyType: Ed25519}); err != nil {
		t.Fatal(err)
	}
	return dir, o
}

// TestRealAptRefuses changes a byte in each kind of file, and the key.
func TestRealAptRefuses(t *testing.T) {
	if _, err := exec.LookPath("apt-get"); err != nil {
		t.Skip("apt-get is not installed: the repository is not tried with the real apt")
	}
	dir, o := realTimeRepo(t)
	testPublish(t, dir, o, debFile(t, "hello", "1.0", "amd64", "one"))
	public, err := os.ReadFile(filepath.Join(dir, keyName))
	if err != nil {
		t.Fatal(err)
	}
	url := serve(t, dir, nil)
	other, err := NewKey("other", Ed25519, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := other.Public()
	if err != nil {
		t.Fatal(err)
	}
	f := func(key []byte, pattern, want string) {
		t.Helper()
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil || pattern != "" && len(files) == 0 {
			t.Fatalf("no file %s", pattern)
		}
		for _, file := range files {
			if info, err := os.Stat(file); err != nil || info.Size() == 0 || info.IsDir() {
				continue
			}
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			defer os.WriteFile(file, bytes.Clone(body), 0o644)
			body[len(body)/3] ^= 1
			if err := os.WriteFile(file, body, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		h := newAptHost(t, url, key)
		out, err := h.run("apt-get", "update")
		if err == nil {
			var download string
			download, err = h.run("apt-get", "download", "hello=1.0")
			out += download
		}
		if err == nil || !strings.Contains(out, want) {
			t.Errorf("%q changed: apt says %v, want %q in:\n%s", pattern, err, want, out)
		}
		if left, _ := filepath.Glob(h.root + "/download/*.deb"); len(left) > 0 {
			t.Errorf("%q changed: apt kept %v", pattern, left)
		}
	}
	f(foreign, "", "NO_PUBKEY")
	f(public, "dists/stable/InRelease", "invalid")
	f(public, "dists/stable/main/binary-amd64/by-hash/SHA256/*", "Hash Sum mismatch")
	f(public, "pool/main/h/hello/*.deb", "Hash Sum mismatch")
	h := newAptHost(t, url, public) // all changes were undone
	h.mustRun("apt-get", "update")
	h.mustRun("apt-get", "download", "hello=1.0")
}
