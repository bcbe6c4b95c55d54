package storage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// writer is what a listing shows of one who has or wants the lock of a bucket.
type writer struct {
	id       string
	choosing bool
	ticket   uint64    // 0: none
	newest   time.Time // of its objects, by the server's clock
	names    []string  // of its objects
}

type writers []writer

func ticketName(number uint64, id string) string {
	return fmt.Sprintf("%s/%020d-%s", lockName, number, id)
}

// writersOf sorts the objects below .lock/ by whom they belong to. What nobody
// can have written is left out.
func writersOf(objects []Info) writers {
	var all writers
	for _, o := range objects {
		parts := strings.Split(path.Base(o.Name), "-")
		if len(parts) < 2 {
			continue
		}
		kind, id := parts[0], parts[1]
		number, err := strconv.ParseUint(kind, 10, 64)
		if kind != "choosing" && kind != "beat" && (err != nil || number == 0) {
			continue
		}
		i := slices.IndexFunc(all, func(w writer) bool { return w.id == id })
		if i < 0 {
			i, all = len(all), append(all, writer{id: id})
		}
		w := &all[i]
		w.names = append(w.names, o.Name)
		w.choosing = w.choosing || kind == "choosing"
		w.ticket = max(w.ticket, number)
		if o.Modified.After(w.newest) {
			w.newest = o.Modified
		}
	}
	return all
}

// find returns the writer id, which must be there.
func (all writers) find(id string) writer {
	return all[slices.IndexFunc(all, func(w writer) bool { return w.id == id })]
}

// last is the highest number that was given out.
func (all writers) last() (number uint64) {
	for _, w := range all {
		number = max(number, w.ticket)
	}
	return number
}

// others leaves out id, and whoever has been silent for longer than a lease
// when id showed its last sign of life. Servers that count seconds get one more.
func (all writers) others(id string, lease time.Duration) (alive, dead writers) {
	now := all.find(id).newest
	for _, w := range all {
		switch {
		case w.id == id:
		case now.Sub(w.newest) > lease+time.Second:
			dead = append(dead, w)
		default:
			alive = append(alive, w)
		}
	}
	return alive, dead
}

func (all writers) choosing() bool {
	return slices.ContainsFunc(all, func(w writer) bool { return w.choosing })
}

// before counts those that have their turn before own.
func (all writers) before(own writer) (n int) {
	for _, w := range all {
		if w.ticket != 0 && (w.ticket < own.ticket || w.ticket == own.ticket && w.id < own.id) {
			n++
		}
	}
	return n
}

// listWriters reads who has or wants the lock. The writer id has objects there:
// a listing without them is not to be believed.
func (s *s3) listWriters(ctx context.Context, id string) (writers, error) {
	var objects []Info
	for o, err := range s.objects(ctx, lockName+"/") {
		if err != nil {
			return nil, err
		}
		objects = append(objects, o)
	}
	all := writersOf(objects)
	if !slices.ContainsFunc(all, func(w writer) bool { return w.id == id }) {
		return nil, fmt.Errorf("%w: what this writer has just written is not in the listing", ErrLockLost)
	}
	return all, nil
}

// bury removes all that writers have, tickets first.
func (s *s3) bury(ctx context.Context, dead writers) error {
	for _, w := range dead {
		slices.Sort(w.names) // a number comes before a letter
		for _, name := range w.names {
			if err := s.drop(ctx, name); err != nil {
				return err
			}
		}
	}
	return nil
}

// mark writes one object of the lock. It says who, for people.
func (s *s3) mark(ctx context.Context, name string) error {
	host, err := os.Hostname()
	if err != nil {
		return err
	}
	return s.upload(ctx, Bytes(name, fmt.Appendf(nil, "%s, process %d\n", host, os.Getpid())), "")
}

// there is ErrLockLost when an object of the lock is gone; name may be "".
func (s *s3) there(ctx context.Context, name string) error {
	if name == "" {
		return nil
	}
	_, err := s.stat(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: another writer took this one for dead", ErrLockLost)
	}
	return err
}

// explainLock writes a note that stays. It also keeps the folder, which some
// servers remove with its last object, and then refuse a write that comes at
// the same moment.
func (s *s3) explainLock(ctx context.Context) error {
	note := Bytes(lockName+"/README", []byte("Writers of this repository take turns here. The objects with a number wait; the lowest one writes.\n"))
	if _, err := s.stat(ctx, note.Name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return s.upload(ctx, note, "")
}
