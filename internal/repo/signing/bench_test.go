package signing

import (
	"strings"
	"testing"
)

// BenchmarkPublication makes the signatures of one publication: InRelease and
// Release.gpg, by one key and by two.
func BenchmarkPublication(b *testing.B) {
	text := []byte(strings.Repeat(signedText, 100))
	for name, keys := range map[string]int{"one key": 1, "two keys": 2} {
		var signers Signers
		for range keys {
			signers = append(signers, testKey(b, "kinectl", RSA4096))
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := signers.ClearSign(b.Context(), text, clock); err != nil {
					b.Fatal(err)
				}
				if _, err := signers.Detach(b.Context(), text, clock); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkParseKey reads a private key from its file's text.
func BenchmarkParseKey(b *testing.B) {
	text, err := testKey(b, "kinectl", RSA4096).Private()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := ParseKey(text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseKeyring(b *testing.B) {
	body := ringOf(b, testKey(b, "old", RSA4096), testKey(b, "new", RSA4096)).Armored()
	for b.Loop() {
		if _, err := ParseKeyring(body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	key := testKey(b, "kinectl", RSA4096)
	trusted := ringOf(b, key)
	signed, err := Signers{key}.ClearSign(b.Context(), []byte(strings.Repeat(signedText, 100)), clock)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := trusted.Open(signed, clock); err != nil {
			b.Fatal(err)
		}
	}
}
