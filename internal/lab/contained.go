package lab

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// runContained runs a command that can leave behind neither a process nor a
// mount, whatever becomes of it or of us. An error carries its last lines.
func runContained(ctx context.Context, each func(line string), argv ...string) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // see contained
		defer runtime.UnlockOSThread()
		done <- func() error {
			cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
			cmd.SysProcAttr = contained()
			cmd.Env = append(hostEnvironment(), proxySettings()...)
			cmd.WaitDelay = 5 * time.Second
			r, w := io.Pipe()
			cmd.Stdout, cmd.Stderr = w, w
			var last []string
			read := make(chan struct{})
			go func() {
				defer close(read)
				for lines := bufio.NewScanner(r); lines.Scan(); {
					each(lines.Text())
					last = append(last[max(0, len(last)-9):], lines.Text())
				}
				_, _ = io.Copy(io.Discard, r) // after a line too long to scan
			}()
			err := cmd.Run()
			w.Close()
			<-read
			if ctx.Err() != nil {
				return fmt.Errorf("%s: %w", argv[0], ctx.Err())
			}
			if err != nil {
				return fmt.Errorf("%s: %w; it said last:\n%s", argv[0], err, strings.Join(last, "\n"))
			}
			return nil
		}()
	}()
	return <-done
}

// proxySettings are the parts of our environment that a download needs.
func proxySettings() (env []string) {
	for _, name := range []string{"http_proxy", "https_proxy", "no_proxy"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}
