package rpmfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// A header is rpm's store of values: an intro, an index of 16 bytes an entry,
// and the data that the index points into, all big-endian
// (docs/manual/format_header.md of rpm). A package has two of them.
type header struct {
	raw     []byte // the whole, from its magic to the end of its data
	data    []byte // the end of raw
	entries map[tag]entry
}

// entry is one value: count items of kind, the first at offset of the data.
type entry struct {
	kind, offset, count uint32
	length              uint32 // bytes in the data
}

const (
	introSize = 16
	entrySize = 16

	// The bounds of a header. rpm's own are 65,535 entries, 256 MiB of data and
	// a million items in a list; packages with the most files there are (the
	// TeX collections) stay below 30 MiB.
	maxEntries       = 0xffff
	maxData          = 64 << 20
	maxItems         = 0xfffff
	maxSignatureData = 64 << 20 // signatures of single files live there too
)

var headerMagic = []byte{0x8e, 0xad, 0xe8, 1, 0, 0, 0, 0}

// The types of values.
const (
	kindChar        = 1
	kindInt8        = 2
	kindInt16       = 3
	kindInt32       = 4
	kindInt64       = 5
	kindString      = 6
	kindBinary      = 7
	kindStringArray = 8
	kindI18NString  = 9 // a string array, one item a locale; the first is C
)

// itemSize is the bytes of one item; 0 for strings, which end at a NUL.
func itemSize(kind uint32) uint32 {
	return [10]uint32{kindChar: 1, kindInt8: 1, kindInt16: 2, kindInt32: 4, kindInt64: 8, kindBinary: 1}[kind]
}

// readHeader reads the header that starts at offset. region is the tag that
// spans all of it (see checkRegion). Its length is held against what the
// source has before anything is allocated.
func readHeader(r Source, offset int64, region tag, limit uint32) (*header, error) {
	intro := make([]byte, introSize)
	if _, err := io.ReadFull(io.NewSectionReader(r, offset, introSize), intro); err != nil {
		return nil, cutOff(err)
	}
	if !bytes.Equal(intro[:8], headerMagic) {
		return nil, fmt.Errorf("no header at byte %d", offset)
	}
	entries, size := binary.BigEndian.Uint32(intro[8:]), binary.BigEndian.Uint32(intro[12:])
	if entries < 1 || entries > maxEntries || size > limit {
		return nil, fmt.Errorf("%d entries and %d bytes of data are not plausible", entries, size)
	}
	length := introSize + entrySize*int64(entries) + int64(size)
	if length > r.Size()-offset {
		return nil, cutOff(io.ErrUnexpectedEOF)
	}
	raw := make([]byte, length)
	if _, err := io.ReadFull(io.NewSectionReader(r, offset, length), raw); err != nil {
		return nil, cutOff(err)
	}
	h := &header{raw: raw, data: raw[length-int64(size):], entries: make(map[tag]entry, entries)}
	index := raw[introSize : length-int64(size)]
	if err := h.checkRegion(index, region); err != nil {
		return nil, err
	}
	return h, h.readIndex(index)
}

// checkRegion checks the first entry, which says that the header is one
// unchangeable region: its data is a copy of itself at the data's very end,
// with the index's length, negative, as its offset.
func (h *header) checkRegion(index []byte, region tag) error {
	first, at := decodeEntry(index)
	if first != region {
		if region == tagSignatures {
			return nil // rpm 4.0 had none there
		}
		return errors.New("no immutable region: the package was made by rpm 3 or older")
	}
	if at.kind != kindBinary || at.count != entrySize || uint64(at.offset)+entrySize != uint64(len(h.data)) {
		return errors.New("the region's entry is damaged")
	}
	own, trailer := decodeEntry(h.data[at.offset:])
	if own == tagHeaderImage && region == tagSignatures {
		own = region // as old rpm wrote it
	}
	if own != region || trailer.kind != kindBinary || trailer.count != entrySize || int64(int32(trailer.offset)) != -int64(len(index)) {
		return errors.New("the region's trailer is damaged")
	}
	return nil
}

// readIndex checks every entry as rpm does: known types, aligned, in bounds,
// in the order of their data, none over another.
func (h *header) readIndex(index []byte) error {
	var end uint64
	for i := 0; i < len(index); i += entrySize {
		t, e := decodeEntry(index[i:])
		if t == tagSignatures || t == tagImmutable {
			if i > 0 {
				return fmt.Errorf("entry %d: a second region", i/entrySize)
			}
			continue
		}
		fault := func(what string) error {
			return fmt.Errorf("entry %d, tag %d: %s", i/entrySize, t, what)
		}
		if e.kind < kindChar || e.kind > kindI18NString {
			return fault("unknown type")
		}
		size := itemSize(e.kind)
		if size > 1 && e.offset%size != 0 {
			return fault("not aligned")
		}
		if e.count < 1 || uint64(e.count) > uint64(len(h.data)) || e.kind != kindBinary && e.count > maxItems {
			return fault("count is not plausible")
		}
		if uint64(e.offset) < end || uint64(e.offset) > uint64(len(h.data)) {
			return fault("data lies where it must not")
		}
		length, ok := dataLength(h.data[e.offset:], e.kind, e.count)
		if !ok {
			return fault("cut off")
		}
		e.length = uint32(length)
		end = uint64(e.offset) + length
		if _, twice := h.entries[t]; twice {
			return fault("given twice")
		}
		h.entries[t] = e
	}
	return nil
}

// dataLength is how many bytes of data the items take, and whether they are there.
func dataLength(data []byte, kind, count uint32) (length uint64, ok bool) {
	if size := itemSize(kind); size > 0 {
		length = uint64(size) * uint64(count)
		return length, length <= uint64(len(data))
	}
	if kind == kindString && count != 1 {
		return 0, false
	}
	for range count {
		n := bytes.IndexByte(data[length:], 0)
		if n < 0 {
			return 0, false
		}
		length += uint64(n) + 1
	}
	return length, true
}

func decodeEntry(b []byte) (tag, entry) {
	return tag(binary.BigEndian.Uint32(b)), entry{
		kind:   binary.BigEndian.Uint32(b[4:]),
		offset: binary.BigEndian.Uint32(b[8:]),
		count:  binary.BigEndian.Uint32(b[12:]),
	}
}

// cutOff says of a read that ended too early what it means.
func cutOff(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("cut off")
	}
	return err
}
