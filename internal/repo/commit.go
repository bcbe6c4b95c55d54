package repo

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/kinectl/kinectl/internal/atomicfile"
)

// writer puts files into a repository that the caller has locked.
type writer struct {
	root string
	step func(name string) // see Options.Step
}

// commit makes s, which must be signed, the state of its suite. prev is the
// state before it, or nil. The order is what keeps readers safe: indexes under
// their digests first, InRelease last. Files that are right already are not
// written again, so to commit the state that is there mends what a killed
// process left half-way.
func (w writer) commit(ctx context.Context, s, prev *suite, files []indexFile, releaseGPG []byte, now time.Time) error {
	name := s.release.suite
	for _, f := range files {
		if err := w.write(ctx, suitePath(name, byHashPath(f.path, digest(f.body))), f.body); err != nil {
			return err
		}
	}
	if prev != nil {
		w.markSuperseded(prev, s, now)
	}
	for _, f := range files {
		if err := w.write(ctx, suitePath(name, f.path), f.body); err != nil {
			return err
		}
	}
	for _, f := range []indexFile{
		{"Release", []byte(s.text)},
		{"Release.gpg", releaseGPG},
		{"InRelease", s.inRelease},
	} {
		if err := w.writeRoot(ctx, suitePath(name, f.path), f.body, now); err != nil {
			return err
		}
	}
	return w.dropSuperseded(s, now)
}

// write makes body the content of the file at a slash-separated path.
func (w writer) write(ctx context.Context, name string, body []byte) error {
	if old, err := os.ReadFile(w.path(name)); err == nil && bytes.Equal(old, body) {
		return nil
	}
	return w.fill(ctx, name, func(out io.Writer) error {
		_, err := out.Write(body)
		return err
	})
}

// writeRoot is write with a modification time later than the last one by a
// second at least. Clients ask with If-Modified-Since, which counts seconds:
// two publications in one second would look like one.
func (w writer) writeRoot(ctx context.Context, name string, body []byte, now time.Time) error {
	before, err := os.Stat(w.path(name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := w.write(ctx, name, body); err != nil {
		return err
	}
	if before != nil {
		if after, err := os.Stat(w.path(name)); err != nil || os.SameFile(before, after) {
			return err // it was right already and was not replaced
		}
		if later := before.ModTime().Truncate(time.Second).Add(time.Second); later.After(now) {
			now = later
		}
	}
	return os.Chtimes(w.path(name), now, now)
}

// place copies a package file to where its entry says, checking on the way
// that it is still what was read before. A right one that is there stays.
func (w writer) place(ctx context.Context, e Entry, source string) error {
	if sum, err := fileDigest(w.path(e.Filename)); err == nil && sum == e.SHA256 {
		return nil
	}
	in, err := os.Open(source)
	if err != nil {
		return err
	}
	defer in.Close()
	return w.fill(ctx, e.Filename, func(out io.Writer) error {
		hash := sha256.New()
		if _, err := io.Copy(io.MultiWriter(out, hash), in); err != nil {
			return err
		}
		if hex.EncodeToString(hash.Sum(nil)) != e.SHA256 {
			return fmt.Errorf("%s changed while it was being published", source)
		}
		return nil
	})
}

// fill writes one file aside, syncs and renames it.
func (w writer) fill(ctx context.Context, name string, content func(io.Writer) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	dir := path.Dir(name)
	if err := w.makeDir(dir); err != nil {
		return err
	}
	if err := w.sweep(dir); err != nil {
		return err
	}
	err := atomicfile.WriteFrom(w.path(name), 0o644, func(out io.Writer) error {
		if err := content(out); err != nil {
			return err
		}
		w.step("aside " + name)
		return nil
	})
	if err != nil {
		return err
	}
	w.step("written " + name)
	return nil
}

// sweep removes what killed writers left in a directory: nobody else can be
// writing there. The top directory is not ours alone.
func (w writer) sweep(dir string) error {
	if dir == "." {
		return nil
	}
	entries, err := os.ReadDir(w.path(dir))
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") && e.Type().IsRegular() {
			if err := os.Remove(w.path(path.Join(dir, e.Name()))); err != nil {
				return err
			}
		}
	}
	return nil
}

// makeDir makes a directory and those above it durable.
func (w writer) makeDir(name string) error {
	err := os.Mkdir(w.path(name), 0o755)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if errors.Is(err, fs.ErrNotExist) && name != "." {
		if err := w.makeDir(path.Dir(name)); err != nil {
			return err
		}
		err = os.Mkdir(w.path(name), 0o755)
	}
	if err != nil {
		return err
	}
	return atomicfile.SyncDir(filepath.Dir(w.path(name)))
}

func (w writer) path(name string) string { return filepath.Join(w.root, filepath.FromSlash(name)) }

// suites lists the suites that are there.
func (w writer) suites() ([]string, error) {
	entries, err := os.ReadDir(w.path("dists"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if _, err := os.Stat(w.path(suitePath(e.Name(), "InRelease"))); err == nil && !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

func fileDigest(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// gzipped compresses without a name or a time, so the same text gives the same
// bytes.
func gzipped(body []byte) ([]byte, error) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(body); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
