package apt

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"

	"github.com/kinectl/kinectl/internal/repo/index"
	"github.com/kinectl/kinectl/internal/repo/storage"
)

// list is one index of a suite: the Packages or Contents of an architecture. It
// is read when it is first asked for.
type list struct {
	path   string // relative to the suite, without a suffix
	layout index.Layout
	stored index.Forms // in which it is written
	from   source      // whose Release names the files; zero for a list that Apply made

	mu     sync.Mutex
	packed index.Packed // what was read
	text   *index.Text  // nil until something was
	whole  bool         // the text is all in memory
}

// source is where the files of a state are read.
type source struct {
	reader  storage.Reader // nil for what was not read
	release Release
}

func newPackages(arch string, from source) *list {
	return &list{path: Component + "/binary-" + arch + "/Packages", layout: packagesLayout(), stored: index.Plain | index.Gzip | index.Zstd, from: from}
}

func newContents(arch string, from source) *list {
	return &list{path: Component + "/Contents-" + arch, layout: contentsLayout(), stored: index.Gzip, from: from}
}

var forms = [...]struct {
	form   index.Forms
	suffix string
}{{index.Plain, ""}, {index.Gzip, ".gz"}, {index.Zstd, ".zst"}}

func suffix(form index.Forms) string {
	for _, f := range forms {
		if f.form == form {
			return f.suffix
		}
	}
	return ""
}

// read returns the text, from the first of these forms that the state has when
// none was read before. A list that the state has not got is empty.
func (l *list) read(ctx context.Context, order ...index.Forms) (*index.Text, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.text != nil {
		return l.text, nil
	}
	for _, form := range order {
		if _, found := l.from.release.File(l.path + suffix(form)); found {
			err := l.fetch(ctx, form)
			return l.text, err
		}
	}
	l.text = index.New(l.layout)
	return l.text, nil
}

// editable returns the text as it is to be edited: with the bytes of every form
// that is stored, so that no block is packed again that stays as it is.
func (l *list) editable(ctx context.Context) (*index.Text, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.fetch(ctx, l.stored); err != nil {
		return nil, err
	}
	if l.stored&index.Plain == 0 && !l.whole {
		text, err := l.text.Inflated() // to be searched, and then hashed
		if err != nil {
			return nil, l.damaged(err)
		}
		l.text, l.whole = text, true
	}
	return l.text, nil
}

// fetch reads those of the forms that the state has and that were not read yet.
func (l *list) fetch(ctx context.Context, want index.Forms) error {
	bodies := [...]*[]byte{&l.packed.Plain, &l.packed.Gzip, &l.packed.Zstd}
	var tasks []func() error
	for i, f := range forms {
		file, found := l.from.release.File(l.path + f.suffix)
		if want&f.form != 0 && found && *bodies[i] == nil && l.from.reader != nil {
			tasks = append(tasks, func() (err error) {
				*bodies[i], err = l.from.get(ctx, file)
				return err
			})
		}
	}
	if err := together(tasks...); err != nil {
		return err
	}
	switch {
	case len(tasks) > 0:
		text, err := index.Decode(l.layout, l.packed)
		if err != nil {
			return l.damaged(err)
		}
		l.text = text
	case l.text == nil:
		l.text = index.New(l.layout)
	}
	return nil
}

// damaged marks what the index package found to be unreadable.
func (l *list) damaged(err error) error {
	if errors.Is(err, index.ErrDamaged) {
		return &kind{ErrDamaged, fmt.Errorf("%s: %w", suitePath(l.from.release.Suite, l.path), err)}
	}
	return err
}

// get reads an index under its digest, and checks it: a publication that
// happens meanwhile does no harm. Anything else in its place is ErrDamaged.
func (s source) get(ctx context.Context, f File) ([]byte, error) {
	name := suitePath(s.release.Suite, byHashPath(f.Path, f.SHA256))
	if f.Size > maxIndex {
		return nil, fmt.Errorf("%s: more than %d bytes: %w", name, maxIndex, ErrDamaged)
	}
	in, err := s.reader.Open(ctx, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s is missing: %w", name, ErrDamaged)
	case err != nil:
		return nil, err
	}
	defer in.Close()
	body := make([]byte, f.Size)
	n, err := io.ReadFull(in, body)
	if err == nil {
		_, err = io.ReadFull(in, make([]byte, 1)) // there must be no more
	}
	switch sum := sha256.Sum256(body); {
	case err == nil, errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF) && (int64(n) != f.Size || hex.EncodeToString(sum[:]) != f.SHA256):
		return nil, fmt.Errorf("%s: %w", name, ErrDamaged)
	case !errors.Is(err, io.EOF):
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return body, nil
}

// together runs tasks at the same time and returns all their errors.
func together(tasks ...func() error) error {
	faults := make([]error, len(tasks))
	var running sync.WaitGroup
	for i, task := range tasks {
		running.Go(func() { faults[i] = task() })
	}
	running.Wait()
	return errors.Join(faults...)
}
