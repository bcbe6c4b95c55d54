package index

import (
	"fmt"
	"testing"
)

// BenchmarkEdit adds one record to an index that was read in all its forms, as
// a publication does, and makes everything that it writes and signs.
func BenchmarkEdit(b *testing.B) {
	for _, n := range []int{200, 2_000, 20_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			packed, err := sample(b, lines, n).Pack(Plain | Gzip | Zstd)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				text, err := Decode(lines, packed)
				if err != nil {
					b.Fatal(err)
				}
				if text, err = text.Edit([][]byte{fmt.Appendf(nil, "k%05d-%d new\n", n/2, i)}, nil); err != nil {
					b.Fatal(err)
				}
				for _, form := range []Forms{Plain, Gzip, Zstd} {
					body, err := text.Body(form)
					if err != nil {
						b.Fatal(err)
					}
					body.SHA256()
				}
			}
		})
	}
}

// BenchmarkEditGzip is the same for an index of which only Gzip is stored.
func BenchmarkEditGzip(b *testing.B) {
	for _, n := range []int{200, 2_000, 20_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			packed, err := sample(b, lines, n).Pack(Gzip)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				text, err := Decode(lines, packed)
				if err != nil {
					b.Fatal(err)
				}
				if text, err = text.Edit([][]byte{fmt.Appendf(nil, "k%05d-%d new\n", n/2, i)}, nil); err != nil {
					b.Fatal(err)
				}
				body, err := text.Body(Gzip)
				if err != nil {
					b.Fatal(err)
				}
				body.SHA256()
				if _, _, err := text.PlainSum(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkBulk makes an index of many new records.
func BenchmarkBulk(b *testing.B) {
	var put [][]byte
	for record := range sample(b, lines, 20_000).All() {
		put = append(put, record)
	}
	for b.Loop() {
		text, err := New(lines).Edit(put, nil)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := text.Pack(Plain | Gzip | Zstd); err != nil {
			b.Fatal(err)
		}
	}
}
