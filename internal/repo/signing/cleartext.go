package signing

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
)

// Signers sign together, each with one key, in the order of key.asc.
type Signers []Signer

const (
	clearStart = "-----BEGIN PGP SIGNED MESSAGE-----\n"
	clearEnd   = "-----BEGIN PGP SIGNATURE-----"
	hashHeader = "Hash: " // RFC 9580 7: the only header
)

// ClearSign returns text in the cleartext signature framework of RFC 9580 7,
// with one signature of every signer: InRelease. Who trusts one of the keys
// trusts the text. Blanks at the ends of lines, which the format does not sign,
// are left out, and the last line ends in a newline.
func (s Signers) ClearSign(ctx context.Context, text []byte, now time.Time) ([]byte, error) {
	lines := bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n"))
	for i, line := range lines {
		lines[i] = bytes.TrimRight(line, " \t\r")
	}
	// The newline before the signature belongs to the framework.
	packets, err := s.sign(ctx, bytes.Join(lines, []byte("\n")), Text, now)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	out.WriteString(clearStart + hashHeader + "SHA512\n\n")
	for _, line := range lines {
		if bytes.HasPrefix(line, []byte("-")) {
			out.WriteString("- ")
		}
		out.Write(line)
		out.WriteByte('\n')
	}
	out.Write(armorOf(openpgp.SignatureType, packets))
	return out.Bytes(), nil
}

// splitClear takes a document of that framework apart: the text without its
// last newline, as it is signed, and what comes after it.
func splitClear(signed string) (text string, signature []byte, ok bool) {
	rest, ok := strings.CutPrefix(signed, clearStart)
	for ok && !strings.HasPrefix(rest, "\n") {
		if !strings.HasPrefix(rest, hashHeader) {
			return "", nil, false
		}
		_, rest, ok = strings.Cut(rest, "\n")
	}
	rest = strings.TrimPrefix(rest, "\n")
	var lines []string
	for ok && !strings.HasPrefix(rest, clearEnd) {
		var line string
		line, rest, ok = strings.Cut(rest, "\n")
		line, escaped := strings.CutPrefix(line, "- ")
		if !escaped && strings.HasPrefix(line, "-") {
			return "", nil, false
		}
		lines = append(lines, strings.TrimRight(line, " \t\r"))
	}
	return strings.Join(lines, "\n"), []byte(rest), ok && len(lines) > 0
}

// Detach returns one armored block with a signature of every signer over
// message: Release.gpg.
//
// For repomd.xml.asc use the first signer only, s[:1]. The OpenPGP readers of
// rpm, which dnf5 asks, refuse a file of two signatures even when they trust
// both keys ("Expected a bare OpenPGP signature"); only gpg reads them all.
func (s Signers) Detach(ctx context.Context, message []byte, now time.Time) ([]byte, error) {
	packets, err := s.sign(ctx, message, Binary, now)
	if err != nil {
		return nil, err
	}
	return armorOf(openpgp.SignatureType, packets), nil
}

// sign makes all signatures at once: each takes milliseconds of a processor,
// or the way to another machine.
func (s Signers) sign(ctx context.Context, message []byte, kind Kind, now time.Time) ([]byte, error) {
	if len(s) == 0 {
		return nil, fmt.Errorf("sign: %w", ErrNoKey)
	}
	packets := make([][]byte, len(s))
	errs := make([]error, len(s))
	var all sync.WaitGroup
	for i, signer := range s {
		all.Go(func() {
			packets[i], errs[i] = signer.Sign(ctx, bytes.NewReader(message), kind, now)
			if errs[i] != nil {
				errs[i] = fmt.Errorf("sign with key %s: %w", signer.Fingerprint(), errs[i])
			}
		})
	}
	all.Wait()
	return bytes.Join(packets, nil), errors.Join(errs...)
}
