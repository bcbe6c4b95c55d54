package build

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/kinectl/kinectl/internal/plan"
)

// library is the package for services that is told its build as main is.
const library = "github.com/kinectl/kinectl/service"

// goBuild builds the plan's Go package for Linux, without cgo, so that it runs
// on every distribution, and without paths of this machine in it. Its error has
// what the compiler says.
func goBuild(ctx context.Context, p plan.Plan, o Options, out string) error {
	flags := append([]string{
		"-s", "-w", "-buildid=",
		"-X main.name=" + p.Name,
		"-X main.version=" + p.Version.Label,
		"-X main.buildTime=" + p.BuildTime.Format(time.RFC3339),
		// The linker leaves out those of a package that is not in the program.
		"-X " + library + ".name=" + p.Name,
		"-X " + library + ".version=" + p.Version.Label,
		"-X " + library + ".buildTime=" + p.BuildTime.Format(time.RFC3339),
	}, o.LDFlags...)
	if o.Revision != "" {
		flags = append(flags, "-X main.revision="+o.Revision, "-X "+library+".revision="+o.Revision)
	}
	dir := filepath.Join(o.Dir, filepath.FromSlash(p.Program.Main))
	o.tell(Event{What: fmt.Sprintf("build %s for %s", dir, o.Arch)})
	env := append(append(os.Environ(), neutral()...), "GOARCH="+o.Arch)
	args := []string{"build", "-trimpath", "-buildvcs=false", "-ldflags", strings.Join(flags, " "), "-o", out}
	if o.Passwords != nil {
		if err := reads(ctx, dir, env); err != nil {
			return fmt.Errorf("build %s for %s: %w", dir, o.Arch, err)
		}
		extra, err := overlay(dir, filepath.Dir(out))
		if err != nil {
			return fmt.Errorf("build %s for %s: %w", dir, o.Arch, err)
		}
		args = append(args, extra)
	}
	// -buildvcs=false: git's state is not the same in every checkout of a
	// commit, and the revision goes in by itself.
	cmd := exec.CommandContext(ctx, "go", append(args, ".")...)
	cmd.Dir = dir
	cmd.Env = env
	cmd.WaitDelay = 5 * time.Second
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("build %s for %s: %w\n%s", dir, o.Arch, err, strings.TrimSpace(said.String()))
	}
	if o.Passwords != nil {
		return fill(out, o.Passwords)
	}
	return nil
}

// neutral are settings that take the place of the caller's, of the environment
// and of `go env -w`, so that the same source gives the same bytes. An empty one
// would let those of `go env -w` in, which is why none is but GOWORK: that
// cannot be set there. Where modules come from (GOPROXY and the like) is left to
// the caller, since go.sum has their checksums.
func neutral() []string {
	return []string{
		"GOOS=linux", "CGO_ENABLED=0", "GOAMD64=v1", "GOARM64=v8.0", "GOFIPS140=off",
		"GOFLAGS=-buildvcs=false", // what is said above already: no -tags, no -mod
		"GOEXPERIMENT=,",          // an empty list
		"GOWORK=",                 // a go.work of the source counts, since it is source too; one named elsewhere does not
	}
}
