package rpmfile

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// value is an entry of a header that is to be written.
type value struct {
	tag         tag
	kind, count uint32
	data        []byte
}

func textValue(t tag, text string) value {
	return value{t, kindString, 1, append([]byte(text), 0)}
}

func binaryValue(t tag, data []byte) value {
	return value{t, kindBinary, uint32(len(data)), data}
}

// sizeValue is a number of bytes under the tag for 32 bits, or, when it needs
// more, under the other.
func sizeValue(short, long tag, n int64) value {
	if n < 1<<32 {
		return value{short, kindInt32, 1, binary.BigEndian.AppendUint32(nil, uint32(n))}
	}
	return value{long, kindInt64, 1, binary.BigEndian.AppendUint64(nil, uint64(n))}
}

// encodeHeader writes a header of one region, the values sorted by their tags
// and the whole filled up with zeros to a multiple of 8 bytes.
func encodeHeader(region tag, values []value) []byte {
	values = slices.SortedFunc(slices.Values(values), func(a, b value) int { return int(a.tag) - int(b.tag) })
	indexLength := entrySize * (len(values) + 1)
	var index, data []byte
	for _, v := range values {
		if size := int(itemSize(v.kind)); size > 1 {
			for len(data)%size != 0 {
				data = append(data, 0)
			}
		}
		index = appendEntry(index, v.tag, v.kind, uint32(len(data)), v.count)
		data = append(data, v.data...)
	}
	first := appendEntry(nil, region, kindBinary, uint32(len(data)), entrySize)
	data = appendEntry(data, region, kindBinary, uint32(-indexLength), entrySize)

	h := bytes.Clone(headerMagic)
	h = binary.BigEndian.AppendUint32(h, uint32(len(values)+1))
	h = binary.BigEndian.AppendUint32(h, uint32(len(data)))
	h = slices.Concat(h, first, index, data)
	return append(h, make([]byte, aligned(int64(len(h)))-int64(len(h)))...)
}

func appendEntry(b []byte, t tag, numbers ...uint32) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(t))
	for _, n := range numbers {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	return b
}

// encodeLead writes the lead. rpm looks at the magic, the version and the type
// of signature only; file(1) shows more of it.
func encodeLead(name, arch string) []byte {
	lead := make([]byte, leadSize)
	copy(lead, leadMagic)
	lead[4] = 3
	binary.BigEndian.PutUint16(lead[8:], leadArch(arch))
	copy(lead[10:75], name)
	binary.BigEndian.PutUint16(lead[76:], 1) // Linux
	binary.BigEndian.PutUint16(lead[78:], 5) // a signature header follows
	return lead
}

// leadArch is rpm's number of an architecture: arch_canon of its rpmrc.
func leadArch(arch string) uint16 {
	switch arch {
	case "x86_64", "i386", "i486", "i586", "i686":
		return 1
	case "aarch64":
		return 19
	case "ppc64", "ppc64le":
		return 16
	case "s390x":
		return 15
	case "riscv64":
		return 22
	}
	return 255 // noarch, and all that has no number here
}

// keepFileSignatures are the values of a signature header that are about
// single files (IMA, fs-verity), not about the package.
func keepFileSignatures(signature *header) []value {
	var kept []value
	for _, t := range []tag{sigFileSignatures, sigFileLength, sigVerity, sigVerityAlgorithm} {
		if e, found := signature.entries[t]; found {
			kept = append(kept, value{t, e.kind, e.count, bytes.Clone(signature.data[e.offset : e.offset+e.length])})
		}
	}
	return kept
}
