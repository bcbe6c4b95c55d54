package packager

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kinectl/kinectl/internal/artifact"
	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/version"
)

// films is a package with something of everything: each call writes what it
// is made of to another folder, at another time.
func films(t *testing.T, label string) Contents {
	t.Helper()
	v, err := version.Parse(label)
	if err != nil {
		t.Fatal(err)
	}
	p := plan.Plan{
		Name: "films", Group: "applications", Description: `The catalogue of films: 100% "größe" $HOME.`, Version: v,
		BuildTime: time.Unix(1700000000, 0).UTC(),
		Unit:      plan.Unit{User: "films-owner", Group: "media", Cache: true},
		Package: plan.Package{
			Maintainer: "Films <films@example.com>", License: "Apache-2.0", Homepage: "https://example.com/films",
			Depends: []plan.Dependency{{Name: "ca-certificates"}, {Name: "libvips42", Relation: ">=", Version: "8.14"}, {Name: "old", Relation: "<", Version: "2"}},
			ByDistribution: map[string][]plan.Dependency{
				"debian12": {{Name: "tzdata"}}, "rhel9": {{Name: "tzdata-rh"}}, "alpine3.20": {{Name: "tzdata-al"}}, "arch": {{Name: "tzdata-ar"}},
			},
		},
	}
	var rendered []artifact.File
	for _, name := range []string{"films.service", "films.socket", "films-cleanup.service", "films-cleanup.timer", "films-probe.service"} {
		body := "[Unit]\nDescription=x\n[Service]\nExecStart=/usr/bin/films\n[Install]\nWantedBy=multi-user.target\n"
		rendered = append(rendered, artifact.File{Path: "systemd/" + name, Install: "/usr/lib/systemd/system/" + name, Mode: 0o644, Body: []byte(body)})
	}
	rendered = append(rendered,
		artifact.File{Path: "sysusers.d/films.conf", Install: "/usr/lib/sysusers.d/films.conf", Mode: 0o644, Body: []byte("g media -\nu films-owner -:media \"films service\"\n")},
		artifact.File{Path: "tmpfiles.d/films.conf", Install: "/usr/lib/tmpfiles.d/films.conf", Mode: 0o644, Body: []byte("d /var/cache/films 0750 films-owner media\n")},
		artifact.File{Path: "spec.yml", Install: "/usr/share/kinectl/films/spec.yml", Mode: 0o600, Body: []byte("service:\n")},
		artifact.File{Path: "ansible/deploy.yml", Mode: 0o644, Body: []byte("not packed")},
	)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a [program]*"), strings.Repeat("#!/bin/sh\nexit 0\n", 100_000), 0o700)
	write(t, filepath.Join(dir, "films.conf"), "size=1\n", 0o600)
	write(t, filepath.Join(dir, "assets", "logo.svg"), "<svg/>", 0o666)
	write(t, filepath.Join(dir, "assets", "bin", "tool"), "#!/bin/sh\n", 0o711)
	if err := os.Symlink("../logo.svg", filepath.Join(dir, "assets", "bin", "logo.svg")); err != nil {
		t.Fatal(err)
	}
	return Contents{
		Plan: p, Rendered: rendered, Binary: filepath.Join(dir, "a [program]*"), SBOM: []byte("{}\n"),
		Files: []File{
			{Source: filepath.Join(dir, "films.conf"), Destination: "/etc/films/films.conf", Mode: 0o640, Config: true},
			{Source: filepath.Join(dir, "assets"), Destination: "/usr/share/films/assets/"},
		},
	}
}

// installed is what the package of films has, in each format.
var installed = []string{
	"-rw-r----- /etc/films/films.conf",
	"-rwxr-xr-x /usr/bin/films",
	"-rw-r--r-- /usr/lib/systemd/system/films-cleanup.service",
	"-rw-r--r-- /usr/lib/systemd/system/films-cleanup.timer",
	"-rw-r--r-- /usr/lib/systemd/system/films-probe.service",
	"-rw-r--r-- /usr/lib/systemd/system/films.service",
	"-rw-r--r-- /usr/lib/systemd/system/films.socket",
	"-rw-r--r-- /usr/lib/sysusers.d/films.conf",
	"-rw-r--r-- /usr/lib/tmpfiles.d/films.conf",
	"-rw-r--r-- /usr/share/doc/films/copyright",
	"-rw-r--r-- /usr/share/doc/films/sbom.cdx.json",
	"lrwxrwxrwx /usr/share/films/assets/bin/logo.svg -> ../logo.svg",
	"-rwxr-xr-x /usr/share/films/assets/bin/tool",
	"-rw-r--r-- /usr/share/films/assets/logo.svg",
	"-rw------- /usr/share/kinectl/films/spec.yml",
}

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

