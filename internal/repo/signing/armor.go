package signing

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
)

// nextBlock cuts the first armored block out of text, RFC 9580 6.2, and
// returns what follows it; the library reads the first of a file only. A
// block without an end is all of the rest. Without a block it is nil.
func nextBlock(text []byte) (block, rest []byte) {
	begin := lineWith(text, "-----BEGIN PGP ")
	if begin < 0 {
		return nil, nil
	}
	text = text[begin:]
	end := lineWith(text, "-----END PGP ")
	if end < 0 {
		return text, nil
	}
	if n := bytes.IndexByte(text[end:], '\n'); n >= 0 {
		return text[:end+n+1], text[end+n+1:]
	}
	return text, nil
}

// lineWith is the offset of the first line that begins with start, or -1.
func lineWith(text []byte, start string) int {
	if bytes.HasPrefix(text, []byte(start)) {
		return 0
	}
	i := bytes.Index(text, []byte("\n"+start))
	if i < 0 {
		return -1
	}
	return i + 1
}

// decodeArmor opens a block of one of these types.
func decodeArmor(block []byte, types ...string) (io.Reader, error) {
	b, err := armor.Decode(bytes.NewReader(block))
	if err != nil {
		return nil, fmt.Errorf("damaged armor: %w", err)
	}
	if !slices.Contains(types, b.Type) {
		return nil, fmt.Errorf("it is a %s", b.Type)
	}
	return b.Body, nil
}

// armorOf is an armored block of these packets, with the checksum that rpm's
// own reader wants, and a newline at its end.
func armorOf(kind string, packets []byte) []byte {
	var b bytes.Buffer
	w, err := armor.Encode(&b, kind, nil)
	if err == nil {
		_, err = w.Write(packets)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic(err) // it goes to memory
	}
	b.WriteByte('\n')
	return b.Bytes()
}

// noPanic makes an error of a panic: the library indexes past the end of some
// packets that a stranger can send.
func noPanic(parse func() error) (err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("a malformed packet")
		}
	}()
	return parse()
}
