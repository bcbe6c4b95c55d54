package spec

import (
	"os"
	"testing"
)

// BenchmarkCheck is one spec with every key, read and held against every rule.
func BenchmarkCheck(b *testing.B) {
	src, err := os.ReadFile("testdata/every-key.yml")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		Check("spec.yml", src)
	}
}
