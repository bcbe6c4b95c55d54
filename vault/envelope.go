package vault

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
)

const (
	cipherName = "AES256"
	lineLength = 80
	blanks     = " \t\r\n"
)

// envelope is what a vault text holds:
//
//	$ANSIBLE_VAULT;1.1;AES256               or $ANSIBLE_VAULT;1.2;AES256;ID
//	hex(hex(salt)\nhex(sum)\nhex(ciphertext)) in lines of 80 characters
//
// Source: the page "Protecting sensitive data with Ansible vault" of Ansible's
// documentation, section "Format of files encrypted with Ansible Vault".
type envelope struct {
	id         string
	salt       []byte // 1 byte or more; ansible-vault writes 32
	sum        []byte // HMAC-SHA256 of the ciphertext
	ciphertext []byte // full blocks of AES
}

// text writes the envelope as ansible-vault does.
func (e envelope) text() []byte {
	inner := bytes.Join([][]byte{hexOf(e.salt), hexOf(e.sum), hexOf(e.ciphertext)}, []byte("\n"))
	body := hexOf(inner)
	out := make([]byte, 0, len(mark)+len(e.id)+16+len(body)+len(body)/lineLength)
	if e.id == "" {
		out = append(out, mark+";1.1;"+cipherName+"\n"...)
	} else {
		out = append(out, mark+";1.2;"+cipherName+";"+e.id+"\n"...)
	}
	for len(body) > 0 {
		n := min(lineLength, len(body))
		out = append(append(out, body[:n]...), '\n')
		body = body[n:]
	}
	return out
}

// parse reads a text, raw or base64. It is stricter than ansible-vault: what that would
// not have written, digits in capitals say, is damage.
func parse(text []byte) (envelope, error) {
	damaged := func(what string) (envelope, error) { return envelope{}, fmt.Errorf("%w: %s", ErrDamaged, what) }
	text = bytes.Trim(text, blanks)
	if !bytes.HasPrefix(text, []byte("$")) {
		var err error
		if text, err = fromBase64(text); err != nil {
			return damaged("it is neither ansible-vault's form nor its base64")
		}
		switch inner := bytes.TrimLeft(text, blanks); {
		case bytes.HasPrefix(text, []byte(mark)):
		case bytes.HasPrefix(inner, []byte(mark)):
			return damaged("it was put into base64 with blanks before it")
		case IsEncrypted(inner):
			return damaged("it was put into base64 twice")
		}
	}
	header, body, _ := bytes.Cut(text, []byte("\n"))
	var e envelope
	switch fields := strings.SplitN(strings.TrimRight(string(header), blanks), ";", 5); {
	case fields[0] != mark:
		return damaged("it does not begin with " + mark)
	case len(fields) == 3 && fields[1] == "1.1" && fields[2] == cipherName:
	case len(fields) == 4 && fields[1] == "1.2" && fields[2] == cipherName && fields[3] != "":
		e.id = fields[3]
	default:
		return damaged("its first line is not of format 1.1 or 1.2 with " + cipherName)
	}
	joined := make([]byte, 0, len(body))
	for line := range bytes.Lines(body) {
		joined = append(joined, bytes.Trim(line, blanks)...)
	}
	inner, ok := unhex(joined)
	if !ok {
		return damaged("what follows its first line is not hexadecimal")
	}
	parts := bytes.SplitN(inner, []byte("\n"), 4)
	if len(parts) != 3 {
		return damaged("it has not three parts")
	}
	for i, to := range []*[]byte{&e.salt, &e.sum, &e.ciphertext} {
		if *to, ok = unhex(parts[i]); !ok {
			return damaged("a part is not hexadecimal")
		}
	}
	if len(e.salt) == 0 || len(e.sum) != sumSize || len(e.ciphertext) == 0 || len(e.ciphertext)%blockSize != 0 {
		return damaged("a part has the wrong length")
	}
	return e, nil
}

// fromBase64 takes blanks anywhere, and padding or none.
func fromBase64(text []byte) ([]byte, error) {
	solid := withoutBlanks(text)
	encoding := base64.RawStdEncoding
	if bytes.HasSuffix(solid, []byte("=")) {
		encoding = base64.StdEncoding
	}
	n, err := encoding.Strict().Decode(solid, solid)
	return solid[:n], err
}

// withoutBlanks copies text.
func withoutBlanks(text []byte) []byte {
	solid := make([]byte, 0, len(text))
	for _, c := range text {
		if strings.IndexByte(blanks, c) < 0 {
			solid = append(solid, c)
		}
	}
	return solid
}

func hexOf(b []byte) []byte { return hex.AppendEncode(nil, b) }

// unhex decodes in place.
func unhex(b []byte) ([]byte, bool) {
	if bytes.ContainsAny(b, "ABCDEF") {
		return nil, false
	}
	n, err := hex.Decode(b, b)
	return b[:n], err == nil
}

// validID reports whether id is one to write: printable ASCII without blanks and
// semicolons. Ansible writes others too, which are read.
func validID(id string) bool {
	for _, c := range []byte(id) {
		if c <= ' ' || c > '~' || c == ';' {
			return false
		}
	}
	return id != ""
}