// pack writes a package to a folder, under its own name.
func pack(t *testing.T, dir, format string, c Contents, o Options) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(t.Context(), format, c, o, &b); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, Name(c.Plan, format, o))
	write(t, path, b.String(), 0o644)
	return path
}

// run runs a program that must succeed, and returns what it prints.
func run(t *testing.T, argv ...string) string {
	t.Helper()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), "TZ=UTC", "LC_ALL=C.UTF-8")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", argv, err, out)
	}
	return string(out)
}

func TestName(t *testing.T) {
	f := func(label, format string, o Options, want string) {
		t.Helper()
		if got := Name(films(t, label).Plan, format, o); got != want {
			t.Errorf("the %s of %s is called %s, want %s", format, label, got, want)
		}
	}
	f("1.2.0", "deb", Options{Arch: "amd64"}, "films_1.2.0_amd64.deb")
	f("1.2.0-rc1", "deb", Options{Arch: "arm64"}, "films_1.2.0~rc1_arm64.deb")
	f("1.2.0", "deb", Options{Arch: "amd64", Distribution: "debian12"}, "films_1.2.0~deb12_amd64.deb")
	f("1.2.0-rc1", "rpm", Options{Arch: "arm64"}, "films-1.2.0~rc1-1.aarch64.rpm")
	f("1.2.0", "rpm", Options{Arch: "amd64", Distribution: "rhel9"}, "films-1.2.0-1.el9.x86_64.rpm")
	f("1.2.0-rc1", "apk", Options{Arch: "amd64"}, "films_1.2.0_rc1-r0_x86_64.apk")
	f("1.2.0-rc1", "archlinux", Options{Arch: "arm64"}, "films-1.2.0rc1-1-aarch64.pkg.tar.zst")
	f("1.2.0", "exe", Options{Arch: "amd64"}, "")
}

func TestReproducible(t *testing.T) {
	for _, format := range Formats() {
		t.Run(format, func(t *testing.T) {
			sum := func(c Contents, procs, umask int) string {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
				defer syscall.Umask(syscall.Umask(umask))
				h := sha256.New()
				if err := Write(t.Context(), format, c, Options{Arch: "amd64"}, h); err != nil {
					t.Fatal(err)
				}
				return fmt.Sprintf("%x", h.Sum(nil))
			}
			want := sum(films(t, "1.2.0"), 1, 0o022)
			// All that may differ, differs: paths, times, modes, clock, environment.
			other := films(t, "1.2.0")
			err := filepath.Walk(filepath.Dir(other.Binary), func(path string, info os.FileInfo, err error) error {
				if err != nil || info.Mode()&os.ModeSymlink != 0 {
					return err
				}
				if err := os.Chmod(path, info.Mode()|0o444); err != nil {
					return err
				}
				return os.Chtimes(path, time.Unix(1, 0), time.Unix(1, 0))
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Setenv("TMPDIR", t.TempDir())
			t.Setenv("LC_ALL", "tr_TR.UTF-8")
			t.Setenv("TZ", "Asia/Tokyo")
			t.Setenv("SOURCE_DATE_EPOCH", "1")
			other.Plan.BuildTime = other.Plan.BuildTime.In(time.FixedZone("", 3600))
			if got := sum(other, 4, 0o077); got != want {
				t.Errorf("the same contents give %s and %s", want, got)
			}
			other.Plan.BuildTime = other.Plan.BuildTime.Add(time.Second)
			if got := sum(other, 4, 0o077); got == want {
				t.Error("another time of the build gives the same package")
			}
		})
	}
}

// Packages of the same contents may be written at the same time.
func TestConcurrent(t *testing.T) {
	c, done := films(t, "1.2.0"), make(chan error)
	for _, format := range Formats() {
		for range 2 {
			go func() { done <- Write(t.Context(), format, c, Options{Arch: "amd64"}, io.Discard) }()
		}
	}
	for range 2 * len(Formats()) {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}
