package signing

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"
)

const (
	maxAnswer = 1 << 20 // bytes that a program may print
	maxGrumps = 4 << 10 // bytes of its standard error that go into a message
)

// Environ is the environment for other programs: that of this process without
// [Variable] and the other variables that hold a private key.
func Environ(secret ...string) []string {
	secret = append(secret, Variable)
	return slices.DeleteFunc(os.Environ(), func(line string) bool {
		name, _, _ := strings.Cut(line, "=")
		return slices.Contains(secret, name)
	})
}

// run gives a program its standard input and returns what it prints and what
// it says on its standard error, which an error holds too. When ctx ends, the
// program and what it started are killed.
func run(ctx context.Context, environ []string, input io.Reader, name string, args ...string) (output []byte, said string, err error) {
	cmd := exec.CommandContext(ctx, name, args...)
	out, grumps := &capped{max: maxAnswer}, &capped{max: maxGrumps}
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = environ, input, out, grumps
	// A group of its own: the shell's children die with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 2 * time.Second
	err = cmd.Run()
	switch {
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	case err == nil && out.lost:
		err = fmt.Errorf("it printed more than %d bytes", maxAnswer)
	}
	said = strings.TrimSpace(grumps.kept.String())
	if err != nil && said != "" {
		err = fmt.Errorf("%w: %s", err, said)
	}
	if errors.Is(err, exec.ErrNotFound) {
		err = fmt.Errorf("%s is not installed: %w", name, err)
	}
	return out.kept.Bytes(), said, err
}

// capped keeps the first bytes that are written to it.
type capped struct {
	kept bytes.Buffer // not embedded: its ReadFrom would take everything
	max  int
	lost bool
}

func (c *capped) Write(p []byte) (int, error) {
	fits := min(len(p), c.max-c.kept.Len())
	c.lost = c.lost || fits < len(p)
	c.kept.Write(p[:fits])
	return len(p), nil
}
