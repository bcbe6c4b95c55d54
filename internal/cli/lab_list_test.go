package cli

import (
	"bytes"
	"testing"
	"time"

	"github.com/kinectl/kinectl/internal/lab"
)

func TestShowLabs(t *testing.T) {
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	f := func(want string, all ...labListed) {
		t.Helper()
		var out bytes.Buffer
		(&app{stdout: &out}).showLabs(all, now)
		if out.String() != want {
			t.Errorf("got\n%swant\n%s", &out, want)
		}
	}
	created := now.Add(-3 * time.Hour)
	f("no lab is up; start one with: kinectl lab up\n")
	f("LAB   STARTED  HOSTS\nlab   3 h ago  h1 h2 (off)\nmine  -        its start goes on, or was killed; to remove it: kinectl lab down --name mine\n",
		labListed{Name: "lab", Up: true, Created: &created, Hosts: []lab.Host{{Name: "h1", Leader: 7}, {Name: "h2"}}}, labListed{Name: "mine"})
}
