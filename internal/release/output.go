package release

import (
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/kinectl/kinectl/internal/plan"
)

// logKind is how the names of a kind of run's logs begin. A kind pushes out only its
// own: looks are many, and what a release said must be there for days.
type logKind string

// The runs that change hosts, and those that only ask.
const (
	ofChange logKind = ""
	ofLook   logKind = "look-"
)

// How many logs of each kind stay.
const (
	keptLogs  = 200
	keptLooks = 20
)

// longestRun is for how long a log belongs to a run that may still be under way.
const longestRun = time.Hour

// openLog makes the file for Ansible's output, named by time and release, and
// removes the oldest of its kind that no run can have open.
func (o Options) openLog(kind logKind, p plan.Plan) (*os.File, error) {
	dir := filepath.Join(o.StateDir, "log")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	kept := keptLogs
	if kind == ofLook {
		kept = keptLooks
	}
	prune(dir, string(kind)+"[0-9]*.log", kept-1, longestRun)
	words := []string{string(kind) + time.Now().UTC().Format("20060102T150405"), p.Name}
	if p.Version.Label != "" {
		words = append(words, p.Version.Label)
	}
	return os.CreateTemp(dir, strings.Join(words, "-")+"-*.log")
}
