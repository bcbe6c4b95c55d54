package lab

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// child makes this test program stand in for kinectl: as the ProxyCommand of
// ssh, and as an up that a test interrupts.
func child(args []string) bool {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	say := func(e Event) { fmt.Println(e.Host, e.Text) }
	var err error
	switch {
	case len(args) == 6 && args[0] == "lab" && args[1] == "connect": // --name L ADDRESS PORT
		port, _ := strconv.Atoi(args[5])
		err = Connect(ctx, args[3], args[4], port, os.Stdout)
	case len(args) == 3 && args[0] == "test-up": // L HOSTS
		hosts, _ := strconv.Atoi(args[2])
		_, err = Up(ctx, Options{Name: args[1], Hosts: hosts, Program: "/bin/false", DiskMiB: 64, Service: []string{"sleep", "4712"}}, say)
	case len(args) == 3 && args[0] == "test-image": // CACHE MIRROR
		_, err = BuildImage(ctx, ImageOptions{Cache: args[1], Mirror: args[2]}, say)
	default:
		return false
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return true
}

// interrupted starts a child, signals it a while after its first line of
// output, and returns when it has ended.
func interrupted(t *testing.T, sig os.Signal, after time.Duration, args ...string) (survived bool) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, args...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var errs strings.Builder
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	if _, err := lines.ReadString('\n'); err != nil {
		t.Fatalf("%v: %s", err, errs.String())
	}
	time.AfterFunc(after, func() { _ = cmd.Process.Signal(sig) })
	_, _ = lines.WriteTo(nullWriter{})
	err = cmd.Wait()
	return err == nil
}

type nullWriter struct{}

func (nullWriter) Write(p []byte) (int, error) { return len(p), nil }

// leftovers lists all that exists of a lab on this machine.
func leftovers(name string) (left []string) {
	for _, pattern := range []string{
		stateDir(name), stateRoot + "/." + name + ".lock",
		"/run/netns/kinectl-" + name, "/run/netns/kinectl-" + name + "-h*",
		"/run/systemd/nspawn/*/kinectl-" + name + "-h*",
		"/sys/fs/cgroup/kinectl-" + name, "/sys/fs/cgroup/*/kinectl-" + name,
	} {
		found, _ := filepath.Glob(pattern)
		left = append(left, found...)
	}
	// A process, a mount or a loop device of the lab names its directory or a
	// namespace of it somewhere in these files.
	for _, pattern := range []string{"/proc/[0-9]*/cmdline", "/proc/[0-9]*/mountinfo", "/sys/block/loop*/loop/backing_file"} {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			body, err := os.ReadFile(file)
			if err != nil {
				continue
			}
			for _, trace := range []string{stateDir(name) + "/", "/run/netns/kinectl-" + name, "/netns/kinectl-" + name} {
				if strings.Contains(string(body), trace) && !strings.Contains(file, fmt.Sprintf("/%d/", os.Getpid())) {
					left = append(left, file+" tells of "+trace)
				}
			}
		}
	}
	return left
}

// nspawnLocks are the files that systemd-nspawn names after the root directory
// of each host. They can be named only as long as the lab is mounted.
func nspawnLocks(name string) (locks []string) {
	roots, _ := filepath.Glob(stateDir(name) + "/hosts/*/root")
	for _, root := range roots {
		if device, inode, err := identity(root); err == nil {
			locks = append(locks, fmt.Sprintf("/run/systemd/nspawn/locks/inode-%d:%d", device, inode))
		}
	}
	return locks
}

func existing(paths []string) (found []string) {
	for _, path := range paths {
		if _, err := os.Stat(path); err == nil {
			found = append(found, path)
		}
	}
	return found
}

