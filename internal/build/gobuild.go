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
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+o.Arch)
	cmd.WaitDelay = 5 * time.Second
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("build %s for %s: %w\n%s", dir, o.Arch, err, strings.TrimSpace(said.String()))
	}
	return nil
}
