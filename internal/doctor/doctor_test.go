package doctor

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestRun(t *testing.T) {
	say := func(level Level) func(context.Context) []Finding {
		return func(context.Context) []Finding { return one(level, "", "") }
	}
	var checks []Check
	want := ""
	for i := range 3 * atOnce {
		checks = append(checks, Check{Name: fmt.Sprint("c", i), Look: say(OK)})
		want += fmt.Sprintf("{c%d ok  }", i)
	}
	got := Run(t.Context(), checks)
	if text := strings.ReplaceAll(strings.Trim(fmt.Sprint(got), "[]"), "} {", "}{"); text != want || Failed(got) {
		t.Error(text)
	}
	if got := Run(t.Context(), []Check{{Name: "a", Look: say(Warn)}, {Name: "b", Look: say(Fail)}}); !Failed(got) || Failed(got[:1]) {
		t.Error(got)
	}
}

// TestPatience: hosts of an environment that keep doctor waiting for minutes, one after
// the other, have their half minute each, whatever reading the inventory took.
func TestPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := func(ctx context.Context) []Finding {
			select {
			case <-time.After(patience - time.Second):
				return one(OK, "", "")
			case <-ctx.Done():
				return one(Fail, ctx.Err().Error(), "")
			}
		}
		never := func(ctx context.Context) []Finding {
			<-ctx.Done()
			return one(Fail, "given up", "")
		}
		hosts := []Check{{Name: "dead", Look: never}}
		for i := range 3 * atOnce {
			hosts = append(hosts, Check{Name: fmt.Sprint("h", i), Look: slow})
		}
		found := Run(t.Context(), []Check{{Name: "env", Open: func(ctx context.Context) ([]Finding, []Check) { return slow(ctx), hosts }}})
		if len(found) != 2+3*atOnce || found[0] != (Finding{Check: "env", Level: OK}) || found[1] != (Finding{Check: "dead", Level: Fail, Detail: "given up"}) || Failed(found[2:]) {
			t.Errorf("%+v", found)
		}
	})
}

func TestJudge(t *testing.T) {
	const good = "time 1000.5\nroot 0\nsystemd 252\nsource yes\npin yes\nfree 9000\nmemory yes\n"
	f := func(old, new, want string) {
		t.Helper()
		answer := strings.Replace(good, old, new, 1)
		if old != "" && answer == good {
			t.Fatalf("%q is not in it", old)
		}
		var got []string
		for _, f := range judge(answer, time.Unix(1000, 0), time.Unix(1001, 0), "apply") {
			got = append(got, string(f.Level)+" "+f.Detail)
		}
		if text := strings.Join(got, "; "); text != want {
			t.Errorf("%q: %q, want %q", new, text, want)
		}
	}
	f("", "", "")
	f("root 0", "root", "fail become does not work: sudo asks for a password or is not there")
	f("source yes", "source ", "fail our package repository is not among its sources")
	f("pin yes", "pin ", "fail our package repository is not pinned at priority 1: it could replace packages of the system")
	f("free", "fetch 200\nfree", "")
	f("free", "fetch 000\nfree", "warn our package repository does not answer it")
	f("free", "fetch 404\nfree", "warn our package repository answers it with 404")
	f("252", "247", "fail systemd 247 is older than 249")
	f("1000.5", "1001.9", "") // within the second
	f("1000.5", "1003.5", "warn its clock is off by 2.5 s or more")
	f("1000.5", "997.5", "warn its clock is off by 2.5 s or more")
	f("9000", "99", "warn 99 MB free in /var")
	f("memory yes", "memory ", "warn no memory controller: limits.mem is not kept")
}

func TestCore(t *testing.T) {
	f := func(line string, want Level) {
		t.Helper()
		if got := core(line, "")[0].Level; got != want {
			t.Errorf("%q: %s", line, got)
		}
	}
	f("ansible-playbook [core 2.14.18]", OK)
	f("ansible-playbook [core 2.9.1]", Fail)
	f("ansible-playbook [core 3.0.0]", OK)
	f("ansible-playbook 2.9.27", Warn)
}

func TestInfra(t *testing.T) {
	f := func(file, text, check string, want Level) {
		t.Helper()
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		all := Run(t.Context(), Infra(dir))
		if i := slices.IndexFunc(all, func(g Finding) bool { return g.Check == check }); i < 0 || all[i].Level != want {
			t.Errorf("%s: want %s %s, got %+v", text, check, want, all)
		}
	}
	f("policy.yml", "groups: {}\n", "policy.yml", OK)
	f("policy.yml", "group: {}\n", "policy.yml", Fail)
	f("resources.yml", "resources: {}\n", "resources.yml", OK)
	f("resources.yml", "resource: {}\n", "resources.yml", Fail)
	f("vars.yml", "vault_a: plain\n", "secrets", Fail)
	f("vars.yml", "level: info\n", "secrets", OK)
	f("vars.yml", "level: info\n", "site.yml", Warn)
}

// TestMissing: each program that is not there says what brings it.
func TestMissing(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	bad := 0
	for _, f := range Run(t.Context(), Machine()) {
		if f.Level == OK || !strings.HasPrefix(f.Mend, "apt-get install ") {
			t.Errorf("%+v", f)
		}
		if f.Level == Fail {
			bad++
		}
	}
	if bad != 4 {
		t.Errorf("%d are needed", bad)
	}
}
