package debfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// member is one file of an ar archive: its name and where its content lies.
type member struct {
	name         string
	offset, size int64
}

const (
	arMagic      = "!<arch>\n"
	arHeaderSize = 60
	arHeaderEnd  = "`\n"
)

// readMembers lists the members of an ar archive of size bytes, in order. It
// reads headers only. An archive that ends too early, or whose headers are not
// where they must be, is an error. Format: ar(5), the common variant that
// deb(5) prescribes, so without long names.
func readMembers(r io.ReaderAt, size int64) ([]member, error) {
	magic := make([]byte, len(arMagic))
	if _, err := r.ReadAt(magic, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if !bytes.Equal(magic, []byte(arMagic)) {
		return nil, errors.New("not an ar archive")
	}
	var members []member
	for offset := int64(len(arMagic)); offset < size; {
		header := make([]byte, arHeaderSize)
		if n, err := r.ReadAt(header, offset); n < arHeaderSize {
			if err != nil && !errors.Is(err, io.EOF) {
				return nil, err
			}
			return nil, fmt.Errorf("cut off inside the header of member %d", len(members)+1)
		}
		if string(header[58:]) != arHeaderEnd {
			return nil, fmt.Errorf("no ar header at byte %d", offset)
		}
		name := strings.TrimSuffix(strings.TrimRight(string(header[:16]), " "), "/")
		length, err := strconv.ParseInt(strings.TrimRight(string(header[48:58]), " "), 10, 64)
		if err != nil || length < 0 {
			return nil, fmt.Errorf("member %q has no valid size", name)
		}
		offset += arHeaderSize
		if length > size-offset {
			return nil, fmt.Errorf("cut off: member %q has %d of its %d bytes", name, size-offset, length)
		}
		members = append(members, member{name, offset, length})
		offset += length + length%2 // members start at even bytes
	}
	return members, nil
}
