package index

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// maxText bounds what a text inflates to, in bytes: some 800,000 packages.
const maxText = 512 << 20

// Decode reads a text that Pack wrote, or any other text of the layout. The
// forms must be those of one text; one form is enough, and those that are
// missing are made again when they are wanted. The bytes are kept, not copied.
//
// From Gzip written by Pack it takes the blocks without inflating any: a
// damaged one comes out when it is used. Anything else is read whole and cut
// into new blocks; that must have neither head nor foot.
func Decode(l Layout, p Packed) (*Text, error) {
	blocks, ok := members(p.Gzip)
	if !ok {
		plain, err := p.inflate()
		if err != nil {
			return nil, err
		}
		return whole(l, plain)
	}
	if err := attachPlain(blocks, p.Plain); err != nil {
		return nil, err
	}
	attachZstd(blocks, p.Zstd)
	blocks = slices.DeleteFunc(blocks, func(b *block) bool { return b.count == 0 }) // head, foot, nothing
	if !slices.IsSortedFunc(blocks, func(a, b *block) int { return strings.Compare(a.first, b.first) }) {
		return nil, fmt.Errorf("%w: the blocks are not sorted", ErrDamaged)
	}
	return &Text{layout: l, blocks: blocks}, nil
}

// whole cuts a plain text into blocks.
func whole(l Layout, plain []byte) (*Text, error) {
	if l.Head != nil || l.Foot != nil {
		return nil, fmt.Errorf("%w: not written in blocks", ErrDamaged)
	}
	var records []record
	for r, err := range l.records(plain) {
		if err != nil {
			return nil, err
		}
		records = append(records, r)
	}
	slices.SortFunc(records, func(a, b record) int { return strings.Compare(a.key, b.key) })
	for i := 1; i < len(records); i++ {
		if records[i].key == records[i-1].key {
			return nil, fmt.Errorf("%w: %.60q is there twice", ErrDamaged, records[i].key)
		}
	}
	return &Text{layout: l, blocks: chunk(records)}, nil
}

// members walks gzip members by their extra fields. It is false when any of
// them is not one that gzipBlock wrote.
func members(packed []byte) (blocks []*block, ok bool) {
	for len(packed) > 0 {
		if len(packed) < keyAt+memberFooter || packed[0] != 0x1f || packed[1] != 0x8b || packed[2] != 8 || packed[3] != 4 ||
			string(packed[12:14]) != subfield {
			return nil, false
		}
		extra, key := binary.LittleEndian.Uint16(packed[10:]), int(binary.LittleEndian.Uint16(packed[14:]))-8
		length, count := uint64(binary.LittleEndian.Uint32(packed[memberAt:])), binary.LittleEndian.Uint32(packed[countAt:])
		if key < 0 || int(extra) != key+12 || length < uint64(keyAt+key+memberFooter) || length > uint64(len(packed)) || (count == 0) != (key == 0) {
			return nil, false
		}
		member := packed[:length:length]
		size := uint64(binary.LittleEndian.Uint32(member[length-4:]))
		if size > 1032*length || uint64(count) > size { // deflate packs no better
			return nil, false
		}
		blocks = append(blocks, &block{first: string(member[keyAt : keyAt+key]), count: int(count), size: int(size), gzip: member})
		packed = packed[length:]
	}
	return blocks, len(blocks) > 0
}

// attachPlain gives every block its part of the plain text, if there is one.
func attachPlain(blocks []*block, plain []byte) error {
	if plain == nil {
		return nil
	}
	for _, b := range blocks {
		if b.size > len(plain) {
			return fmt.Errorf("%w: the plain text is shorter than the packed one", ErrDamaged)
		}
		b.plain, plain = plain[:b.size:b.size], plain[b.size:]
	}
	if len(plain) > 0 {
		return fmt.Errorf("%w: the plain text is longer than the packed one", ErrDamaged)
	}
	return nil
}

// attachZstd gives every block its frame, if there is one for each.
func attachZstd(blocks []*block, packed []byte) {
	frames := make([][]byte, 0, len(blocks))
	for _, b := range blocks {
		length, size, ok := frameLength(packed)
		if !ok || size != uint64(b.size) {
			return
		}
		frames = append(frames, packed[:length:length])
		packed = packed[length:]
	}
	if len(packed) > 0 {
		return
	}
	for i, b := range blocks {
		b.zstd = frames[i]
	}
}

// frameLength is the length of the first zstd frame, RFC 8878 3.1.1, and the
// size of its content, which the frame must tell.
func frameLength(packed []byte) (length int, size uint64, ok bool) {
	var h zstd.Header
	if err := h.Decode(packed); err != nil || h.Skippable || !h.HasFCS {
		return 0, 0, false
	}
	at := h.HeaderSize
	for last := false; !last; {
		if at+3 > len(packed) {
			return 0, 0, false
		}
		header := uint32(packed[at]) | uint32(packed[at+1])<<8 | uint32(packed[at+2])<<16
		last = header&1 != 0
		at += 3
		switch kind := header >> 1 & 3; kind {
		case 1: // one byte, repeated
			at++
		default:
			at += int(header >> 3)
		}
	}
	if h.HasCheckSum {
		at += 4
	}
	return at, h.FrameContentSize, at <= len(packed)
}

// inflate returns the plain text from the form that is the quickest to read.
func (p Packed) inflate() ([]byte, error) {
	var r io.Reader
	switch {
	case p.Plain != nil:
		return p.Plain, nil
	case p.Zstd != nil:
		d, err := zstd.NewReader(bytes.NewReader(p.Zstd), zstd.WithDecoderMaxMemory(maxText))
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		defer d.Close()
		r = d
	case p.Gzip != nil:
		d, err := gzip.NewReader(bytes.NewReader(p.Gzip))
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		r = d
	default:
		return nil, fmt.Errorf("%w: there is nothing", ErrDamaged)
	}
	plain, err := io.ReadAll(io.LimitReader(r, maxText+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if len(plain) > maxText {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrDamaged, maxText)
	}
	return plain, nil
}
