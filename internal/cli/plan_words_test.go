package cli

import (
	"testing"

	"github.com/kinectl/kinectl/internal/release"
)

func TestPlanCode(t *testing.T) {
	f := func(want int, skip bool, hosts ...release.HostPreview) {
		t.Helper()
		if got := planCode(&release.Preview{Hosts: hosts}, skip); got != want {
			t.Errorf("%+v: got %d, want %d", hosts, got, want)
		}
	}
	same := release.HostPreview{Result: release.Planned}
	changes := release.HostPreview{Result: release.Planned, Changes: true}
	locked := release.HostPreview{Result: release.Locked, Changes: true}
	lost := release.HostPreview{Result: release.Unreachable}
	bad := release.HostPreview{Result: release.Failed}
	f(exitDone, false, same, same)
	f(exitChanges, false, same, changes)
	f(exitLocked, false, changes, locked)
	f(exitLocked, false, locked, changes)
	f(exitFailed, false, locked, lost)
	f(exitChanges, true, changes, lost)
	f(exitDone, true, same, lost)
	f(exitFailed, true, changes, bad)
	f(exitFailed, true, lost, lost) // nobody is left to go on with
}

func TestCommandLine(t *testing.T) {
	f := func(want string, words ...string) {
		t.Helper()
		if got := commandLine(words...); got != want {
			t.Errorf("%q: got %s, want %s", words, got, want)
		}
	}
	f("kinectl deploy --limit h1,h2 --serial 1,25%", "kinectl", "deploy", "--limit", "h1,h2", "--serial", "1,25%")
	f(`'all:!h2' 'my infra' '' 'it'\''s' '$HOME'`, "all:!h2", "my infra", "", "it's", "$HOME")
	f("'~/infra'", "~/infra")
}
