package index

import (
	"bytes"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
)

// blockSize is how many bytes of plain text a block is cut to. A smaller one
// costs less to compress anew, a larger one compresses better.
const blockSize = 64 << 10

// block is a run of records, of at least one, or the head or foot of a text,
// which have no key. Nothing in it changes but the compressed forms, which are
// made when they are first wanted.
type block struct {
	first string // key of the first record
	count int    // of records
	size  int    // bytes of plain text
	plain []byte // nil when only gzip is at hand

	mu         sync.Mutex
	gzip, zstd []byte // nil when not known yet
}

// load returns the plain text. Inflaters are kept in pool, which may be nil.
func (b *block) load(l Layout, pool *sync.Pool) ([]byte, error) {
	if b.plain != nil {
		return b.plain, nil
	}
	b.mu.Lock()
	packed := b.gzip
	b.mu.Unlock()
	plain, err := gunzipBlock(packed, b.size, pool)
	if err != nil {
		return nil, err
	}
	if head, _ := l.Split(plain); len(head) == 0 || l.Key(head) != b.first {
		return nil, fmt.Errorf("%w: a block does not start with %q", ErrDamaged, b.first)
	}
	return plain, nil
}

// with is the same block with its plain text at hand.
func (b *block) with(plain []byte) *block {
	b.mu.Lock()
	defer b.mu.Unlock()
	return &block{first: b.first, count: b.count, size: b.size, plain: plain, gzip: b.gzip, zstd: b.zstd}
}

// chunk makes blocks of one size of records, which are sorted.
func chunk(records []record) []*block {
	size := 0
	for _, r := range records {
		size += len(r.text)
	}
	pieces := max(1, size/blockSize)
	var blocks []*block
	start, length := 0, 0
	for i, r := range records {
		length += len(r.text)
		if length >= (size+pieces-1)/pieces || i == len(records)-1 {
			blocks = append(blocks, newBlock(records[start:i+1], length))
			start, length = i+1, 0
		}
	}
	return blocks
}

func newBlock(records []record, size int) *block {
	plain := bytes.NewBuffer(make([]byte, 0, size))
	for _, r := range records {
		plain.Write(r.text)
	}
	return &block{first: records[0].key, count: len(records), size: size, plain: plain.Bytes()}
}

// frame is a head or a foot as a block, or an empty one.
func frame(text []byte) *block {
	if text == nil {
		text = []byte{}
	}
	return &block{size: len(text), plain: text}
}

// each runs the function that worker makes, one for each processor, for the
// numbers below n. It returns one of the errors, after which it starts no more.
func each(n int, worker func() func(i int) error) error {
	var next atomic.Int64
	var failed atomic.Pointer[error]
	var wait sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		wait.Go(func() {
			f := worker()
			for i := int(next.Add(1)) - 1; i < n && failed.Load() == nil; i = int(next.Add(1)) - 1 {
				if err := f(i); err != nil {
					failed.CompareAndSwap(nil, &err)
				}
			}
		})
	}
	wait.Wait()
	if err := failed.Load(); err != nil {
		return *err
	}
	return nil
}
