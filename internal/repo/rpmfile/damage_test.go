package rpmfile

import (
	"bytes"
	"testing"

	"github.com/kinectl/kinectl/internal/repo/signing"
)

// TestDamage flips bits all over packages. Each flip is refused, or it
// was in what signing replaces (lead, signature header and its padding), so
// that the file that is published is the same to the last byte. One number is
// passed on and covered by nothing: the size of the plain payload, which is
// only shown.
func TestDamage(t *testing.T) {
	key := newKey(t, signing.Ed25519)
	f := func(name string, step int, body []byte) {
		t.Helper()
		want, _ := sign(t, body, key)
		start, end := mustRead(t, body).HeaderRange()
		accepted := map[string]int{}
		for i := 0; i < len(body); i += step {
			body[i] ^= 1 << (i % 8)
			if p, err := Read(bytes.NewReader(body)); err == nil {
				switch {
				case int64(i) >= end:
					t.Errorf("%s: byte %d of the payload", name, i)
				case int64(i) >= start:
					t.Errorf("%s: byte %d of the header", name, i)
				case i < leadSize:
					accepted["lead"]++
				default:
					accepted["signature header"]++
				}
				if p.ArchiveSize == mustReadOriginal(t, body, i).ArchiveSize {
					if got, _ := sign(t, body, key); !bytes.Equal(got, want) {
						t.Errorf("%s: byte %d was not found, and is in the signed file", name, i)
					}
				} else {
					accepted["size of the plain payload"]++
				}
			}
			body[i] ^= 1 << (i % 8)
		}
		t.Logf("%s: every %d. of %d bytes, accepted flips: %v", name, step, len(body), accepted)
	}
	f("nfpm", 1, nfpmRPM(t))
	f("rpmbuild", 7, rpmbuild(t, "-bb"))
	signed, _ := sign(t, nfpmRPM(t), key)
	f("signed", 3, signed)
}

// mustReadOriginal reads body as it was before its byte i was flipped.
func mustReadOriginal(t *testing.T, body []byte, i int) *Package {
	t.Helper()
	original := bytes.Clone(body)
	original[i] ^= 1 << (i % 8)
	return mustRead(t, original)
}
