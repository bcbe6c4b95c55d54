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

// Generate runs `go generate` in the folder of the plan's program, when the
// plan says so (go.dev/blog/generate). It is to be called once, before
// [Program] is for each architecture. The folder of this program comes first
// in PATH, so that the same kinectl is called that is packaging. Its error has
// what the generator says.
//
// A generator runs here and not on a host, so it gets this machine's GOOS and
// GOARCH, and it may do whatever the person may who packages.
func Generate(ctx context.Context, p plan.Plan, o Options) error {
	if !p.Program.Generate {
		return nil
	}
	dir := filepath.Join(o.Dir, filepath.FromSlash(p.Program.Main))
	o.tell(Event{What: "generate " + dir})
	path := os.Getenv("PATH")
	if self, err := os.Executable(); err == nil {
		path = filepath.Dir(self) + string(filepath.ListSeparator) + path
	}
	cmd := exec.CommandContext(ctx, "go", "generate", ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+path)
	cmd.WaitDelay = 5 * time.Second
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("generate %s: %w\n%s", dir, err, strings.TrimSpace(said.String()))
	}
	return nil
}
