package chaos

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kinectl/kinectl/internal/lab"
	"github.com/kinectl/kinectl/internal/repo"
)

const (
	labName = "chaos"
	port    = "8080"
	lease   = 6 // seconds
)

var hosts = []string{"h1", "h2", "h3"}

// fleet is a lab with a package repository that the test itself serves, so
// that it can take it away.
type fleet struct {
	lab     *lab.Lab
	kinectl string // the program
	dir     string // of everything here
	served  string // what the hosts see of the repository; the deployer reads the original
	server  *exec.Cmd
	lasts   time.Duration // what an undisturbed release takes
	runs    int           // deployers started so far
}

// newFleet builds, publishes and starts everything, brings the first version
// to every host, and takes it all away at the end of the test.
func newFleet(t *testing.T) *fleet {
	t.Helper()
	// A second run would take the lab down below the first. The lock goes with this process.
	held, err := os.OpenFile("/run/kinectl-chaos.lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { held.Close() })
	if err := syscall.Flock(int(held.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		t.Fatalf("another run of the chaos test has the lab, and holds %s: %v", held.Name(), err)
	}
	dir, err := os.MkdirTemp("", "chaos-") // short: it holds sockets
	if err != nil {
		t.Fatal(err)
	}
	f := &fleet{kinectl: filepath.Join(dir, "kinectl"), dir: dir, served: filepath.Join(dir, "served")}
	t.Cleanup(func() {
		if t.Failed() && os.Getenv("CHAOS_KEEP") != "" {
			t.Logf("kept: %s, and the lab %s", dir, labName)
			return
		}
		f.unserve()
		if err := lab.Down(context.Background(), labName); err != nil {
			t.Error(err)
		}
		os.RemoveAll(dir)
	})
	original := filepath.Join(dir, "repo")
	f.must(t, "go", "build", "-o", f.kinectl, "../../cmd/kinectl")
	f.publish(t, original)
	if err := os.CopyFS(f.served, os.DirFS(original)); err != nil {
		t.Fatal(err)
	}
	key, err := os.ReadFile(filepath.Join(original, "key.asc"))
	if err != nil {
		t.Fatal(err)
	}
	if err := lab.Down(t.Context(), labName); err != nil {
		t.Fatal(err)
	}
	f.lab, err = lab.Up(t.Context(), lab.Options{
		Name: labName, Hosts: len(hosts), DiskMiB: 400, Program: f.kinectl,
		Image: lab.ImageOptions{Cache: os.Getenv("KINECTL_LAB_CACHE")},
		Vars:  map[string]any{"kinectl_repository": original},
		Files: map[string]lab.File{
			repo.AptKeyPath:    {Mode: 0o644, Body: key},
			repo.AptSourcePath: {Mode: 0o644, Body: repo.AptSource("http://"+net.JoinHostPort(lab.Gateway, port), "stable")},
		},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	f.serve(t)
	f.greet(t, "hello")
	f.undisturbed(t, "1.0.0")
	f.notBlind(t)
	start := time.Now()
	f.undisturbed(t, "1.2.0")
	f.lasts = time.Since(start)
	t.Logf("an undisturbed release to %d hosts takes %.1f s", len(hosts), f.lasts.Seconds())
	return f
}

// versions are those in the repository: bad ones begin with 9.
var versions = map[string]struct{ deploy, more, fault string }{
	"1.0.0": {deploy: "serial: 1"},
	"1.1.0": {deploy: "serial: 3"},
	"1.2.0": {deploy: "serial: 1", more: sockets},
	"1.3.0": {deploy: `serial: [1, "100%"]`, more: sockets},
	"1.4.0": {deploy: "serial: 2, drain: 1s"},
	"1.5.0": {deploy: "serial: 2, overlap: false", more: sockets},
	"9.0.0": {deploy: "serial: 1", fault: "probe500"},
	"9.1.0": {deploy: "serial: 3", fault: "exit"},
	"9.2.0": {deploy: "serial: 1", more: sockets, fault: "probe500"},
}

const sockets = "\n  exec: {type: notify}\n  sockets: [\":8080\"]"

// spec is the spec.yml of one version. They settle for a while, so that a fault
// can come then too.
func (f *fleet) spec(version string) string {
	v := versions[version]
	timeout := "60s" // no good one is judged by how busy the machine is
	if v.fault != "" {
		timeout = "4s"
	}
	return `service:
  name: hello
  group: applications
  description: "The service of the chaos test"
  limits: {mem: 64M}
  deploy: {probe: {timeout: ` + timeout + `, settle: 300ms}, ` + v.deploy + "}" + v.more + `
  environments: |
    HTTP_ADDRESS=:8080
    GREETING={{ greeting }}
`
}

// specFile is what a checkout of the service has.
func (f *fleet) specFile() string { return filepath.Join(f.dir, "specs", "1.0.0", "spec.yml") }

func (f *fleet) publish(t *testing.T, location string) {
	t.Helper()
	key := filepath.Join(f.dir, "key.asc")
	f.must(t, f.kinectl, "repo", "init", location, "--key", key)
	publish := []string{f.kinectl, "repo", "publish", location, "--key", key}
	for version, v := range versions {
		dir := filepath.Join(f.dir, "specs", version)
		write(t, filepath.Join(dir, "spec.yml"), f.spec(version))
		f.must(t, "go", "build", "-trimpath", "-o", filepath.Join(dir, "hello"),
			"-ldflags", fmt.Sprintf("-s -w -X main.name=hello -X main.version=%s -X main.fault=%s", version, v.fault), "../../services/hello")
		f.must(t, f.kinectl, "package", "-f", filepath.Join(dir, "spec.yml"), "--version", version, "--format", "deb",
			"--binary", filepath.Join(dir, "hello"), "-o", filepath.Join(f.dir, "dist"))
		publish = append(publish, filepath.Join(f.dir, "dist", "hello_"+version+"_"+runtime.GOARCH+".deb"))
	}
	f.must(t, publish...)
}

// serve offers the repository to the hosts.
func (f *fleet) serve(t *testing.T) {
	t.Helper()
	address := net.JoinHostPort(lab.Gateway, port)
	f.server = f.lab.Command(context.Background(), f.kinectl, "repo", "serve", f.served, "--listen", address)
	if err := f.server.Start(); err != nil {
		t.Fatal(err)
	}
	within(t, 10*time.Second, "the repository to answer", func() bool {
		return f.lab.Command(t.Context(), "curl", "--silent", "--fail", "--output", "/dev/null", "http://"+address+"/key.asc").Run() == nil
	})
}

func (f *fleet) unserve() {
	if f.server != nil {
		_ = f.server.Process.Kill()
		_ = f.server.Wait()
	}
	f.server = nil
}

// greet changes the configuration of the service.
func (f *fleet) greet(t *testing.T, greeting string) {
	t.Helper()
	write(t, filepath.Join(f.lab.Infra(), "inventories", "lab", "group_vars", "applications.yml"), "greeting: "+greeting+"\n")
}

func (f *fleet) must(t *testing.T, argv ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(argv, " "), err, out)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// within polls until a condition holds, and fails the test when it never does.
func within(t *testing.T, limit time.Duration, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(limit); !holds(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %s for %s", limit, what)
		}
	}
}
