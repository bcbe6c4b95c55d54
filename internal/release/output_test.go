package release

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/kinectl/kinectl/internal/plan"
)

// TestOpenLog lets looks push out looks, and releases releases.
func TestOpenLog(t *testing.T) {
	o := Options{StateDir: t.TempDir()}
	f := func(kind logKind, runs, changes, looks int) {
		t.Helper()
		for range runs {
			log, err := o.openLog(kind, plan.Plan{Name: "hello"})
			if err != nil {
				t.Fatal(err)
			}
			log.Close()
			long := time.Now().Add(-2 * longestRun) // nobody has it open any more
			if err := os.Chtimes(log.Name(), long, long); err != nil {
				t.Fatal(err)
			}
		}
		for pattern, want := range map[string]int{"[0-9]*-hello-*.log": changes, "look-*-hello-*.log": looks, "*": changes + looks} {
			if found, err := filepath.Glob(filepath.Join(o.StateDir, "log", pattern)); err != nil || len(found) != want {
				t.Errorf("%d of %s are there, want %d: %v", len(found), pattern, want, err)
			}
		}
	}
	f(ofChange, 3, 3, 0)
	f(ofLook, keptLogs+keptLooks, 3, keptLooks)
	f(ofChange, keptLogs, keptLogs, keptLooks)

	// A whole fleet of looks at once, all of them open.
	o = Options{StateDir: t.TempDir()}
	for range 2 * keptLooks {
		log, err := o.openLog(ofLook, plan.Plan{Name: "hello"})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if _, err := os.Stat(log.Name()); err != nil {
				t.Error(err)
			}
			log.Close()
		}()
	}
}
