package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"
	"unicode"
)

// lockName is the lock of a directory, and the folder of the locks of a bucket.
const lockName = ".lock"

// checkName accepts the slash-separated name of a file below the repository
// that every place can hold: a name comes out of indexes that others wrote, and
// must not lead out of the repository or mean something to a shell.
func checkName(name string) error {
	bad := strings.ContainsFunc(name, func(r rune) bool {
		return unicode.IsControl(r) || r == unicode.ReplacementChar || strings.ContainsRune(`"'\`, r)
	})
	if bad || !fs.ValidPath(name) || name == "." || name == lockName || strings.HasPrefix(name, lockName+"/") {
		return fmt.Errorf("%q is not the name of a file of a repository: %w", name, fs.ErrInvalid)
	}
	return nil
}

// arrange splits what one Put has to write into files with a body and links to
// files that are there once those are. A link to a link of the same Put becomes
// one to its source, so links need no order either.
func arrange(files []File) (bodies, links []File, err error) {
	sources := map[string]string{} // of what was seen; "" for a body
	for _, f := range files {
		if err := checkName(f.Name); err != nil {
			return nil, nil, err
		}
		if _, twice := sources[f.Name]; twice {
			return nil, nil, fmt.Errorf("%s is to be written twice at once: %w", f.Name, fs.ErrInvalid)
		}
		if f.LinkOf == "" {
			if f.Open == nil {
				return nil, nil, fmt.Errorf("%s has no content: %w", f.Name, fs.ErrInvalid)
			}
			sources[f.Name] = ""
			bodies = append(bodies, f)
			continue
		}
		if err := checkName(f.LinkOf); err != nil {
			return nil, nil, err
		}
		if source := sources[f.LinkOf]; source != "" {
			f.LinkOf = source
		}
		sources[f.Name] = f.LinkOf
		links = append(links, f)
	}
	return bodies, links, nil
}

// copyTo writes the content of f to out and checks that it is as long as it
// should be. An error of the reader at its end is an error.
func (f File) copyTo(ctx context.Context, out io.Writer) (err error) {
	in, err := f.Open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	n, err := io.Copy(out, &contextReader{ctx, in})
	if err == nil {
		err = ctx.Err()
	}
	if err == nil && n != f.Size {
		err = fmt.Errorf("%s has %d bytes, and %d were announced", f.Name, n, f.Size)
	}
	return err
}

// contextReader ends a long read when its context ends.
type contextReader struct {
	ctx context.Context
	in  io.Reader
}

func (r *contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.in.Read(p)
}

// each calls f for every item, at most width at the same time. The first error
// calls off what has not begun, and is returned.
func each[T any](ctx context.Context, width int, items []T, f func(context.Context, T) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var running sync.WaitGroup
	slots := make(chan struct{}, width)
	for _, item := range items {
		slots <- struct{}{}
		if ctx.Err() != nil {
			break
		}
		running.Go(func() {
			defer func() { <-slots }()
			if err := f(ctx, item); err != nil {
				cancel(err)
			}
		})
	}
	running.Wait()
	return context.Cause(ctx)
}
