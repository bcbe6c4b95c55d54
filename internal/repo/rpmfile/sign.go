package rpmfile

import (
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"github.com/kinectl/kinectl/internal/repo/signing"
)

// Signed is a package under a signature: the whole file that hosts get.
type Signed struct {
	Size   int64  // bytes
	SHA256 string // lower-case hexadecimal
	// HeaderStart and HeaderEnd are where the header lies in the file, as
	// primary.xml says it in rpm:header-range.
	HeaderStart, HeaderEnd int64
	// Open reads the file: the new head from memory, the rest from the Source
	// of the package. It may be called more than once, and what it returns may
	// be read at the same time; the caller closes.
	Open func() (io.ReadCloser, error)
}

// Signed is the same package with a lead and a signature header of ours: the
// signature and digests over the header that rpm checks since 4.0, and, for
// rpm up to 4.13, the MD5 sum and, where the header has no digest of the payload
// and the key is RSA (those rpms know no other), a signature over both. Signatures of single files are kept.
//
// The signature's time is the later of the build time and the key's creation,
// so that one key gives the same bytes whenever it signs; a build time that is
// after now does not count, since rpm takes no signature from the future. The
// Source must not change; it is read once more in small parts, and twice where
// the payload has to be signed too.
func (p *Package) Signed(ctx context.Context, s signing.Signer, now time.Time) (*Signed, error) {
	signed, err := p.signed(ctx, s, now)
	if err != nil {
		return nil, fmt.Errorf("sign %s %s %s: %w", p.Name, p.EVR(), p.Arch, err)
	}
	return signed, nil
}

func (p *Package) signed(ctx context.Context, s signing.Signer, now time.Time) (*Signed, error) {
	created, err := keyCreation(s.Certificate())
	if err != nil {
		return nil, err
	}
	when := signatureTime(p.BuildTime, created, now)
	head := make([]byte, p.headerEnd-p.headerStart)
	if _, err := p.source.ReadAt(head, p.headerStart); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	values, err := p.signatures(ctx, s, head, when)
	if err != nil {
		return nil, err
	}
	name := p.Name + "-" + p.Version + "-" + p.Release
	front := append(encodeLead(name, p.Arch), encodeHeader(tagSignatures, values)...)

	whole, same := sha256.New(), sha256.New()
	whole.Write(front)
	if err := hashAll(ctx, p.body(), whole, same); err != nil {
		return nil, err
	}
	if hex.EncodeToString(same.Sum(nil)) != p.identity {
		return nil, errors.New("the file was changed while it was read")
	}
	start := int64(len(front))
	return &Signed{
		Size:        start + p.body().Size(),
		SHA256:      hex.EncodeToString(whole.Sum(nil)),
		HeaderStart: start,
		HeaderEnd:   start + int64(len(head)),
		Open: func() (io.ReadCloser, error) {
			return io.NopCloser(io.MultiReader(bytes.NewReader(front), p.body())), nil
		},
	}, nil
}

// body is the header and the payload.
func (p *Package) body() *io.SectionReader {
	return io.NewSectionReader(p.source, p.headerStart, p.source.Size()-p.headerStart)
}

// signatures are all values of the new signature header.
func (p *Package) signatures(ctx context.Context, s signing.Signer, head []byte, when time.Time) ([]value, error) {
	sha1Sum, sha256Sum := sha1.Sum(head), sha256.Sum256(head)
	values := append([]value{
		textValue(sigSHA1, hex.EncodeToString(sha1Sum[:])),
		textValue(sigSHA256, hex.EncodeToString(sha256Sum[:])),
		binaryValue(sigMD5, p.md5),
		sizeValue(sigSize, sigLongSize, p.body().Size()),
	}, p.keep...)
	if p.ArchiveSize > 0 {
		values = append(values, sizeValue(sigArchiveSize, sigLongArchiveSize, p.ArchiveSize))
	}
	signature, err := s.Sign(ctx, bytes.NewReader(head), signing.Binary, when)
	if err != nil {
		return nil, err
	}
	algorithm, err := signatureAlgorithm(signature)
	if err != nil {
		return nil, err
	}
	switch algorithm {
	case packet.PubKeyAlgoRSA, packet.PubKeyAlgoRSASignOnly:
		values = append(values, binaryValue(sigRSA, signature))
		if p.covered { // the header vouches for the payload, as rpm 4.14 and its like make it
			return values, nil
		}
		both, err := s.Sign(ctx, &canceledReader{ctx, p.body()}, signing.Binary, when)
		if err != nil {
			return nil, err
		}
		return append(values, binaryValue(sigPGP, both)), nil
	case packet.PubKeyAlgoDSA, packet.PubKeyAlgoECDSA, packet.PubKeyAlgoEdDSA:
		return append(values, binaryValue(sigDSA, signature)), nil
	}
	return nil, fmt.Errorf("%w that rpm can read: OpenPGP algorithm %d", signing.ErrKeyType, algorithm)
}

// signatureAlgorithm reads a signature packet: it must be of version 4, the
// newest that rpm 4 knows.
func signatureAlgorithm(body []byte) (packet.PublicKeyAlgorithm, error) {
	p, err := packet.Read(bytes.NewReader(body))
	if err != nil {
		return 0, fmt.Errorf("read the signature: %w", err)
	}
	signature, ok := p.(*packet.Signature)
	if !ok || signature.Version != 4 {
		return 0, fmt.Errorf("%w that rpm can read: it does not make OpenPGP signatures of version 4", signing.ErrKeyType)
	}
	return signature.PubKeyAlgo, nil
}

// keyCreation is when the newest key of a certificate was made: no signature
// may be older than its key.
func keyCreation(certificate []byte) (time.Time, error) {
	var newest time.Time
	for packets := packet.NewReader(bytes.NewReader(certificate)); ; {
		p, err := packets.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return newest, fmt.Errorf("read the public key: %w", err)
		}
		if key, ok := p.(*packet.PublicKey); ok && key.CreationTime.After(newest) {
			newest = key.CreationTime
		}
	}
	if newest.IsZero() {
		return newest, fmt.Errorf("%w: the certificate has no public key", signing.ErrNoKey)
	}
	return newest, nil
}

func signatureTime(built, created, now time.Time) time.Time {
	when := created
	if built.After(created) && !built.After(now) {
		when = built
	}
	return when.UTC()
}

// canceledReader stops a long read when its context ends.
type canceledReader struct {
	ctx context.Context
	r   io.Reader
}

func (c *canceledReader) Read(b []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(b)
}
