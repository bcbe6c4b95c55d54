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

// goBuild builds the plan's Go package for Linux, without cgo, so that it runs
// on every distribution, and without paths of this machine in it. Its error has
// what the compiler says.
func goBuild(ctx context.Context, p plan.Plan, o Options, out string) error {
	flags := append([]string{
		"-s", "-w", "-buildid=",
		"-X main.name=" + p.Name,
		"-X main.version=" + p.Version.Label,
		"-X main.buildTime=" + p.BuildTime.Format(time.RFC3339),
	}, o.LDFlags...)
	if o.Revision != "" {
		flags = append(flags, "-X main.revision="+o.Revision)
	}
	dir := filepath.Join(o.Dir, filepath.FromSlash(p.Program.Main))
	o.tell(Event{What: fmt.Sprintf("build %s for %s", dir, o.Arch)})
	// -buildvcs=false: git's state is not the same in every checkout of a
	// commit, and the revision goes in by itself.
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", strings.Join(flags, " "), "-o", out, ".")
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), neutral()...), "GOARCH="+o.Arch)
	cmd.WaitDelay = 5 * time.Second
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("build %s for %s: %w\n%s", dir, o.Arch, err, strings.TrimSpace(said.String()))
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
