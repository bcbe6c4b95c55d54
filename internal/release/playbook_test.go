package release

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kinectl/kinectl/internal/artifact"
	"github.com/kinectl/kinectl/internal/needs"
	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/render/ansible"
	"github.com/kinectl/kinectl/internal/version"
)

// module stands in for the one that goes to the hosts: it reports what the
// variable OUTCOME of the environment says.
const module = `#!/bin/sh
arguments=$(cat <<'END'
<<INCLUDE_ANSIBLE_MODULE_JSON_ARGS>>
END
)
result=ready failed=false
case $arguments in
*'"stage": "before"'*) result=ran ;;
*'"stage": "release"'*)
	result=$(printf %s "$arguments" | sed -n 's/.*"environment": "\([^"]*\)".*/\1/p' | base64 -d | sed -n 's/^OUTCOME="\(.*\)"$/\1/p') ;;
esac
case $result in ready | ran | deployed | unchanged) ;; *) failed=true ;; esac
case $arguments in *'"digest": "UNCHANGED"'*) differs=false ;; *) differs=true ;; esac
printf '{"changed":true,"differs":%s,"failed":%s,"result":"%s","reason":"as asked"}' "$differs" "$failed" "$result"
`

// proxyModule stands in for the one that goes to the proxies: it refuses one stage of one host.
const proxyModule = `#!/bin/sh
arguments=$(cat <<'END'
<<INCLUDE_ANSIBLE_MODULE_JSON_ARGS>>
END
)
argument() { printf %s "$arguments" | sed -n "s/.*\"$1\": \"\([^\"]*\)\".*/\1/p"; }
[ "$(argument stage):$(argument host)" = REFUSES ] && failed=true || failed=false
printf '{"changed":true,"failed":%s,"msg":"as asked"}' "$failed"
`

// ran reads an inventory with the real ansible-inventory and runs the rendered
// playbook with the real ansible-playbook on this machine, as if it were every
// host. Nobody listens where a host is lost, or has vanished since Prepare.
func ran(t *testing.T, serial string, hosts ...string) (*Outcome, error) {
	t.Helper()
	for _, program := range []string{"ansible-playbook", "ansible-inventory", "ssh"} {
		needs.Program(t, program, "no playbook was run")
	}
	root := t.TempDir()
	t.Setenv("HOME", root)
	t.Setenv("XDG_CACHE_HOME", filepath.Join(root, "cache"))
	t.Setenv("ANSIBLE_HOME", filepath.Join(root, "ansible"))
	t.Setenv("ANSIBLE_CONFIG", "")
	inventory, refuses := "", ""
	for _, h := range hosts {
		name, outcome, _ := strings.Cut(h, " ")
		group := "applications"
		switch name[0] {
		case 'm':
			group = "monitoring"
		case 'p':
			group, refuses = "proxy", outcome
		}
		reach := "ansible_connection=local"
		switch outcome {
		case "lost":
			reach = "ansible_host=127.0.0.1 ansible_port=1"
		case "dawdles":
			reach = `ansible_host=127.0.0.1 ansible_port=1 ansible_connection="{{ (kinectl_prepared is defined) | ternary('ssh', 'local') }}"`
		case "leaves": // when h1 was released
			reach = `ansible_host=127.0.0.1 ansible_port=1 ansible_connection="{{ (hostvars['h1'].kinectl_released is defined) | ternary('ssh', 'local') }}"`
		case "disappears":
			reach = `ansible_host=127.0.0.1 ansible_port=1 ansible_connection="{{ (ansible_play_name == 'Deploy') | ternary('ssh', 'local') }}"`
		}
		inventory += "[" + group + "]\n" + name + " outcome=" + outcome + " ansible_become=false " + reach + "\n"
	}
	dir := infra(t, map[string]string{hostsFile: inventory, varsFile: "ansible_remote_tmp: " + root + "\n"})
	in, err := OpenInfra(t.Context(), dir, "production")
	if err != nil {
		t.Fatal(err)
	}
	p := plan.Plan{
		Name: "hello", Group: "applications", Version: version.Version{Label: "1.2.0", Deb: "1.2.0"},
		Deploy:      plan.Deploy{Serial: []string{serial}, Probe: plan.Probe{Type: "none", Metrics: 9090}},
		Environment: []plan.Variable{{Name: "OUTCOME", Parts: []plan.Part{{Expression: "outcome"}}}},
	}
	if strings.Contains(hosts[0], "dawdles") {
		p.Deploy.Before = plan.Line("/usr/bin/hello", "migrate")
	}
	if refuses != "" {
		p.Routes = []plan.Route{{Host: "films.example.com", Path: "/", Port: 8080}}
	}
	files := ansible.Deploy(p)
	files[1].Body = []byte(strings.Replace(module, "UNCHANGED", fmt.Sprintf("%x", sha256.Sum256([]byte("OUTCOME=\"unchanged\"\n"))), 1))
	if refuses != "" {
		files = append(files, artifact.File{Path: "ansible/library/kinectl_proxy.sh", Mode: 0o644, Body: []byte(strings.Replace(proxyModule, "REFUSES", refuses, 1))},
			artifact.File{Path: "ansible/templates/hello.nginx.j2", Mode: 0o644})
	}
	return run(t.Context(), Options{Infra: in, StateDir: filepath.Join(root, "state")}, p, files)
}

