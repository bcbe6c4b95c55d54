package packager

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/kinectl/kinectl/internal/artifact"
	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/version"
)

func hello() (plan.Plan, []artifact.File) {
	p := plan.Plan{
		Name: "hello", Group: "applications", Description: `Answers: 100% "größe" $HOME`,
		Version:   version.Version{Label: "1.0.0-rc1", Deb: "1.0.0~rc1"},
		BuildTime: time.Unix(1700000000, 0).UTC(),
	}
	return p, []artifact.File{
		{Path: "systemd/hello.service", Install: "/usr/lib/systemd/system/hello.service", Mode: 0o644, Body: []byte("[Service]\n")},
		{Path: "spec.yml", Install: "/usr/share/kinectl/hello/spec.yml", Mode: 0o600, Body: []byte("service:\n")},
		{Path: "ansible/deploy.yml", Mode: 0o644, Body: []byte("not packed")},
	}
}

// binary writes a program with the given time, which must not matter.
func binary(t *testing.T, mtime time.Time, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a [program]*")
	body := bytes.Repeat([]byte("#!/bin/sh\nexit 0\n"), 100_000)
	if err := os.WriteFile(path, body, mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, mtime, mtime); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDebIsReproducible(t *testing.T) {
	var sums []string
	for i, procs := range []int{1, 4} {
		before := runtime.GOMAXPROCS(procs)
		p, files := hello()
		var b bytes.Buffer
		err := Deb(p, files, binary(t, time.Unix(int64(1e9*(i+1)), 0), []os.FileMode{0o600, 0o755}[i]), "amd64", &b)
		runtime.GOMAXPROCS(before)
		if err != nil {
			t.Fatal(err)
		}
		sums = append(sums, fmt.Sprintf("%x", sha256.Sum256(b.Bytes())))
	}
	if sums[0] != sums[1] {
		t.Errorf("two builds differ: %v", sums)
	}
}

func TestDebForDpkg(t *testing.T) {
	if _, err := exec.LookPath("dpkg-deb"); err != nil {
		t.Skip("dpkg-deb is not installed: the package was not read by dpkg")
	}
	p, files := hello()
	file := filepath.Join(t.TempDir(), DebName(p, "arm64"))
	var b bytes.Buffer
	if err := Deb(p, files, binary(t, time.Now(), 0o700), "arm64", &b); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) string {
		t.Helper()
		cmd := exec.Command("dpkg-deb", args...)
		cmd.Env = append(os.Environ(), "TZ=UTC")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("dpkg-deb %v: %v: %s", args, err, out)
		}
		return string(out)
	}
	want := "hello|1.0.0~rc1|arm64|applications <root@localhost>|" + p.Description
	if got := run("-W", "--showformat=${Package}|${Version}|${Architecture}|${Maintainer}|${Description}", file); got != want {
		t.Errorf("control: got %s, want %s", got, want)
	}
	if got := filepath.Base(file); got != "hello_1.0.0~rc1_arm64.deb" {
		t.Errorf("file name %s", got)
	}
	var listed []string
	for line := range strings.Lines(run("-c", file)) {
		f := strings.Fields(line)
		if f[1] != "root/root" || f[3] != "2023-11-14" || f[4] != "22:13" {
			t.Errorf("owner or time: %s", line)
		}
		if !strings.HasSuffix(f[5], "/") || strings.HasPrefix(f[5], "./etc/") {
			listed = append(listed, f[0]+" "+strings.TrimPrefix(f[5], "."))
		}
	}
	wantFiles := "drwxr-xr-x /etc/|drwxr-xr-x /etc/hello/|-rwxr-xr-x /usr/bin/hello|-rw-r--r-- /usr/lib/systemd/system/hello.service|-rw------- /usr/share/kinectl/hello/spec.yml"
	if got := strings.Join(listed, "|"); got != wantFiles {
		t.Errorf("files: got\n%s\nwant\n%s", got, wantFiles)
	}
	for _, name := range []string{"postinst", "prerm", "postrm"} {
		if script := run("-I", file, name); !strings.HasPrefix(script, "#!/bin/sh\n") || !strings.Contains(script, "hello") || strings.Contains(script, "{{") {
			t.Errorf("%s: %s", name, script)
		}
	}
}

func TestScriptsForShellcheck(t *testing.T) {
	if _, err := exec.LookPath("shellcheck"); err != nil {
		t.Skip("shellcheck is not installed: the maintainer scripts were not checked")
	}
	p, _ := hello()
	for _, name := range []string{"postinst", "prerm", "postrm"} {
		body, err := debScript("deb/"+name+".sh", p)
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("shellcheck", "--shell=sh", "--enable=all", "--exclude=SC2250,SC2292,SC2249", "-")
		cmd.Stdin = bytes.NewReader(body)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %s", name, out)
		}
		if strings.Contains(string(body), "systemctl start") || strings.Contains(string(body), "restart") {
			t.Errorf("%s starts a service", name)
		}
	}
}

func TestDebFaults(t *testing.T) {
	p, files := hello()
	program := binary(t, time.Now(), 0o755)
	t.Setenv("TMPDIR", t.TempDir())
	err := Deb(p, files, program+"nothing", "amd64", &bytes.Buffer{})
	if err == nil || !strings.HasPrefix(err.Error(), "package hello 1.0.0-rc1 for amd64: ") || !strings.Contains(err.Error(), "nothing") {
		t.Errorf("a missing binary: %v", err)
	}
	files[0].Install = "/usr/../etc/passwd"
	if err := Deb(p, files, program, "amd64", &bytes.Buffer{}); err == nil {
		t.Error("a path that climbs was packed")
	}
	left, _ := os.ReadDir(os.TempDir())
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
