package lab

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestCheckName(t *testing.T) {
	f := func(name string, ok bool) {
		t.Helper()
		if err := CheckName(name); (err == nil) != ok {
			t.Errorf("CheckName(%q) = %v", name, err)
		}
	}
	f("demo", true)
	f("test-lab-2", true)
	f("a", true)
	f("", false)
	f("Demo", false)
	f("2nd", false)
	f("../x", false)
	f("a b", false)
	f("demo-h1", false) // kinectl-demo-h1 is the namespace of demo's first host
	f("demo-hosts", true)
	f(strings.Repeat("a", 20), true)
	f(strings.Repeat("a", 21), false)
}

func TestOptionsCheck(t *testing.T) {
	f := func(o Options, want string) {
		t.Helper()
		err := o.check()
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%+v: %v, want %q", o, err, want)
		}
	}
	f(Options{Name: "x", Hosts: 3, Program: "k"}, "")
	f(Options{Name: "x", Hosts: 0, Program: "k"}, "0 hosts: want 1 to 200")
	f(Options{Name: "x", Hosts: 201, Program: "k"}, "201 hosts")
	f(Options{Name: "x-h2", Hosts: 1, Program: "k"}, "not ending in -h")
	f(Options{Name: "x", Hosts: 1}, "no program")
	f(Options{Name: "x", Hosts: 1, Program: "k", DiskMiB: 1}, "at least 64")
	f(Options{Name: "x", Hosts: 1, Program: "k", Groups: []string{"web", "all"}}, `group "all"`)
	f(Options{Name: "x", Hosts: 1, Program: "k", Groups: []string{"a-b"}}, `group "a-b"`)
}

func TestHostsOf(t *testing.T) {
	hosts := hostsOf(MaxHosts)
	if hosts[0] != (Host{"h1", "198.51.100.11", 0}) {
		t.Error(hosts[0])
	}
	if last := hosts[MaxHosts-1]; last.Name != "h200" || last.Address != "198.51.100.210" {
		t.Error(last)
	}
}

