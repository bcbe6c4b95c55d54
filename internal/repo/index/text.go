package index

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"strings"
	"sync"
)

// ErrDamaged: what was read is not an index of this layout.
var ErrDamaged = errors.New("not an index of packages")

// Layout is how one kind of index is written. Its functions are pure.
type Layout struct {
	// Head and Foot are what comes before and after the records, given their
	// number; nil when there is nothing.
	Head, Foot func(count int) []byte
	// Split cuts the first record off a text that starts with one. An empty
	// record means that the text does not. The record may differ from the text
	// where that was written in another way, so that it is as Edit takes it.
	Split func(text []byte) (record, rest []byte)
	// Key is what a record is sorted by, in byte order, and unique in an index:
	// at least one and at most MaxKey bytes.
	Key func(record []byte) string
}

// MaxKey is how long a key may be, in bytes.
const MaxKey = 16 << 10

// Text is a sorted list of records in blocks of about 64 KiB, each of which is
// compressed on its own. It never changes, so that all its methods may be
// called at the same time; nobody may change the bytes that it gives out.
//
// The zero value is not ready to use: start with [New] or [Decode].
type Text struct {
	layout Layout
	blocks []*block // by their first keys
}

// New is a text without records.
func New(l Layout) *Text { return &Text{layout: l} }

// Count is the number of records.
func (t *Text) Count() int {
	n := 0
	for _, b := range t.blocks {
		n += b.count
	}
	return n
}

// Get finds a record by its key. It looks into one block only.
func (t *Text) Get(key string) (record []byte, found bool, err error) {
	for record, err := range t.Range(key, key+"\x00") {
		return record, err == nil, err
	}
	return nil, false, nil
}

// All yields every record in the order of their keys. After an error it ends.
func (t *Text) All() iter.Seq2[[]byte, error] { return t.Range("", "") }

// Range yields the records with from <= key < to, in this order; "" as to is
// the end of the text. After an error it ends.
func (t *Text) Range(from, to string) iter.Seq2[[]byte, error] {
	start, end := t.find(from), len(t.blocks)
	if to != "" {
		end = max(start, t.after(to))
	}
	return func(yield func([]byte, error) bool) {
		for plain, err := range plains(t.layout, t.blocks[start:end]) {
			if err != nil {
				yield(nil, err)
				return
			}
			for r, err := range t.layout.records(plain) {
				switch {
				case err != nil:
					yield(nil, err)
					return
				case r.key < from:
				case to != "" && r.key >= to:
					return
				case !yield(r.text, nil):
					return
				}
			}
		}
	}
}

// Containing yields the records that have one of the needles in them, in order.
// It looks through all the text and splits only blocks that have any. After an
// error it ends.
func (t *Text) Containing(needles ...[]byte) iter.Seq2[[]byte, error] {
	in := func(text []byte) bool {
		return slices.ContainsFunc(needles, func(needle []byte) bool { return bytes.Contains(text, needle) })
	}
	return func(yield func([]byte, error) bool) {
		for plain, err := range plains(t.layout, t.blocks) {
			if err != nil {
				yield(nil, err)
				return
			}
			if !in(plain) {
				continue
			}
			for r, err := range t.layout.records(plain) {
				if err == nil && !in(r.text) {
					continue
				}
				if !yield(r.text, err) || err != nil {
					return
				}
			}
		}
	}
}

// Inflated is the same text with all of it in memory, which is quicker for who
// goes through it more than once.
func (t *Text) Inflated() (*Text, error) {
	blocks := make([]*block, 0, len(t.blocks))
	for plain, err := range plains(t.layout, t.blocks) {
		if err != nil {
			return nil, err
		}
		blocks = append(blocks, t.blocks[len(blocks)].with(plain))
	}
	return &Text{layout: t.layout, blocks: blocks}, nil
}

// find is the number of the block that has the key, or would have it.
func (t *Text) find(key string) int {
	i := t.after(key)
	if i > 0 && (i == len(t.blocks) || t.blocks[i].first > key) {
		i--
	}
	return i
}

// after is the number of blocks that start before the key.
func (t *Text) after(key string) int {
	i, _ := slices.BinarySearchFunc(t.blocks, key, func(b *block, key string) int { return strings.Compare(b.first, key) })
	return i
}

// record is one record with its key.
type record struct {
	key  string
	text []byte
}

// records splits a text. After an error it ends.
func (l Layout) records(text []byte) iter.Seq2[record, error] {
	return func(yield func(record, error) bool) {
		for len(text) > 0 {
			head, rest := l.Split(text)
			if len(head) == 0 || len(rest) >= len(text) {
				yield(record{}, fmt.Errorf("%w: %.60q is not a record", ErrDamaged, text))
				return
			}
			r := record{l.Key(head), head}
			if r.key == "" || len(r.key) > MaxKey {
				yield(record{}, fmt.Errorf("%w: record %.60q has no key", ErrDamaged, head))
				return
			}
			if !yield(r, nil) {
				return
			}
			text = rest
		}
	}
}

// plains yields the texts of blocks in order, while the next ones are being
// inflated. After an error it ends.
func plains(l Layout, blocks []*block) iter.Seq2[[]byte, error] {
	type result struct {
		plain []byte
		err   error
	}
	return func(yield func([]byte, error) bool) {
		if len(blocks) < 2 || !slices.ContainsFunc(blocks, func(b *block) bool { return b.plain == nil }) {
			for _, b := range blocks {
				if plain, err := b.load(l, nil); !yield(plain, err) || err != nil {
					return
				}
			}
			return
		}
		ahead := make(chan chan result, 2*runtime.GOMAXPROCS(0)) // bounds what is in memory
		stop := make(chan struct{})
		defer close(stop)
		go func() {
			defer close(ahead)
			var inflaters sync.Pool
			for _, b := range blocks {
				c := make(chan result, 1)
				select {
				case ahead <- c:
				case <-stop:
					return
				}
				go func() {
					plain, err := b.load(l, &inflaters)
					c <- result{plain, err}
				}()
			}
		}()
		for c := range ahead {
			r := <-c
			if !yield(r.plain, r.err) || r.err != nil {
				return
			}
		}
	}
}