// TestRun drives the real Ansible over hosts that end in every way.
func TestRun(t *testing.T) {
	f := func(kind error, want, untouched, serial string, hosts ...string) {
		t.Helper()
		out, err := ran(t, serial, hosts...)
		if out == nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range out.Hosts {
			got = append(got, r.Host+" "+string(r.Result))
		}
		slices.Sort(got)
		if !errors.Is(err, kind) || strings.Join(got, ", ") != want || strings.Join(out.Untouched, " ") != untouched {
			log, _ := os.ReadFile(out.Log)
			t.Errorf("%q: got %q, untouched %q, error %v\n%s", hosts, got, out.Untouched, err, log)
		}
	}
	f(nil, "h1 deployed, h2 unchanged", "", "1", "h1 deployed", "h2 unchanged")
	f(ErrRolledBack, "h1 deployed, h2 rolled-back", "h3", "1", "h1 deployed", "h2 rolled-back", "h3 deployed")
	f(ErrRolledBack, "h1 rolled-back, h2 deployed", "h3", "2", "h1 rolled-back", "h2 deployed", "h3 deployed")
	f(ErrFailed, "h2 unreachable", "h1 h3", "1", "h1 deployed", "h2 lost", "h3 deployed")
	f(ErrFailed, "h1 unreachable", "h2", "1", "h1 disappears", "h2 deployed")
	f(ErrFailed, "h1 deployed, h2 unreachable", "h3", "2", "h1 deployed", "h2 disappears", "h3 deployed")
	f(ErrFailed, "h1 unreachable", "h2", "1", "h1 dawdles", "h2 deployed") // lost by its migration
	f(ErrFailed, "h1 deployed, m1 unreachable", "", "1", "h1 deployed", "m1 lost")
	// Behind a proxy. One that refuses a host does so before any of the batch is touched.
	f(nil, "h1 deployed, h2 deployed, h3 unchanged", "", "2", "h1 deployed", "h2 deployed", "h3 unchanged", "p1 good")
	f(ErrRolledBack, "h1 rolled-back, h2 deployed", "h3", "2", "h1 rolled-back", "h2 deployed", "h3 deployed", "p1 good")
	f(ErrFailed, "h1 deployed, h2 unreachable", "h3", "2", "h1 deployed", "h2 disappears", "h3 deployed", "p1 good")
	f(ErrFailed, "h2 failed", "h1 h3", "2", "h1 deployed", "h2 deployed", "h3 deployed", "p1 out:h2")
	f(ErrFailed, "h1 failed, h2 failed", "h3", "2", "h1 deployed", "h2 deployed", "h3 deployed", "p1 lost")
	f(ErrFailed, "h1 failed, h2 deployed", "h3", "2", "h1 deployed", "h2 deployed", "h3 deployed", "p1 in:h1")
	f(ErrFailed, "h1 failed, h2 failed", "h3", "2", "h1 deployed", "h2 deployed", "h3 deployed", "p1 leaves")
	f(ErrFailed, "h1 failed", "h2", "1", "h1 unchanged", "h2 deployed", "p1 in:h1") // a mark of an earlier run
}

