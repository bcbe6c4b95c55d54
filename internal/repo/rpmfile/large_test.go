package rpmfile

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"runtime"
	"testing"

	"github.com/kinectl/kinectl/internal/repo/signing"
)

// zeros is a source with many zeros after its head.
type zeros struct {
	head []byte
	size int64
}

func (z *zeros) Size() int64 { return z.size }

func (z *zeros) ReadAt(b []byte, offset int64) (int, error) {
	n := min(int64(len(b)), z.size-offset)
	if n <= 0 {
		return 0, io.EOF
	}
	clear(b[:n])
	if offset < int64(len(z.head)) {
		copy(b, z.head[offset:])
	}
	if n < int64(len(b)) {
		return int(n), io.EOF
	}
	return int(n), nil
}

// TestLarge: neither reading nor signing takes a payload into memory.
func TestLarge(t *testing.T) { large(t, 64<<20, newKey(t, signing.RSA4096)) }

func BenchmarkLarge(b *testing.B) {
	for b.Loop() {
		large(b, 512<<20, newKey(b, signing.RSA4096))
	}
	b.SetBytes(512 << 20)
}

func large(t testing.TB, size int64, s signing.Signer) {
	t.Helper()
	values := minimal(nil)
	values[tagPayloadDigest] = textValue(tagPayloadDigest, digestOfZeros(t, size))
	head := makeRPM(values, nil)
	source := &zeros{head: head, size: int64(len(head)) + size}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	p, err := Read(source)
	check(t, err)
	signed, err := p.Signed(t.Context(), s, now)
	check(t, err)
	r, err := signed.Open()
	check(t, err)
	n, err := io.Copy(io.Discard, r)
	runtime.ReadMemStats(&after)
	if err != nil || n != signed.Size {
		t.Errorf("read %d bytes of %d, %v", n, signed.Size, err)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 8<<20 {
		t.Errorf("%d bytes were allocated for a package of %d", used, source.size)
	}
}

func digestOfZeros(t testing.TB, size int64) string {
	t.Helper()
	h := sha256.New()
	_, err := io.Copy(h, io.NewSectionReader(&zeros{size: size}, 0, size))
	check(t, err)
	return hex.EncodeToString(h.Sum(nil))
}
