// Package build gets the program of a service: it builds Go source, takes a
// program that is there already, or takes one out of what upstream publishes.
// Start at [Program]; [Files] finds the other files of the package.
//
// Nothing that it gets is ever run, and of an archive nothing is read before
// its SHA-256 is right.
package build

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/kinectl/kinectl/internal/facts"
	"github.com/kinectl/kinectl/internal/plan"
)

// Options say for what and from where a program is built.
type Options struct {
	Dir      string   // of the spec: paths of the plan are relative to it
	Arch     string   // as Go calls it: "amd64"
	Revision string   // commit, for main.revision; may be empty
	LDFlags  []string // more flags for the Go linker
	// Passwords is a password file, as vault.ParsePasswords reads it, that goes into a program built
	// here; nil for none. The program is then for its owner's eyes only, and so is every package of it.
	Passwords []byte
	Cache     string       // folder for downloads; "" is kinectl's in os.UserCacheDir
	Client    *http.Client // for downloads; nil is one with timeouts
	// Progress is told what goes on, when not nil: from one goroutine, often.
	Progress func(Event)

	patience time.Duration // how long a download may bring nothing; 0 is half a minute
}

// Event is one step of the work, or how far a download is.
type Event struct {
	What        string // "build ./cmd/films for arm64", "download https://…"
	Done, Total int64  // bytes; Total is 0 where nobody knows
}

func (o Options) tell(e Event) {
	if o.Progress != nil {
		o.Progress(e)
	}
}

// Program returns the path of the plan's program for one architecture, or ""
// for a package of files only. Call cleanup when the program is not needed any
// more; it is never nil, and there is nothing to clean up after an error.
//
// Cancelling ctx ends a build or a download. The error says what to do where
// that can be known.
func Program(ctx context.Context, p plan.Plan, o Options) (program string, cleanup func(), err error) {
	nothing := func() {}
	switch b := p.Program; {
	case b.Archive == "" && b.Binary == "" && b.Main == "":
		return "", nothing, nil
	case b.Archive == "" && b.Binary != "":
		program = filepath.Join(o.Dir, filepath.FromSlash(expand(b.Binary, p, o.Arch)))
		of, err := facts.Binary(program)
		return program, nothing, cmp.Or(err, fits(program, of, o.Arch))
	}
	dir, err := os.MkdirTemp("", "kinectl-build-*")
	if err != nil {
		return "", nothing, fmt.Errorf("build %s for %s: %w", p.Name, o.Arch, err)
	}
	cleanup = func() { _ = os.RemoveAll(dir) }
	program = filepath.Join(dir, p.Name)
	if p.Program.Archive != "" {
		err = fromArchive(ctx, p, o, program)
	} else {
		err = goBuild(ctx, p, o, program)
	}
	if err != nil {
		cleanup()
		return "", nothing, err
	}
	return program, cleanup, nil
}

// fits returns an error when a program for one architecture is not for the one
// that is wanted. A script fits everywhere.
func fits(name, of, wanted string) error {
	if of != "" && of != wanted {
		return fmt.Errorf("%s is a program for %s, not for %s", name, of, wanted)
	}
	return nil
}

// expand puts the version, as upstream writes it (without a v), and the
// architecture into a path or URL of the spec.
func expand(s string, p plan.Plan, arch string) string {
	return strings.NewReplacer("{version}", p.Version.Label, "{arch}", arch).Replace(s)
}
