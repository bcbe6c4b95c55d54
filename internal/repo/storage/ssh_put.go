package storage

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strconv"
	"time"
)

func (r *remote) Put(ctx context.Context, files []File) error {
	bodies, links, err := arrange(files)
	if err != nil {
		return err
	}
	return r.write(ctx, func(w *sshWriter) error { return w.put(ctx, bodies, links, false) })
}

func (r *remote) PutRoots(ctx context.Context, files []File) error {
	bodies, links, err := arrange(files)
	if err != nil {
		return err
	}
	if len(links) > 0 {
		return fmt.Errorf("%s cannot be a link: %w", links[0].Name, fs.ErrInvalid)
	}
	return r.write(ctx, func(w *sshWriter) error { return w.put(ctx, bodies, nil, true) })
}

func (r *remote) Remove(ctx context.Context, names []string) error {
	for _, name := range names {
		if err := checkName(name); err != nil {
			return err
		}
	}
	return r.write(ctx, func(w *sshWriter) error {
		for _, name := range names {
			if err := cmp.Or(ctx.Err(), w.order("remove", name, "")); err != nil {
				return err
			}
		}
		return w.settle()
	})
}

func (r *remote) Mend(ctx context.Context) error {
	return r.write(ctx, func(w *sshWriter) error {
		return cmp.Or(w.order("mend", "", ""), w.settle())
	})
}

// put sends all files aside, has them synced, and then moves them to their
// places. An error of a reader changes nothing.
func (w *sshWriter) put(ctx context.Context, bodies, links []File, roots bool) error {
	dirs := newDirs(bodies, links)
	for _, dir := range dirs.parents {
		if err := cmp.Or(w.order("dir", dir, ""), w.order("sweep", dir, "")); err != nil {
			return err
		}
	}
	temporary := make([]string, len(bodies))
	for i, f := range bodies {
		temporary[i] = aside(f.Name)
		if err := w.send(ctx, f, temporary[i]); err != nil {
			for _, name := range temporary[:i+1] {
				err = cmp.Or(err, w.order("remove", name, ""))
			}
			return cmp.Or(err, w.settle())
		}
		if roots {
			if err := w.order("root", f.Name, temporary[i]); err != nil {
				return err
			}
		}
	}
	if err := cmp.Or(w.sync(temporary), w.settle(), ctx.Err()); err != nil {
		return err
	}
	for i, f := range bodies {
		if err := w.order("move", temporary[i], f.Name); err != nil {
			return err
		}
	}
	for _, f := range links {
		if err := w.order("link", f.LinkOf, f.Name); err != nil {
			return err
		}
	}
	return cmp.Or(w.sync(dirs.all), w.settle())
}

// send writes the content of f to a temporary name, in pieces, so that a reader
// that ends early leaves an order that is whole.
func (w *sshWriter) send(ctx context.Context, f File, temporary string) error {
	pieces := bufio.NewWriterSize(writerFunc(func(p []byte) (int, error) {
		if err := w.order("add", strconv.Itoa(len(p)), temporary); err != nil {
			return 0, err
		}
		n, err := w.in.Write(p)
		if err != nil {
			err = w.broken(err)
		}
		return n, err
	}), 1<<20)
	if f.Size == 0 {
		if err := w.order("add", "0", temporary); err != nil {
			return err
		}
	}
	// Without ReadFrom, which would hand over pieces of any size.
	if err := f.copyTo(ctx, struct{ io.Writer }{pieces}); err != nil {
		return fmt.Errorf("%s: %w", path.Base(f.Name), err)
	}
	return cmp.Or(pieces.Flush(), w.order("size", strconv.FormatInt(f.Size, 10), temporary))
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// sync has names synced, some hundred at a time: they are arguments there.
func (w *sshWriter) sync(names []string) error {
	for i, name := range names {
		if err := w.order("sync", name, ""); err != nil {
			return err
		}
		if i%200 == 199 || i == len(names)-1 {
			if err := w.order("flush", "", ""); err != nil {
				return err
			}
		}
	}
	return nil
}

// dirsOf is where files go: their directories, and those with all above them.
type dirsOf struct{ parents, all []string }

func newDirs(lists ...[]File) dirsOf {
	var d dirsOf
	parents, all := map[string]bool{}, map[string]bool{}
	for _, files := range lists {
		for _, f := range files {
			parent := path.Dir(f.Name)
			if !parents[parent] {
				parents[parent] = true
				d.parents = append(d.parents, parent)
			}
			for ; !all[parent]; parent = path.Dir(parent) {
				all[parent] = true
				d.all = append(d.all, parent)
			}
		}
	}
	return d
}

// order sends one, without waiting for it.
func (w *sshWriter) order(what, a, b string) error {
	if _, err := io.WriteString(w.in, what+"\n"+a+"\n"+b+"\n"); err != nil {
		return w.broken(err)
	}
	return nil
}

// settle waits until all orders before are carried out.
func (w *sshWriter) settle() error {
	if err := w.order("say", "settled", ""); err != nil {
		return err
	}
	if _, open := <-w.replies; !open {
		return w.broken(io.ErrUnexpectedEOF)
	}
	return nil
}

// broken is what the other side said before it ended; err where it said nothing.
func (w *sshWriter) broken(err error) error {
	select {
	case <-w.done:
		if w.err != nil {
			return w.err
		}
	case <-time.After(time.Second):
	}
	return err
}
