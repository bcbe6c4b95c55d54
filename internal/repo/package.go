package repo

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/kinectl/kinectl/internal/repo/apt"
	"github.com/kinectl/kinectl/internal/repo/debfile"
	"github.com/kinectl/kinectl/internal/repo/rpmfile"
)

// pkg is one package file that was read and checked: deb or rpm is set.
type pkg struct {
	file   file
	sha256 string // of the file
	deb    *apt.Package
	rpm    *rpmfile.Package
	signed *rpmfile.Signed // the rpm as hosts get it
	stored string          // where the repository has it already, of a package that comes from there
}

// file is a package on disk. It is opened for every read, so thousands of them
// hold no descriptor.
type file struct {
	name string
	size int64
}

func (f file) Size() int64 { return f.size }

func (f file) ReadAt(p []byte, offset int64) (int, error) {
	in, err := os.Open(f.name)
	if err != nil {
		return 0, err
	}
	defer in.Close()
	return in.ReadAt(p, offset)
}

// open reads the file from its start and fails at its end when it is no longer
// the one with this digest.
func (p pkg) open() (io.ReadCloser, error) {
	in, err := os.Open(p.file.name)
	if err != nil {
		return nil, err
	}
	return checked(in, p.sha256), nil
}

// checked reads to the end and fails there when the digest is another.
func checked(in io.ReadCloser, sum string) io.ReadCloser {
	return &checkedReader{ReadCloser: in, hash: sha256.New(), want: sum}
}

type checkedReader struct {
	io.ReadCloser
	hash hash.Hash
	want string
}

func (c *checkedReader) Read(b []byte) (int, error) {
	n, err := c.ReadCloser.Read(b)
	c.hash.Write(b[:n])
	if errors.Is(err, io.EOF) && hex.EncodeToString(c.hash.Sum(nil)) != c.want {
		return n, errors.New("the file changed while it was being published")
	}
	return n, err
}

// packageFiles replaces directories by the packages in and below them, sorted by name.
func packageFiles(names []string) ([]string, error) {
	var files []string
	var faults []error
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil || !info.IsDir() {
			files = append(files, name) // reading it will say what is wrong
			continue
		}
		found := false
		err = filepath.WalkDir(name, func(path string, e fs.DirEntry, err error) error {
			if ext := filepath.Ext(path); err == nil && !e.IsDir() && (ext == ".deb" || ext == ".rpm") {
				files = append(files, path)
				found = true
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		if !found {
			faults = append(faults, fmt.Errorf("%s: no package in this directory", name))
		}
	}
	if len(faults) > 0 {
		return nil, refused(errors.Join(faults...))
	}
	return files, nil
}

// readPackages reads and checks every file, and says all that is wrong.
func readPackages(ctx context.Context, names []string) ([]pkg, error) {
	packages := make([]pkg, len(names))
	err := forAll(ctx, len(names), func(i int) (err error) {
		if packages[i], err = readPackage(ctx, names[i]); err != nil {
			err = fmt.Errorf("%s: %w", names[i], err)
		}
		return err
	})
	if err != nil && ctx.Err() == nil {
		err = refused(err)
	}
	return packages, err
}

// signPackages gives the rpm packages the signature of the key that signs
// packages.
func (s *session) signPackages(ctx context.Context, packages []pkg) error {
	return forAll(ctx, len(packages), func(i int) (err error) {
		if p := &packages[i]; p.rpm != nil {
			if p.signed, err = p.rpm.Signed(ctx, s.signers[0], s.now); err != nil {
				err = fmt.Errorf("sign %s: %w", p.file.name, err)
			}
		}
		return err
	})
}

// forAll calls work for 0 to n-1, as many at once as there are processors, and
// returns all errors.
func forAll(ctx context.Context, n int, work func(i int) error) error {
	faults := make([]error, n)
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		workers.Go(func() {
			for i := range next {
				faults[i] = work(i)
			}
		})
	}
	for i := range n {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	workers.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	return errors.Join(faults...)
}

// readPackage tells the format by the first bytes, whatever the file is called.
func readPackage(ctx context.Context, name string) (p pkg, err error) {
	if err := ctx.Err(); err != nil {
		return p, err
	}
	info, err := os.Stat(filepath.Clean(name)) // to open a named pipe would be to wait
	if err != nil {
		return p, errors.Unwrap(err) // the caller names the file
	}
	if !info.Mode().IsRegular() {
		return p, errors.New("not a regular file")
	}
	in, err := os.Open(filepath.Clean(name))
	if err != nil {
		return p, errors.Unwrap(err)
	}
	defer in.Close()
	if info, err = in.Stat(); err != nil {
		return p, err
	}
	p.file = file{filepath.Clean(name), info.Size()}
	if p.sha256, err = sumOf(in); err != nil {
		return p, err
	}
	head := make([]byte, 4)
	if _, err := in.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return p, err
	}
	switch {
	case bytes.Equal(head, []byte{0xed, 0xab, 0xee, 0xdb}): // the lead's magic
		if p.rpm, err = rpmfile.Read(p.file); err == nil {
			_, err = baseArchitecture(p.rpm.Arch)
		}
	case string(head) == "!<ar":
		p.deb, err = readDeb(ctx, io.NewSectionReader(in, 0, info.Size()))
	default:
		err = errors.New("neither a Debian nor an rpm package")
	}
	if err == nil && p.deb != nil {
		p.deb.Entry.SHA256 = p.sha256
	}
	return p, err
}

func readDeb(ctx context.Context, in *io.SectionReader) (*apt.Package, error) {
	d, err := debfile.Read(in)
	if err != nil {
		return nil, err
	}
	files, err := d.Payload(ctx)
	if err != nil {
		return nil, err
	}
	p := apt.NewPackage(d, in.Size(), "", files, time.Time{}) // the digest comes later
	return &p, nil
}

// keyID is how rpm shows a key: the last 16 hexadecimal digits.
func keyID(fingerprint string) string {
	return strings.ToLower(fingerprint[max(0, len(fingerprint)-16):])
}
