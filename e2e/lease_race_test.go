package e2e

import (
	"os"
	"os/exec"
	"testing"
)

// Two deployers begin at the same moment, on two machines: they meet on the first
// host of the group, whatever --limit says, so one has all and the other nothing.
func TestLeaseRace(t *testing.T) {
	f := road
	for _, c := range []struct{ name, one, two string }{
		{"the whole group", "all", "all"},
		{"other hosts each", "h2", "h3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f.deploy(t, 0, first, "--wait", "1m")
			type racer struct {
				deployer
				version string
			}
			var both []*racer
			for _, r := range []struct{ version, limit string }{{slow, c.one}, {slowPairs, c.two}} {
				one := &racer{version: r.version}
				one.cmd = exec.CommandContext(t.Context(), f.kinectl, f.fleet("deploy", r.version, "--limit", r.limit)...)
				one.cmd.Env = append(os.Environ(), "XDG_STATE_HOME="+t.TempDir())
				one.cmd.Stdout, one.cmd.Stderr = &one.out, &one.out
				both = append(both, one)
			}
			for _, r := range both {
				if err := r.cmd.Start(); err != nil {
					t.Fatal(err)
				}
			}
			codes := map[int]*racer{}
			for _, r := range both {
				_ = r.cmd.Wait()
				codes[r.cmd.ProcessState.ExitCode()] = r
			}
			won, lost := codes[0], codes[4]
			if won == nil || lost == nil {
				t.Fatalf("exit codes %d and %d, not 0 and 4\n%s\n%s", both[0].cmd.ProcessState.ExitCode(), both[1].cmd.ProcessState.ExitCode(), &both[0].out, &both[1].out)
			}
			contains(t, lost.out.String(), "h1 ", "under way on this host: deploy of "+won.version)
			for _, h := range hosts {
				f.expect(t, h, `cat /run/kinectl/lease/hello/beat-*`, "") // given back
				if got := f.sh(t, h, `dpkg-query -W -f '${Version}' hello`); got == lost.version {
					t.Errorf("%s has %s of the one that was refused", h, got)
				}
			}
			f.deploy(t, 0, first, "--serial", "100%")
		})
	}
}
