package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// The versions in the repository of the tests.
const (
	first   = "1.0.0"
	second  = "1.1.0"
	broken  = "1.2.0" // answers 500 on its probe
	pairs   = "2.0.0" // two hosts at a time
	pairBad = "2.1.0" // the same, and answers 500
	crashes = "3.0.0" // starts, and exits after a moment
	liar    = "3.1.0" // says that it is another version
	secrets = "4.0.0" // has a variable from the inventory that is secret
	slow    = "5.0.0" // settles for three seconds

	slowPairs = "5.1.0" // the same, two hosts at a time
)

// build is one version to publish.
type build struct {
	version string
	serial  string
	settle  string
	fault   string // main.fault of the example service
	says    string // the version that it is built with, when that is a lie
	more    string // more lines of environments
}

var builds = []build{
	{version: first},
	{version: second},
	{version: broken, fault: "probe500"},
	{version: pairs, serial: "2"},
	{version: pairBad, serial: "2", fault: "probe500"},
	{version: crashes, fault: "exit"},
	{version: liar, says: "9.9.9"},
	{version: secrets, more: "PLANTED={{ planted }}\nHOSTILE={{ hostile }}"},
	{version: slow, settle: "3s"},
	{version: slowPairs, settle: "3s", serial: "2"},
}

// specOf is the spec.yml of one version.
func specOf(b build) string {
	serial, settle := b.serial, b.settle
	if serial == "" {
		serial = "1"
	}
	if settle == "" {
		settle = "0s"
	}
	timeout := "60s" // no judgement of a good one depends on how busy the machine is
	if b.fault != "" || b.says != "" {
		timeout = "4s"
	}
	environment := "HTTP_ADDRESS=:8080\nLOG_LEVEL={{ log_level }}\nGREETING={{ greeting }}\n" + b.more
	return fmt.Sprintf(`service:
  name: hello
  group: applications
  description: "The service of the end-to-end tests"
  deploy:
    serial: %s
    probe:
      type: http
      port: 9090
      path: /metrics
      timeout: %s
      settle: %s
  limits:
    mem: 64M
    no_file: 10_000
  environments: |
    %s
`, serial, timeout, settle, strings.ReplaceAll(strings.TrimSpace(environment), "\n", "\n    "))
}

// spec is the path of the spec in the "checkout".
func (f *fixture) spec(version string) string {
	return filepath.Join(f.dir, "specs", version, "spec.yml")
}

// publish packages every version and puts it into a new repository.
func (f *fixture) publish(ctx context.Context) error {
	if err := command(ctx, f.kinectl, "repo", "init", f.repo, "--key", filepath.Join(f.dir, "key.asc")); err != nil {
		return err
	}
	dist := filepath.Join(f.dir, "dist")
	publish := []string{f.kinectl, "repo", "publish", f.repo, "--key", filepath.Join(f.dir, "key.asc")}
	for _, b := range builds {
		file := f.spec(b.version)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(specOf(b)), 0o644); err != nil {
			return err
		}
		says := b.version
		if b.says != "" {
			says = b.says
		}
		binary := filepath.Join(f.dir, "specs", b.version, "hello")
		flags := fmt.Sprintf("-s -w -X main.name=hello -X main.version=%s -X main.fault=%s", says, b.fault)
		if err := command(ctx, "go", "build", "-trimpath", "-ldflags", flags, "-o", binary, "../services/hello"); err != nil {
			return err
		}
		if err := command(ctx, f.kinectl, "package", "-f", file, "--version", b.version, "--binary", binary, "-o", dist); err != nil {
			return err
		}
		publish = append(publish, filepath.Join(dist, "hello_"+b.version+"_"+runtime.GOARCH+".deb"))
	}
	return command(ctx, publish...)
}
