package index

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"slices"
)

// Forms is a set of the forms in which a text is stored.
type Forms uint

const (
	Plain Forms = 1 << iota
	Gzip
	Zstd
)

// Packed is a text in its forms; one that is not there is nil. Gzip is a member
// (RFC 1952 2.2) and Zstd a frame (RFC 8878 3.1) for every block.
type Packed struct {
	Plain, Gzip, Zstd []byte
}

// Pack returns the text in the forms asked for. Only blocks that are new are
// compressed, on all processors; the same blocks give the same bytes.
func (t *Text) Pack(forms Forms) (Packed, error) {
	var p Packed
	for form, to := range map[Forms]*[]byte{Plain: &p.Plain, Gzip: &p.Gzip, Zstd: &p.Zstd} {
		if forms&form == 0 {
			continue
		}
		body, err := t.Body(form)
		if err != nil {
			return Packed{}, err
		}
		*to = slices.Concat([][]byte(body)...)
		if *to == nil {
			*to = []byte{}
		}
	}
	return p, nil
}

// Body returns the text in one form, as Pack does, without a copy of it. A
// text whose blocks were read packed is inflated whole for Plain.
func (t *Text) Body(form Forms) (Body, error) {
	blocks := t.framed()
	body := make(Body, len(blocks))
	err := each(len(blocks), func() func(int) error {
		pack := newPacker(t.layout, form)
		return func(i int) (err error) {
			body[i], err = pack(blocks[i])
			return err
		}
	})
	return body, err
}

// PlainSum is the length in bytes and the SHA-256, in lower-case hexadecimal,
// of the plain text, which it never holds whole.
func (t *Text) PlainSum() (size int64, sum string, err error) {
	hash := sha256.New()
	write := func(plain []byte) {
		hash.Write(plain)
		size += int64(len(plain))
	}
	if t.layout.Head != nil {
		write(t.layout.Head(t.Count()))
	}
	for plain, err := range plains(t.layout, t.blocks) {
		if err != nil {
			return 0, "", err
		}
		write(plain)
	}
	if t.layout.Foot != nil {
		write(t.layout.Foot(t.Count()))
	}
	return size, hex.EncodeToString(hash.Sum(nil)), nil
}

// framed are the blocks with head and foot, and never none: no bytes at all
// would be neither gzip nor zstd.
func (t *Text) framed() []*block {
	blocks := make([]*block, 0, len(t.blocks)+2)
	if t.layout.Head != nil {
		blocks = append(blocks, frame(t.layout.Head(t.Count())))
	}
	blocks = append(blocks, t.blocks...)
	if t.layout.Foot != nil {
		blocks = append(blocks, frame(t.layout.Foot(t.Count())))
	}
	if len(blocks) == 0 {
		blocks = append(blocks, frame(nil))
	}
	return blocks
}

// Body is the content of a file, in pieces that nobody may change.
type Body [][]byte

// Size is the length in bytes.
func (b Body) Size() int64 {
	size := int64(0)
	for _, piece := range b {
		size += int64(len(piece))
	}
	return size
}

// SHA256 is the digest in lower-case hexadecimal.
func (b Body) SHA256() string {
	hash := sha256.New()
	for _, piece := range b {
		hash.Write(piece)
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// Open reads the content; it may be called any number of times, and never fails.
func (b Body) Open() (io.ReadCloser, error) {
	readers := make([]io.Reader, len(b))
	for i, piece := range b {
		readers[i] = bytes.NewReader(piece)
	}
	return io.NopCloser(io.MultiReader(readers...)), nil
}