// TestOpenInfra asks the real ansible-inventory, and then nobody.
func TestOpenInfra(t *testing.T) {
	needs.Program(t, "ansible-inventory", "no playbook was run")
	root := t.TempDir()
	t.Setenv("HOME", root)
	t.Setenv("XDG_CACHE_HOME", root)
	t.Setenv("ANSIBLE_CONFIG", "")
	files := plain()
	files[hostsFile] += "[north]\nh3\n[sites:children]\nnorth\napplications\n"
	dir := infra(t, files)
	for _, path := range []string{os.Getenv("PATH"), t.TempDir()} { // the second time there is no Ansible
		t.Setenv("PATH", path)
		in, err := OpenInfra(t.Context(), dir, "production")
		if err != nil {
			t.Fatal(err)
		}
		hosts, err := in.Hosts("sites")
		slices.Sort(hosts)
		if err != nil || strings.Join(hosts, " ") != "h1 h2 h3" {
			t.Errorf("hosts are %q, %v", hosts, err)
		}
		if got := in.Undefined(hosts, []string{"log_level"}); len(got) != 1 || got[0] != "the variable log_level is not defined for h3" {
			t.Errorf("undefined: %q", got)
		}
	}
	write(t, filepath.Join(dir, varsFile), "log_level: debug\n", 0o644)
	if _, err := OpenInfra(t.Context(), dir, "production"); err == nil || !strings.Contains(err.Error(), "apt-get install ansible-core") {
		t.Errorf("a changed file is answered from the cache: %v", err)
	}
	if _, err := OpenInfra(t.Context(), dir, "staging"); err == nil || !strings.Contains(err.Error(), `no inventory of "staging"`) || !strings.Contains(err.Error(), "there is production") {
		t.Errorf("an environment that is not there: %v", err)
	}
}

// TestOpenInfraFault names the file that Ansible cannot read.
func TestOpenInfraFault(t *testing.T) {
	needs.Program(t, "ansible-inventory", "no playbook was run")
	root := t.TempDir()
	t.Setenv("HOME", root)
	t.Setenv("XDG_CACHE_HOME", root)
	files := plain()
	files[varsFile] = "log_level: [unclosed\n"
	if _, err := OpenInfra(t.Context(), infra(t, files), "production"); err == nil || !strings.Contains(err.Error(), "applications.yml") {
		t.Errorf("error %v", err)
	}
}

// TestLock refuses a second run for one service of one environment.
func TestLock(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "lock")
	one, other := &Infra{Env: "production", Inventory: "/a"}, &Infra{Env: "staging", Inventory: "/b"}
	unlock, err := lock(dir, one, "hello")
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if _, err := lock(dir, one, "hello"); !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), "process ") {
		t.Errorf("the second is let in, or not told why: %v", err)
	}
	if time.Since(start) > 5*time.Second {
		t.Error("the second waited for the first")
	}
	for _, free := range []func() (func(), error){
		func() (func(), error) { return lock(dir, one, "other") },
		func() (func(), error) { return lock(dir, other, "hello") },
		func() (func(), error) { unlock(); return lock(dir, one, "hello") },
	} {
		again, err := free()
		if err != nil {
			t.Fatal(err)
		}
		again()
	}
}