// An up that is killed at any moment leaves what the next down, or the next up,
// removes: all of it. The test prints what was there when it was killed.
func TestKilledUp(t *testing.T) {
	needRoot(t)
	const name = "test-lab-kill"
	ctx := t.Context()
	if err := Down(ctx, name); err != nil {
		t.Fatal(err)
	}
	hit, locked := 0, 0
	for _, after := range []time.Duration{0, 30, 60, 100, 150, 200, 250, 300, 400, 500} {
		survived := interrupted(t, syscall.SIGKILL, after*time.Millisecond, "test-up", name, "3")
		there, locks := leftovers(name), existing(nspawnLocks(name))
		locked += len(locks)
		t.Logf("killed %3d ms after the network was ready: %d processes, %d traces", after, len(labGroup(name).processes()), len(there))
		if !survived && len(there) > 0 {
			hit++
		}
		if _, err := Open(name); !survived && !errors.Is(err, ErrNoLab) {
			t.Error("a killed up left what looks like a lab:", err)
		}
		if err := Down(ctx, name); err != nil {
			t.Error(err)
		}
		if left := append(leftovers(name), existing(locks)...); len(left) > 0 {
			t.Fatalf("left behind:\n%s", strings.Join(left, "\n"))
		}
	}
	if hit < 5 || locked == 0 {
		t.Errorf("only %d of the rounds interrupted anything, %d locks", hit, locked)
	}
	interrupted(t, syscall.SIGKILL, 150*time.Millisecond, "test-up", name, "3")
	startAfterKill := Options{Name: name, Hosts: 1, Program: "/bin/false"}
	l, err := Up(ctx, startAfterKill, nil)
	if err != nil {
		t.Fatal("up after a killed up: ", err)
	}
	if got := output(t, l, "h1", "hostname"); got != "h1" {
		t.Error(got)
	}
	if err := l.Down(ctx); err != nil {
		t.Error(err)
	}
	if left := leftovers(name); len(left) > 0 {
		t.Errorf("left behind:\n%s", strings.Join(left, "\n"))
	}
}

// Ctrl-C during up needs no down afterwards.
func TestInterruptedUp(t *testing.T) {
	needRoot(t)
	const name = "test-lab-int"
	if err := Down(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	for _, after := range []time.Duration{0, 50, 150, 250} {
		if interrupted(t, os.Interrupt, after*time.Millisecond, "test-up", name, "3") {
			t.Logf("up was done before %d ms", after)
			if err := Down(t.Context(), name); err != nil {
				t.Error(err)
			}
		}
		if left := leftovers(name); len(left) > 0 {
			t.Errorf("interrupted after %d ms, left behind:\n%s", after, strings.Join(left, "\n"))
			_ = Down(t.Context(), name)
		}
	}
}

// A builder of the image that is killed leaves no process and no mount, and what
// it left in the cache is not taken for an image. The mirror here never answers.
func TestKilledImageBuild(t *testing.T) {
	needRoot(t)
	asked := make(chan struct{}, 9)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-r.Context().Done()
	})}
	go func() { _ = server.Serve(listener) }()
	defer server.Close()
	cache, mirror := t.TempDir(), "http://"+listener.Addr().String()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	half := filepath.Join(cache, "images", ".building")
	for _, sig := range []os.Signal{syscall.SIGKILL, os.Interrupt} {
		cmd := exec.Command(program, "test-image", cache, mirror)
		cmd.Env = append(os.Environ(), "http_proxy=")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		select {
		case <-asked:
		case <-time.After(20 * time.Second):
			t.Fatal("debootstrap did not ask the mirror")
		}
		_ = cmd.Process.Signal(sig)
		_ = cmd.Wait()
		if err := poll(t.Context(), "", func() bool { return len(processesNaming(cache)) == 0 }); err != nil {
			t.Errorf("after %s there live on: %v", sig, processesNaming(cache))
		}
		if table, _ := mountTable(); strings.Contains(fmt.Sprint(table), cache) {
			t.Errorf("after %s something is mounted: %v", sig, table)
		}
		if (ImageOptions{Cache: cache}).built() {
			t.Error("half an image passes for one")
		}
		if _, err := os.Stat(half); (err == nil) != (sig == syscall.SIGKILL) {
			t.Errorf("after %s: %s: %v", sig, half, err)
		}
	}
}

func processesNaming(text string) (found []string) {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		if body, err := os.ReadFile(file); err == nil && strings.Contains(string(body), text) {
			found = append(found, file)
		}
	}
	return found
}
