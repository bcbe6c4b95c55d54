package index

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// Edit is the text with the records put in and those with the keys remove taken
// out. A record replaces the one with its key; one key both removed and put is
// put. Blocks that it does not touch are shared with t, which stays as it was.
func (t *Text) Edit(put [][]byte, remove []string) (*Text, error) {
	changes := make([]record, 0, len(put)+len(remove))
	for _, text := range put {
		changes = append(changes, record{t.layout.Key(text), text})
	}
	slices.Reverse(changes) // the last one of a key comes first, and stays
	for _, key := range remove {
		changes = append(changes, record{key: key})
	}
	return t.edit(changes, func(change record, _ []byte) []byte { return change.text })
}

// Update is the text with every record of these keys changed: change is given
// the record that is there, or nil, and returns the one that is to be there, or
// nil for none. It is called once a key, in no order, and by many at once.
func (t *Text) Update(keys []string, change func(key string, old []byte) []byte) (*Text, error) {
	changes := make([]record, len(keys))
	for i, key := range keys {
		changes[i] = record{key: key}
	}
	return t.edit(changes, func(r record, old []byte) []byte { return change(r.key, old) })
}

// decide gives the text that a change makes of an old one.
type decide func(change record, old []byte) []byte

func (t *Text) edit(changes []record, decide decide) (*Text, error) {
	slices.SortStableFunc(changes, func(a, b record) int { return strings.Compare(a.key, b.key) })
	changes = slices.CompactFunc(changes, func(a, b record) bool { return a.key == b.key })
	jobs := t.jobs(changes)
	err := each(len(jobs), func() func(int) error {
		return func(i int) (err error) {
			jobs[i].result, err = t.layout.merge(jobs[i].block, jobs[i].changes, decide)
			return err
		}
	})
	if err != nil {
		return nil, err
	}
	next := &Text{layout: t.layout, blocks: make([]*block, 0, len(t.blocks)+len(jobs))}
	at := 0
	for _, j := range jobs {
		next.blocks = append(next.blocks, t.blocks[at:j.at]...)
		next.blocks = append(next.blocks, j.result...)
		at = min(j.at+1, len(t.blocks))
	}
	next.blocks = append(next.blocks, t.blocks[at:]...)
	if len(jobs) > 0 {
		next.blocks, err = t.layout.joinSmall(next.blocks)
	}
	return next, err
}

// job is the changes of one block, and what comes of them.
type job struct {
	at      int    // number of the block
	block   *block // nil in a text without blocks
	changes []record
	result  []*block
}

// jobs sorts changes by the blocks that they belong to.
func (t *Text) jobs(changes []record) []job {
	if len(t.blocks) == 0 && len(changes) > 0 {
		return []job{{changes: changes}}
	}
	var jobs []job
	for len(changes) > 0 {
		at := t.find(changes[0].key)
		end := len(changes)
		if at+1 < len(t.blocks) {
			end, _ = slices.BinarySearchFunc(changes, t.blocks[at+1].first, func(r record, key string) int { return strings.Compare(r.key, key) })
		}
		jobs = append(jobs, job{at: at, block: t.blocks[at], changes: changes[:end]})
		changes = changes[end:]
	}
	return jobs
}

// merge applies changes to a block, or to none: the same block when they change
// nothing, and otherwise none, one or more new ones.
func (l Layout) merge(b *block, changes []record, decide decide) ([]*block, error) {
	var merged []record
	size, changed := 0, false
	add := func(r record) {
		merged = append(merged, r)
		size += len(r.text)
	}
	apply := func(change record, old []byte) error {
		text := decide(change, old)
		changed = changed || !bytes.Equal(text, old)
		if text == nil {
			return nil
		}
		add(record{change.key, text})
		return l.check(change.key, text)
	}
	if b != nil {
		plain, err := b.load(l, nil)
		if err != nil {
			return nil, err
		}
		for old, err := range l.records(plain) {
			for err == nil && len(changes) > 0 && changes[0].key < old.key {
				err = apply(changes[0], nil)
				changes = changes[1:]
			}
			switch {
			case err != nil:
			case len(changes) > 0 && changes[0].key == old.key:
				err = apply(changes[0], old.text)
				changes = changes[1:]
			default:
				add(old)
			}
			if err != nil {
				return nil, err
			}
		}
	}
	for _, change := range changes {
		if err := apply(change, nil); err != nil {
			return nil, err
		}
	}
	switch {
	case !changed && b != nil:
		return []*block{b}, nil
	case len(merged) == 0:
		return nil, nil
	case size <= 2*blockSize:
		return []*block{newBlock(merged, size)}, nil
	}
	return chunk(merged), nil
}

// check refuses what would not read back as the record of this key.
func (l Layout) check(key string, text []byte) error {
	head, rest := l.Split(text)
	switch {
	case len(text) == 0 || len(rest) > 0 || !bytes.Equal(head, text):
		return fmt.Errorf("%.60q is not one record", text)
	case key == "" || len(key) > MaxKey || l.Key(text) != key:
		return fmt.Errorf("record %.60q: its key is not %.60q, or not of 1 to %d bytes", text, key, MaxKey)
	}
	return nil
}

// joinSmall joins blocks of which little is left with the one before, so that
// removals do not leave a text in crumbs.
func (l Layout) joinSmall(blocks []*block) ([]*block, error) {
	const small = blockSize / 4
	joined := make([]*block, 0, len(blocks))
	for _, b := range blocks {
		n := len(joined)
		if n == 0 || b.size >= small && joined[n-1].size >= small {
			joined = append(joined, b)
			continue
		}
		plain, err := b.load(l, nil)
		if err != nil {
			return nil, err
		}
		var records []record
		for r, err := range l.records(plain) {
			if err != nil {
				return nil, err
			}
			records = append(records, r)
		}
		result, err := l.merge(joined[n-1], records, func(r record, _ []byte) []byte { return r.text })
		if err != nil {
			return nil, err
		}
		joined = append(joined[:n-1], result...)
	}
	return joined, nil
}
