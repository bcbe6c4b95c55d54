package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/kinectl/kinectl/internal/lab"
)

// The lab of these tests. Its name differs from the demo's and from any that
// a user would choose.
const labName = "e2e"

// road is what all tests share: one lab, one repository, one build.
var road *fixture

// fixture holds the paths of the built program and of what it works on.
type fixture struct {
	lab     *lab.Lab
	kinectl string // the program
	dir     string // of everything below; temporary
	repo    string
	infra   string
}

func TestMain(m *testing.M) {
	if why := missing(); why != "" {
		fmt.Println("left out the end-to-end tests:", why)
		if os.Getenv("KINECTL_E2E") == "required" {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(run(m))
}

// missing says what keeps the lab from running here.
func missing() string {
	if runtime.GOOS != "linux" {
		return "the lab needs Linux"
	}
	if os.Geteuid() != 0 {
		return "not root; run them with sudo"
	}
	for _, program := range []string{"systemd-nspawn", "debootstrap", "ansible-playbook", "ssh"} {
		if _, err := exec.LookPath(program); err != nil {
			return program + " is not installed; run `make deps`"
		}
	}
	return ""
}

// hold keeps a second run away, which would take the lab down below the first: both
// call it by the same name. The lock goes with this process, however it ends.
func hold() (*os.File, error) {
	const path = "/run/kinectl-e2e.lock"
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("another run of the end-to-end tests has the lab, and holds %s: try again when it has ended", path)
		}
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return f, nil
}

func run(m *testing.M) int {
	held, err := hold()
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer held.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 40*time.Minute)
	defer cancel()
	// Who is killed here is not to be waited for as long as a person would be.
	if err := os.Setenv("KINECTL_LEASE", "8s"); err != nil {
		fmt.Println(err)
		return 1
	}
	dir, err := os.MkdirTemp("", "kinectl-e2e-*")
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer os.RemoveAll(dir)
	road = &fixture{kinectl: filepath.Join(dir, "kinectl"), dir: dir, repo: filepath.Join(dir, "repo")}
	defer func() {
		if out, err := exec.Command(road.kinectl, "lab", "down", "--name", labName).CombinedOutput(); err != nil {
			fmt.Printf("lab down: %v\n%s", err, out)
		}
	}()
	for _, step := range []struct {
		what string
		do   func(context.Context) error
	}{
		{"build kinectl", road.build},
		{"make a repository of ten versions", road.publish},
		{"start four hosts", road.up},
	} {
		start := time.Now()
		if err := step.do(ctx); err != nil {
			fmt.Printf("%s: %v\n", step.what, err)
			return 1
		}
		fmt.Printf("%-40s %5.1f s\n", step.what, time.Since(start).Seconds())
	}
	return m.Run()
}

func (f *fixture) build(ctx context.Context) error {
	return command(ctx, "go", "build", "-o", f.kinectl, "../cmd/kinectl")
}

func (f *fixture) up(ctx context.Context) error {
	_ = command(ctx, f.kinectl, "lab", "down", "--name", labName)
	if err := command(ctx, f.kinectl, "lab", "up", "--hosts", "4", "--disk", "700", "--name", labName, "--repo", f.repo); err != nil {
		return err
	}
	l, err := lab.Open(labName)
	if err != nil {
		return err
	}
	f.lab, f.infra = l, l.Infra()
	return os.WriteFile(f.variables(), []byte("log_level: info\ngreeting: hello\n"), 0o644)
}

// variables is the file that a test writes to change the configuration.
func (f *fixture) variables() string {
	return filepath.Join(f.infra, "inventories", "lab", "group_vars", "applications.yml")
}

func command(ctx context.Context, argv ...string) error {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w\n%s", argv, err, out)
	}
	return nil
}
