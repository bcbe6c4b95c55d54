package packager

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/kinectl/kinectl/internal/plan"
)

// GoBuild builds the Go program of a service for Linux, without cgo, so that
// it runs on every distribution, and without paths of this machine in it.
type GoBuild struct {
	Dir      string   // of the Go package
	Out      string   // the program; replaced
	Arch     string   // as Go calls it
	Revision string   // commit, for main.revision; may be empty
	LDFlags  []string // more flags for the linker
}

// Run calls `go build`. Its error has what the compiler says. Cancelling ctx
// ends the build.
func (b GoBuild) Run(ctx context.Context, p plan.Plan) error {
	flags := append([]string{
		"-s", "-w", "-buildid=",
		"-X main.name=" + p.Name,
		"-X main.version=" + p.Version.Label,
		"-X main.buildTime=" + p.BuildTime.Format(time.RFC3339),
	}, b.LDFlags...)
	if b.Revision != "" {
		flags = append(flags, "-X main.revision="+b.Revision)
	}
	// -buildvcs=false: git's state is not the same in every checkout of a
	// commit, and the revision goes in by itself.
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", strings.Join(flags, " "), "-o", b.Out, ".")
	cmd.Dir = b.Dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+b.Arch)
	cmd.WaitDelay = 5 * time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("build %s for %s: %w\n%s", b.Dir, b.Arch, err, strings.TrimSpace(out.String()))
	}
	return nil
}
