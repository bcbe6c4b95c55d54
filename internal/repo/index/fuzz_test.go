package index

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// FuzzDecode: whatever the bytes are, the result is an error or a text whose
// parts agree, and never a panic or memory without bound.
func FuzzDecode(f *testing.F) {
	text, err := New(lines).Edit([][]byte{[]byte("a 1\n"), []byte("b 2\n"), fmt.Appendf(nil, "c %s\n", strings.Repeat("x", 3*blockSize)), []byte("d 4\n")}, nil)
	if err != nil {
		f.Fatal(err)
	}
	p, err := text.Pack(Plain | Gzip | Zstd)
	if err != nil {
		f.Fatal(err)
	}
	empty, err := New(lines).Pack(Plain | Gzip | Zstd)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(p.Plain, p.Gzip, p.Zstd, true, true)
	f.Add(empty.Plain, empty.Gzip, empty.Zstd, true, true)
	f.Add([]byte("a 1\n"), p.Gzip[:100], p.Zstd[:20], false, false)
	f.Fuzz(func(t *testing.T, plain, gzip, zstd []byte, hasPlain, hasZstd bool) {
		if !hasPlain {
			plain = nil
		}
		if !hasZstd {
			zstd = nil
		}
		text, err := Decode(lines, Packed{Plain: plain, Gzip: gzip, Zstd: zstd})
		if err != nil {
			return
		}
		size, sum, err := text.PlainSum()
		if err != nil {
			return
		}
		body, err := text.Body(Plain)
		if err != nil || body.Size() != size || body.SHA256() != sum {
			t.Fatalf("PlainSum is %d %s, the text another: %v", size, sum, err)
		}
		n := 0
		for record, err := range text.All() {
			if n++; err != nil || n > 20 {
				return
			}
			if got, found, err := text.Get(keyOfLine(record)); err == nil && found && keyOfLine(got) != keyOfLine(record) {
				t.Fatalf("Get(%q) = %q", keyOfLine(record), got)
			}
		}
	})
}

// FuzzEdit reads a program of changes: every line is a record to put, or with
// a "-" before it a key to remove; an empty line ends an edit.
func FuzzEdit(f *testing.F) {
	f.Add("a 1\nb 2\n\n-a\nc 3\n\nb 4\n-b\n")
	f.Add("a 1\na 2\n\n\n-a")
	f.Fuzz(func(t *testing.T, program string) {
		text, m := New(framedLines), model{}
		for edit := range strings.SplitSeq(program, "\n\n") {
			var put [][]byte
			var remove []string
			for line := range strings.SplitSeq(edit, "\n") {
				if key, found := strings.CutPrefix(line, "-"); found {
					remove = append(remove, key)
					delete(m, key)
				}
			}
			for line := range strings.SplitSeq(edit, "\n") {
				if line != "" && line[0] != '-' && line[0] != ' ' {
					record := line + " " + strings.Repeat("x", len(line)%7*(blockSize/5)) + "\n" // a short program makes many blocks
					put, m[keyOfLine([]byte(record))] = append(put, []byte(record)), record
				}
			}
			next, err := text.Edit(put, remove)
			if err != nil {
				t.Fatal(err)
			}
			p, err := next.Pack(Gzip)
			if err != nil {
				t.Fatal(err)
			}
			if text, err = Decode(framedLines, p); err != nil {
				t.Fatal(err)
			}
			var got bytes.Buffer
			for record, err := range text.All() {
				if err != nil {
					t.Fatal(err)
				}
				got.Write(record)
			}
			bare := framedLines
			bare.Head, bare.Foot = nil, nil
			if got.String() != m.text(bare) || text.Count() != len(m) {
				t.Fatalf("%d records, want %d", text.Count(), len(m))
			}
		}
	})
}
