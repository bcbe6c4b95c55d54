package release

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/kinectl/kinectl/internal/plan"
)

// TestPowerSkips goes on without a host that cannot be reached, when that is asked
// for. The Ansible is one that tells what a real one would.
func TestPowerSkips(t *testing.T) {
	dir := t.TempDir()
	const told = `#!/bin/sh
case "$*" in
*kinectl_hosts*) printf '%s\n' '{"event":"ok","play":"Deploy","task":"Run the transaction","host":"h1","result":{"result":"restarted"}}' >&3 ;;
*) printf '%s\n' '{"event":"start","play":"Prepare","host":"h1"}' '{"event":"unreachable","play":"Prepare","task":"Reach every host","host":"h2"}' >&3
	exit 4 ;;
esac
`
	if err := os.WriteFile(filepath.Join(dir, "ansible-playbook"), []byte(told), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	in := parsed(t)
	in.Dir = dir
	in.answer.Groups["all"] = group{Children: []string{"applications"}}
	p := plan.Plan{Name: "hello", Group: "applications", Deploy: plan.Deploy{Serial: []string{"1"}}}
	for _, action := range []Action{DoRestart, DoStart, DoStop} {
		o := Options{Infra: in, StateDir: filepath.Join(dir, "state")}
		if out, err := Power(t.Context(), o, p, action); err == nil || out == nil || len(out.Skipped) > 0 {
			t.Errorf("%s with a host down: %+v, %v", action, out, err)
		}
		o.SkipUnreachable = true
		out, err := Power(t.Context(), o, p, action)
		if err != nil || !slices.Equal(out.Skipped, []string{"h2"}) || out.Action != action || len(out.Hosts) != 1 {
			t.Errorf("%s without it: %+v, %v", action, out, err)
		}
	}
}

// TestCheckNeedsNoLock asks what a run would do while another one is under way.
func TestCheckNeedsNoLock(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "ansible-playbook"), []byte("#!/bin/sh\nexit 9\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	in := parsed(t)
	in.Dir = dir
	unlock, err := lock(filepath.Join(dir, "lock"), in, "hello")
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	for _, check := range []bool{false, true} {
		_, err := Power(t.Context(), Options{Infra: in, StateDir: dir, Check: check}, plan.Plan{Name: "hello", Group: "applications"}, DoRestart)
		if errors.Is(err, ErrLocked) == check || err == nil {
			t.Errorf("--check %t: %v", check, err)
		}
	}
}
