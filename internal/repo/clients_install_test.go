package repo

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kinectl/kinectl/internal/needs"
)

// installed checks what version of hello a host has, by its package manager
// and by the file.
func installed(t *testing.T, c client, want, got string, err error) {
	t.Helper()
	if err != nil || got != want {
		t.Errorf("installed is %q, %v; want %s", got, err, want)
	}
	if body, err := os.ReadFile(c.root + "/usr/share/hello/version"); err != nil || string(body) != want {
		t.Errorf("the file says %q, %v; want %s", body, err, want)
	}
}

// filesOf lists the files below dir.
func filesOf(t *testing.T, dir string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			found = append(found, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestAptInstalls lets the real apt and dpkg install, upgrade, downgrade and
// pin over HTTP, with everything verified.
func TestAptInstalls(t *testing.T) {
	needs.Program(t, "apt-get", "nothing was installed with apt")
	needs.Program(t, "dpkg", "nothing was installed with apt")
	if os.Geteuid() != 0 {
		t.Skip("not root: dpkg installs nothing")
	}
	dir, o := clientRepo(t)
	testPublish(t, dir, o, installable(t, "deb", "hello", "1.0.0"), installable(t, "deb", "hello", "1.9.0"))
	address, log := offer(t, dir)
	c := aptClient(t, address, dir)
	f := func(args, want string) {
		t.Helper()
		c.must(t, append([]string{"apt-get", "-y", "-q"}, strings.Fields(args)...)...)
		if want != "" {
			got, err := c.run(t.Context(), "dpkg-query", "--admindir="+c.root+"/var/lib/dpkg", "--show", "--showformat=${Version}", "hello")
			installed(t, c, want, got, err)
		}
	}
	f("update", "")
	f("install hello=1.0.0", "1.0.0")
	f("install hello=1.9.0", "1.9.0")
	f("install --allow-downgrades hello=1.0.0", "1.0.0")

	// The pin of a version holds against a newer one, and brings it back.
	testPublish(t, dir, o, installable(t, "deb", "hello", "1.10.0"))
	f("update", "")
	pin := c.root + "/etc/apt/preferences.d/hello"
	put(t, pin, []byte("Package: hello\nPin: version 1.9.0\nPin-Priority: 1001\n"))
	f("dist-upgrade --allow-downgrades", "1.9.0")
	f("install hello", "1.9.0")
	put(t, pin, []byte("Package: hello\nPin: version 1.0.0\nPin-Priority: 1001\n"))
	f("dist-upgrade --allow-downgrades", "1.0.0")
	put(t, pin, []byte("Package: hello\nPin: version *\nPin-Priority: 500\n"))
	f("dist-upgrade", "1.10.0")
	if _, faults := log.seen(); len(faults) > 0 {
		t.Errorf("the server had\n%s", strings.Join(faults, ""))
	}
}

// TestDNFInstalls is the same with the real dnf and rpm.
func TestDNFInstalls(t *testing.T) {
	needs.Program(t, "dnf", "nothing was installed with dnf")
	needs.Program(t, "rpm", "nothing was installed with dnf")
	if os.Geteuid() != 0 {
		t.Skip("not root: dnf installs nothing")
	}
	dir, o := clientRepo(t)
	testPublish(t, dir, o, installable(t, "rpm", "hello", "1.0.0"), installable(t, "rpm", "hello", "1.9.0"))
	address, log := offer(t, dir)
	c := dnfClient(t, address, dir)
	f := func(args, want string) {
		t.Helper()
		c.must(t, strings.Fields(args)...)
		if want != "" {
			got, err := c.rpm(t.Context(), "-q", "--queryformat", "%{VERSION}", "hello")
			installed(t, c, want, got, err)
		}
	}
	f("makecache", "")
	f("install hello-1.0.0", "1.0.0")
	f("upgrade hello", "1.9.0")
	f("downgrade hello-1.0.0", "1.0.0")
	f("upgrade hello-1.9.0", "1.9.0")
	testPublish(t, dir, o, installable(t, "rpm", "hello", "1.10.0"))
	f("upgrade --refresh --exclude=hello-1.10.0*", "1.9.0") // what a lock on a version comes to
	t.Run("plugins", func(t *testing.T) {
		if out, err := c.run(t.Context(), "versionlock", "list"); err != nil {
			if required() {
				t.Fatalf("dnf-plugins-core is not installed, no version was locked: %s", out)
			}
			t.Skip("dnf-plugins-core is not installed: no version was locked and nothing was copied")
		}
		f("versionlock add hello-1.9.0", "")
		f("upgrade", "1.9.0")
		f("versionlock delete hello-1.9.0", "")
		copied := t.TempDir()
		f("reposync --repo=kinectl --download-path="+copied, "")
		if found := filesOf(t, copied); len(found) != 3 {
			t.Errorf("reposync copied %v", found)
		}
	})
	f("upgrade", "1.10.0")
	signature, err := c.rpm(t.Context(), "-q", "--queryformat", "%{RSAHEADER:pgpsig}%{DSAHEADER:pgpsig}", "hello")
	if err != nil || !strings.Contains(signature, "Key ID") {
		t.Errorf("the installed package is not signed: %s, %v", signature, err)
	}
	if _, faults := log.seen(); len(faults) > 0 {
		t.Errorf("the server had\n%s", strings.Join(faults, ""))
	}
}
