package repo

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kinectl/kinectl/internal/needs"
)

// filesWith lists the files below dir with this content.
func filesWith(t *testing.T, dir string, content []byte) []string {
	t.Helper()
	return slices.DeleteFunc(filesOf(t, dir), func(file string) bool {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return !bytes.Equal(body, content)
	})
}

// TestClientsRefuse changes one byte of every file that a client fetches, one
// after the other: each time apt or dnf ends with an error and installs nothing.
func TestClientsRefuse(t *testing.T) {
	needs.Program(t, "apt-get", "no client refused what was changed")
	needs.Program(t, "dnf", "no client refused what was changed")
	if os.Geteuid() != 0 {
		t.Skip("not root: neither dpkg nor dnf install anything")
	}
	dir, o := clientRepo(t)
	testPublish(t, dir, o, installable(t, "deb", "hello", "1.0.0"), installable(t, "rpm", "hello", "1.0.0"))
	f := func(least int, host func(*testing.T, string, string) client, commands ...string) {
		t.Helper()
		install := func() (out string, log *accessLog, err error) {
			address, log := offer(t, dir)
			c := host(t, address, dir)
			for _, command := range commands {
				if out, err = c.run(t.Context(), strings.Fields(command)...); err != nil {
					break
				}
			}
			if _, missing := os.Stat(c.root + "/usr/share/hello/version"); (missing != nil) != (err != nil) {
				t.Errorf("the commands ended with %v, hello is there: %v\n%s", err, missing == nil, out)
			}
			return out, log, err
		}
		out, log, err := install()
		if err != nil || complains(out) {
			t.Fatalf("nothing changed: %v\n%s", err, out)
		}
		names, _ := log.seen()
		slices.Sort(names)
		names = slices.Compact(names)
		if len(names) < least {
			t.Errorf("only %q were fetched", names)
		}
		for _, name := range names {
			body, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			changed := bytes.Clone(body)
			changed[len(changed)/2] ^= 1
			same := filesWith(t, dir, body) // also its other names: a client is given any of them
			for _, file := range same {
				put(t, file, changed)
			}
			if out, _, err := install(); err == nil {
				t.Errorf("%s was changed, and yet:\n%s", name, out)
			}
			for _, file := range same {
				put(t, file, body)
			}
		}
	}
	f(3, aptClient, "apt-get -q update", "apt-get -q -y install hello")
	f(5, dnfClient, "makecache", "install hello")
}

// TestClientsComplain is the control of TestClientsWhilePublishing: where a file
// is missing, the client and the log say so.
func TestClientsComplain(t *testing.T) {
	needs.Program(t, "apt-get", "no client complained")
	needs.Program(t, "dnf", "no client complained")
	if os.Geteuid() != 0 {
		t.Skip("not root: dnf refreshes in a root of its own for root only")
	}
	dir, o := clientRepo(t)
	testPublish(t, dir, o, installable(t, "deb", "hello", "1.0.0"), installable(t, "rpm", "hello", "1.0.0"))
	address, log := offer(t, dir)
	for _, file := range filesOf(t, dir) { // apt falls back on the name that is not the digest
		if strings.Contains(file, "/by-hash/") || strings.Contains(filepath.Base(file), "Packages") || strings.HasSuffix(file, "-primary.xml.gz") {
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
		}
	}
	f := func(c client, want string, command ...string) {
		t.Helper()
		_, before := log.seen()
		out, err := c.run(t.Context(), command...)
		if _, after := log.seen(); err == nil || !complains(out) || !strings.Contains(out, want) || len(after) == len(before) {
			t.Errorf("%v, %d faults in the log:\n%s", err, len(after)-len(before), out)
		}
	}
	f(aptClient(t, address, dir), "404", "apt-get", "update")
	f(dnfClient(t, address, dir), "404", "makecache")
}
