package e2e

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// run calls kinectl and returns what it printed, both streams, and its exit code.
func (f *fixture) run(t *testing.T, argv ...string) (string, int) {
	t.Helper()
	return f.launch(t, argv...)()
}

// launch is run that goes on beside the test; the function that it returns waits for
// the end. Both are for the test's own goroutine, which alone may end the test.
func (f *fixture) launch(t *testing.T, argv ...string) (end func() (string, int)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	cmd := exec.CommandContext(ctx, f.kinectl, argv...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 20 * time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		cancel()
		t.Fatalf("kinectl %v: %v", argv, err)
	}
	var err error
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		err = cmd.Wait()
	}()
	t.Cleanup(func() { cancel(); <-ended }) // when the test has ended before it
	return func() (string, int) {
		t.Helper()
		<-ended
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatalf("kinectl %v: %v", argv, err)
		}
		return out.String(), cmd.ProcessState.ExitCode()
	}
}

// fleet makes the arguments of a verb that touches hosts.
func (f *fixture) fleet(verb, version string, more ...string) []string {
	argv := []string{verb, "-f", f.spec(first), "--infra", f.infra, "--env", "lab"}
	if version != "" {
		argv = append(argv, "--version", version)
	}
	return append(argv, more...)
}

// deploy releases a version and fails the test unless it ends with code.
func (f *fixture) deploy(t *testing.T, code int, version string, more ...string) string {
	t.Helper()
	out, got := f.run(t, f.fleet("deploy", version, more...)...)
	if got != code {
		t.Fatalf("deploy %s %v: exit code %d, want %d\n%s", version, more, got, code, out)
	}
	return out
}

// sh runs a shell command on a host and returns its output without the last
// newline. The command must succeed.
func (f *fixture) sh(t *testing.T, host, script string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	out, err := f.lab.Output(ctx, host, "sh", "-c", script)
	if err != nil {
		t.Fatalf("%s: %s: %v\n%s", host, script, err, out)
	}
	return strings.TrimRight(out, "\n")
}

// expect compares the output of a shell command on a host.
func (f *fixture) expect(t *testing.T, host, script, want string) {
	t.Helper()
	if got := f.sh(t, host, script); got != want {
		t.Errorf("%s: %s\n got  %q\n want %q", host, script, got, want)
	}
}

// runs fails the test unless the host runs this version, healthy, with
// everything in its place and nothing left over.
func (f *fixture) runs(t *testing.T, host, version string) {
	t.Helper()
	f.expect(t, host, `dpkg-query -W -f '${db:Status-Abbrev}${Version}' hello`, "ii "+version)
	f.expect(t, host, `dpkg --verify hello`, "")
	f.expect(t, host, `systemctl is-active hello; systemctl is-enabled hello; systemctl show -P NRestarts hello`, "active\nenabled\n0")
	f.expect(t, host, `curl -s http://127.0.0.1:9090/metrics | grep -c '^build_info{.*version="`+version+`"'`, "1")
	f.expect(t, host, `sed -n 's/^Pin: //p' /etc/apt/preferences.d/kinectl-hello`, "version "+version)
	f.clean(t, host)
}

// clean fails the test when a transaction has left something behind.
func (f *fixture) clean(t *testing.T, host string) {
	t.Helper()
	f.expect(t, host, `ls -d /var/lib/kinectl/*/txn* /run/kinectl/* /run/kinectl-* /run/hello/drain /etc/systemd/system/*.wants/kinectl-* 2>/dev/null | grep -vx /run/kinectl/lease; true`, "")
	f.expect(t, host, `find /etc /usr /var/lib/kinectl -xdev -name '*.kinectl-new' -o -name '*.dpkg-new' -o -name '*.dpkg-tmp' -o -path '*/releases/*.new' 2>/dev/null; true`, "")
	f.expect(t, host, `systemctl list-units --plain --no-legend 'kinectl-*'`, "")
}

// contains fails the test unless text has every one of the words.
func contains(t *testing.T, text string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(text, w) {
			t.Errorf("no %q in:\n%s", w, text)
		}
	}
}
