package rpmfile

import (
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"
	"sync"
)

// check holds header and payload against the digests that the package has of
// them, docs/manual/signatures_digests.md of rpm, and takes those that
// signing needs, all in one pass over the payload.
func (p *Package) check(signature, head *fields) error {
	if err := checkHeader(signature, head.raw); err != nil {
		return err
	}
	want, algorithm := head.text(tagPayloadDigest), head.number(tagPayloadDigestAlgo)
	wantMD5 := signature.binary(sigMD5)
	if err := errors.Join(signature.err, head.err); err != nil {
		return fmt.Errorf("the digest of the payload: %w", err)
	}
	newHash := payloadHash(algorithm)
	if (want == "" || newHash == nil) && wantMD5 == nil {
		return errors.New("the package has no digest of its payload that can be checked")
	}

	both, old := sha256.New(), md5.New() // of header and payload
	both.Write(head.raw)
	old.Write(head.raw)
	hashes := []hash.Hash{both, old}
	if want != "" && newHash != nil {
		hashes = append(hashes, newHash())
	}
	payload := io.NewSectionReader(p.source, p.headerEnd, p.source.Size()-p.headerEnd)
	if err := hashAll(context.Background(), payload, hashes...); err != nil {
		return fmt.Errorf("payload: %w", err)
	}
	if len(hashes) == 3 {
		if err := compare("payload", fmt.Sprintf("digest (algorithm %d)", algorithm), hashes[2], want); err != nil {
			return err
		}
	}
	if wantMD5 != nil {
		if err := compare("header or payload", "MD5", old, hex.EncodeToString(wantMD5)); err != nil {
			return err
		}
	}
	p.covered = len(hashes) == 3
	p.identity, p.md5 = hex.EncodeToString(both.Sum(nil)), old.Sum(nil)
	return nil
}

// checkHeader holds the header against its own digests; it may have none.
func checkHeader(signature *fields, raw []byte) error {
	f := func(t tag, name string, h hash.Hash) error {
		want := signature.text(t)
		if want == "" {
			return signature.err
		}
		h.Write(raw)
		return compare("header", name, h, want)
	}
	if err := f(sigSHA256, "SHA-256", sha256.New()); err != nil {
		return err
	}
	return f(sigSHA1, "SHA-1", sha1.New())
}

func compare(part, name string, got hash.Hash, want string) error {
	if sum := hex.EncodeToString(got.Sum(nil)); sum != strings.ToLower(want) {
		return fmt.Errorf("%s: damaged: its %s is %s, and the package says %.128q", part, name, sum, want)
	}
	return nil
}

// payloadHash is the hash with a number of RFC 9580 9.5; nil for one that is
// not known.
func payloadHash(algorithm uint64) func() hash.Hash {
	switch algorithm {
	case 2:
		return sha1.New
	case 8:
		return sha256.New
	case 9:
		return sha512.New384
	case 10:
		return sha512.New
	case 11:
		return sha256.New224
	}
	return nil
}

// hashAll gives all of r to every hash, side by side.
func hashAll(ctx context.Context, r io.Reader, hashes ...hash.Hash) error {
	buffer := make([]byte, 256<<10)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := io.ReadFull(r, buffer)
		var all sync.WaitGroup
		for _, h := range hashes[1:] {
			all.Go(func() { h.Write(buffer[:n]) })
		}
		hashes[0].Write(buffer[:n])
		all.Wait()
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