func TestMirrors(t *testing.T) {
	list := func(text, want string) {
		t.Helper()
		if got := mirrorInList(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	list("deb http://m/debian bookworm main", "http://m/debian")
	list("deb [signed-by=/x arch=amd64] https://m/debian/ bookworm main contrib # ours", "https://m/debian")
	list("# deb http://m/debian bookworm main", "")
	list("deb-src http://m/debian bookworm main", "")
	list("deb http://m/debian-security bookworm-security main\ndeb http://m/debian bookworm main\n", "http://m/debian")
	list("deb http://m/ubuntu noble main", "")
	list("deb file:/srv/m bookworm main", "") // gone when its medium is
	list("deb http://m/debian bookworm non-free", "")

	stanzas := func(text, want string) {
		t.Helper()
		if got := mirrorInDeb822(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	stanzas("Types: deb\nURIs: http://m/debian\nSuites: bookworm bookworm-updates\nComponents: main\n", "http://m/debian")
	stanzas("Types: deb\n# a comment: here\nURIs:\n http://m/debian/\nSuites: bookworm\nComponents: main", "http://m/debian")
	stanzas("Types: deb\nEnabled: no\nURIs: http://m/debian\nSuites: bookworm\nComponents: main", "")
	stanzas("Types: deb\nURIs: http://s\nSuites: bookworm-security\nComponents: main\n\nTypes: deb\nURIs: http://m\nSuites: bookworm\nComponents: main\n", "http://m")
	stanzas("", "")
}

func TestParseMountInfo(t *testing.T) {
	got := parseMountInfo(`27 1 254:0 / / rw - ext4 /dev/vda rw
30 23 0:26 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory
99 27 0:50 / /srv/a\040b rw - overlay o rw
torn line
`)
	want := []mountPoint{{"/", "ext4"}, {"/sys/fs/cgroup/memory", "cgroup"}, {"/srv/a b", "overlay"}}
	if len(got) != len(want) {
		t.Fatal(got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%v, want %v", got[i], want[i])
		}
	}
}

func TestNumberInHost(t *testing.T) {
	f := func(status, want string) {
		t.Helper()
		if got := readNumberInHost(status); got != want {
			t.Errorf("%q: %q", status, got)
		}
	}
	f("Name:\tsystemd\nNSpid:\t4711\t1\n", "1")
	f("NSpid:\t4712\t12\n", "12")
	f("NSpid:\t1\n", "")               // this machine's own
	f("NSpid:\t4713\t15\t1\n", "15 1") // a sandbox inside the host
	f("", "")
}

func TestMissing(t *testing.T) {
	f := func(has string, want string) {
		t.Helper()
		err := missing(needs(true, true), func(p string) bool { return strings.Contains(has, p) })
		if want == "" && err != nil || want != "" && (err == nil || err.Error() != want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	f("systemd-nspawn ssh nsenter mkfs.ext4 mount", "")
	f("ssh nsenter mkfs.ext4 mount", "the lab needs systemd-nspawn: apt-get install systemd-container")
	f("nsenter mount", "the lab needs systemd-nspawn, ssh, mkfs.ext4: apt-get install e2fsprogs openssh-client systemd-container")
}

func TestBootstrapStage(t *testing.T) {
	f := func(line, want string) {
		t.Helper()
		if got := bootstrapStage(line); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
	f("I: Retrieving libc6 2.36-9", "downloading packages")
	f("I: Unpacking the base system...", "unpacking them")
	f("I: Configuring libc-bin...", "configuring them")
	f("W: something else", "")
}

// What ssh and Ansible are told is compared with files in testdata;
// `go test -update` writes them.
func TestAccessFiles(t *testing.T) {
	hosts := hostsOf(2)
	inv, err := inventory("/var/lib/kinectl-lab/demo", hosts, []string{"applications", "cdn"})
	if err != nil {
		t.Fatal(err)
	}
	vars, err := groupVars(map[string]any{"port": 8080, "dsn": "a: b", "list": []string{"x"}})
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]keyPair{"h1": {public: "ssh-ed25519 AAAA1"}, "h2": {public: "ssh-ed25519 AAAA2"}}
	for name, got := range map[string]string{
		"hosts.yml":   string(inv),
		"all.yml":     string(vars),
		"ssh_config":  sshConfig("/var/lib/kinectl-lab/demo", "demo", "/opt/it's 100%/kinectl", hosts),
		"known_hosts": knownHosts(hosts, keys),
		"etc_hosts":   etcHosts(hosts),
	} {
		path := filepath.Join("testdata", name+".golden")
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s is\n%s\nwant\n%s", name, got, want)
		}
	}
	var back map[string]any
	if err := yaml.Unmarshal(vars, &back); err != nil || back["dsn"] != "a: b" {
		t.Errorf("group_vars do not survive: %v %v", back, err)
	}
}

func TestWriteIntoStaysInside(t *testing.T) {
	outside, root := t.TempDir(), t.TempDir()
	if err := os.Symlink(outside, filepath.Join(root, "etc")); err != nil {
		t.Fatal(err)
	}
	if err := writeInto(root, map[string]File{"/etc/x": {0o600, []byte("x")}}); err == nil {
		t.Error("wrote through a link that leads outside")
	}
	if left, _ := os.ReadDir(outside); len(left) > 0 {
		t.Error("wrote outside:", left)
	}
	if err := writeInto(root, map[string]File{"/../up": {0o600, nil}}); err != nil {
		t.Error(err) // "/.." is "/", as everywhere
	}
	if err := writeInto(root, map[string]File{"srv/x": {0o600, nil}}); err == nil {
		t.Error("took a relative path")
	}
	if err := writeInto(root, map[string]File{"/srv/a/x": {0o640, []byte("x")}}); err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(filepath.Join(root, "srv/a/x")); err != nil || st.Mode().Perm() != 0o640 {
		t.Error(st, err)
	}
}

func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sub", ".lock")
	first, err := tryLock(path)
	if err != nil || first == nil {
		t.Fatal(first, err)
	}
	if second, err := tryLock(path); second != nil || err != nil {
		t.Error("locked twice", err)
	}
	waited := false
	got := make(chan *lock)
	go func() {
		l, err := acquire(t.Context(), path, func() { waited = true; first.release() })
		if err != nil {
			t.Error(err)
		}
		got <- l
	}()
	(<-got).release()
	if !waited {
		t.Error("did not tell that it waits")
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("the lock's file is left over")
	}
}
