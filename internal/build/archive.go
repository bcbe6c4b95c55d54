package build

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/kinectl/kinectl/internal/facts"
	"github.com/kinectl/kinectl/internal/plan"
)

// maxSize bounds an archive, and the program in it, in bytes.
const maxSize = 1 << 30

// fromArchive writes the program that upstream has built to out: it gets the
// file, holds it against the spec's SHA-256, and only then looks into it.
func fromArchive(ctx context.Context, p plan.Plan, o Options, out string) error {
	name := expand(p.Program.Archive, p, o.Arch)
	wrap := func(err error) error {
		return fmt.Errorf("take the program of %s from %s: %w", p.Name, shown(name), err)
	}
	sum := p.Program.SHA256[o.Arch]
	if sum == "" {
		sum = p.Program.SHA256[""]
	}
	if sum == "" {
		return wrap(fmt.Errorf("build.sha256 has none for %s: add the one that upstream publishes", o.Arch))
	}
	var f *os.File
	var err error
	if strings.HasPrefix(name, "https://") {
		f, err = o.download(ctx, name, sum)
	} else {
		f, err = o.local(ctx, filepath.Join(o.Dir, filepath.FromSlash(name)), sum)
		if errors.Is(err, fs.ErrNotExist) && strings.Contains(p.Program.Archive, "{version}") {
			err = fmt.Errorf("%w; {version} is %s here, which --version can change", err, p.Version)
		}
	}
	if err != nil {
		return wrap(err)
	}
	defer f.Close()
	o.tell(Event{What: "unpack " + shown(name)})
	inside := expand(p.Program.Binary, p, o.Arch)
	if err := unpack(ctx, f, name, inside, p.Name, out, maxSize); err != nil {
		return wrap(err)
	}
	program, err := os.Open(out)
	if err != nil {
		return wrap(err)
	}
	defer program.Close()
	inside = cmp.Or(inside, "it")
	of, err := facts.Program(program, inside)
	if err = cmp.Or(err, fits(inside, of, o.Arch)); err != nil {
		return wrap(err)
	}
	return nil
}

// shown is a path or a URL as people may see it: without a password or token.
func shown(name string) string {
	u, err := url.Parse(name)
	if err != nil || u.Host == "" {
		return name
	}
	if u.RawQuery != "" {
		u.RawQuery = "…"
	}
	return u.Redacted()
}

// local opens an archive beside the spec.
func (o Options) local(ctx context.Context, path, sum string) (*os.File, error) {
	// Looked at first: opening a named pipe waits for its other end.
	if info, err := os.Stat(path); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, errors.New("it is no regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if err := verify(ctx, f, sum); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// verify reads f to its end and back to its start. The error is a [sumError]
// when the file is not the one of that SHA-256.
func verify(ctx context.Context, f *os.File, sum string) error {
	h := sha256.New()
	if _, err := io.Copy(h, interruptible{ctx, f}); err != nil {
		return err
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != sum {
		return sumError{sum, got}
	}
	_, err := f.Seek(0, io.SeekStart)
	return err
}

// sumError says that a file is not the one that the spec means.
type sumError struct{ want, got string }

func (e sumError) Error() string {
	return fmt.Sprintf("its SHA-256 is not the one of build.sha256, so nothing of it was used\n  spec %s\n  file %s\n"+
		"after a change of the version, take the sum that upstream publishes for that file; otherwise the file was changed or is cut off", e.want, e.got)
}

// interruptible is a reader that ends when ctx is done.
type interruptible struct {
	ctx context.Context
	r   io.Reader
}

func (i interruptible) Read(p []byte) (int, error) {
	if err := i.ctx.Err(); err != nil {
		return 0, err
	}
	return i.r.Read(p)
}
