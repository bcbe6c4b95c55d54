package yum

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/kinectl/kinectl/internal/repo/signing"
	"github.com/kinectl/kinectl/internal/repo/storage"
)

// processDir tells this program to be one that adds a package and ends.
const processDir = "KINECTL_TEST_YUM_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(processDir); dir != "" {
		if err := addInProcess(context.Background(), dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// addInProcess adds a package to the repository in dir, in memory, and prints
// the most memory that the process had.
func addInProcess(ctx context.Context, dir string) error {
	private, err := os.ReadFile(filepath.Join(dir, "private.asc"))
	if err != nil {
		return err
	}
	key, err := signing.ParseKey(private)
	if err != nil {
		return err
	}
	ring, err := signing.ParseKeyring(key.Certificate())
	if err != nil {
		return err
	}
	r, err := Load(ctx, directoryReader(dir), "stable", "x86_64", ring, clock)
	if err != nil {
		return err
	}
	r, err = r.Apply(ctx, Change{Add: []Package{renamed(benchmarkPackages(1)[0], "1.1000.0-1.el9")}, Now: clock})
	if err != nil {
		return err
	}
	files, err := r.IndexFiles(ctx, false)
	if err != nil {
		return err
	}
	pair, roots, err := r.Sign(ctx, signing.Signers{key})
	if err != nil {
		return err
	}
	for _, files := range [][]storage.File{files, pair, roots} {
		for _, f := range files {
			content, err := f.Open()
			if err != nil {
				return err
			}
			if _, err := io.Copy(io.Discard, content); err != nil {
				return err
			}
		}
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	_, err = fmt.Println(strings.Fields(after)[0]) // kB
	return err
}

// directoryReader reads a repository in a directory.
type directoryReader string

func (d directoryReader) Get(ctx context.Context, name string, limit int64) ([]byte, error) {
	f, err := d.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return storage.ReadAllLimit(f, limit)
}

func (d directoryReader) Open(_ context.Context, name string) (io.ReadCloser, error) {
	if !fs.ValidPath(name) {
		return nil, fs.ErrInvalid
	}
	return os.Open(filepath.Join(string(d), filepath.FromSlash(name)))
}

func (d directoryReader) String() string { return string(d) }

// BenchmarkProcess is BenchmarkAdd in a process of its own, from its start to
// its end, but for the writing of files; peak-MB is the most memory that it had.
func BenchmarkProcess(b *testing.B) {
	if _, err := os.Stat("/proc/self/status"); err != nil {
		b.Skip("there is no /proc: the memory was not measured")
	}
	for _, n := range []int{200, 2_000, 20_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			private, err := testKey().Private()
			if err != nil {
				b.Fatal(err)
			}
			store, dir := tree{"private.asc": private}, b.TempDir()
			store.publish(b, New("stable", "x86_64"), testKey(), Change{Add: benchmarkPackages(n)})
			store.write(b, dir)
			peak := 0
			for b.Loop() {
				cmd := exec.CommandContext(b.Context(), os.Args[0])
				cmd.Env = append(os.Environ(), processDir+"="+dir)
				cmd.Stderr = os.Stderr
				out, err := cmd.Output()
				if err != nil {
					b.Fatal(err)
				}
				kB, err := strconv.Atoi(strings.TrimSpace(string(out)))
				if err != nil {
					b.Fatal(err)
				}
				peak = max(peak, kB)
			}
			b.ReportMetric(float64(peak)/1000, "peak-MB")
		})
	}
}
