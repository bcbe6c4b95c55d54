//go:build linux

package packager

import (
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/kinectl/kinectl/internal/atomicfile"
)

// TestDiskFull has a real file system that is too small, once for the package
// and once for what is temporary.
func TestDiskFull(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("not root: no small file system was mounted to be filled")
	}
	small := t.TempDir()
	if err := syscall.Mount("tmpfs", small, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("no small file system can be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(small, 0); err != nil {
			t.Error(err)
		}
	})
	c := films(t, "1.0.0")
	noise := make([]byte, 1<<20)
	if _, err := rand.NewChaCha8([32]byte{}).Read(noise); err != nil {
		t.Fatal(err)
	}
	write(t, c.Binary, string(noise), 0o755)
	only := func(dir string, want ...string) {
		t.Helper()
		var got []string
		all, err := os.ReadDir(dir)
		for _, e := range all {
			got = append(got, e.Name())
		}
		if err != nil || strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("in %s are %v, not %v; %v", dir, got, want, err)
		}
	}
	for _, format := range Formats() {
		last := filepath.Join(small, "last")
		write(t, last, "the package before", 0o644)
		err := atomicfile.WriteFrom(last, 0o644, func(w io.Writer) error {
			return Write(t.Context(), format, c, Options{Arch: "amd64"}, w)
		})
		if err == nil || !strings.Contains(err.Error(), "no space left on device") || !strings.Contains(err.Error(), last) {
			t.Errorf("%s: %v", format, err)
		}
		only(small, "last")
		if body, err := os.ReadFile(last); err != nil || string(body) != "the package before" {
			t.Errorf("%s: the package before is %.20q, %v", format, body, err)
		}
		if err := os.Remove(last); err != nil {
			t.Fatal(err)
		}

		t.Setenv("TMPDIR", small)
		big := films(t, "1.0.0")
		big.SBOM = noise
		if err := Write(t.Context(), format, big, Options{Arch: "amd64"}, io.Discard); err == nil || !strings.Contains(err.Error(), "no space left on device; TMPDIR names another folder") {
			t.Errorf("%s: %v", format, err)
		}
		only(small)
		t.Setenv("TMPDIR", t.TempDir())
	}
}
