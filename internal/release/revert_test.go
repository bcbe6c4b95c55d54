package release

import (
	"slices"
	"testing"

	"github.com/kinectl/kinectl/internal/plan"
)

// TestRevertKeptOut: a host that a proxy has not taken back has the new release too.
func TestRevertKeptOut(t *testing.T) {
	out := &Outcome{Hosts: []HostResult{{Host: "h1", Result: Deployed, Changed: true}, {Host: "h2", Result: Unchanged}, {Host: "h3", Result: RolledBack, Changed: true}}}
	for _, host := range []string{"h1", "h2"} {
		out.spoil(HostResult{Host: host, Result: Failed, Reason: "p1 of the group proxy: as asked"})
	}
	if got := deployed(out); !slices.Equal(got, []string{"h1"}) {
		t.Errorf("%v", got)
	}
}

// TestRevertSilent takes one host back while another one does not answer, and says
// that of it. The Ansible is one that tells what a real one would.
func TestRevertSilent(t *testing.T) {
	o := pretend(t, `case "$*" in
*/status.yml*) printf '%s\n' '{"event":"unreachable","play":"Status","host":"h1","result":{"msg":"no route"}}' \
	'{"event":"ok","play":"Status","host":"h2","result":{"health":"healthy","kept":[{"release":7,"version":"1.0.0"},{"release":8,"version":"1.1.0"}]}}' >&3
	exit 4 ;;
*'"kinectl_hosts":"h2"'*) printf '%s\n' '{"event":"ok","play":"Deploy","task":"Run the transaction","host":"h2","result":{"result":"restored","changed":true}}' >&3 ;;
*) exit 9 ;;
esac
`)
	out := &Outcome{Hosts: []HostResult{{Host: "h1", Result: Deployed, Changed: true}, {Host: "h2", Result: Deployed, Changed: true}}}
	err := revert(t.Context(), o, plan.Plan{Name: "hello", Group: "applications", Deploy: plan.Deploy{Serial: []string{"1"}}}, out)
	if err == nil || err.Error() != "revert h1: no route" {
		t.Errorf("got %v", err)
	}
	if !slices.EqualFunc(out.Reverted, []string{"h2"}, func(r HostResult, h string) bool { return r.Host == h && r.Result == Restored }) {
		t.Errorf("taken back: %+v", out.Reverted)
	}
}
