package index

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// lines are records of one line, whose key is what comes before the blank.
var lines = Layout{Split: splitLine, Key: keyOfLine}

// framedLines are the same between a head and a foot.
var framedLines = Layout{
	Head:  func(count int) []byte { return fmt.Appendf(nil, "<list count=%d>\n", count) },
	Foot:  func(int) []byte { return []byte("</list>\n") },
	Split: splitLine, Key: keyOfLine,
}

func splitLine(text []byte) (record, rest []byte) {
	i := bytes.IndexByte(text, '\n')
	if i <= 0 {
		return nil, text
	}
	return text[:i+1], text[i+1:]
}

func keyOfLine(record []byte) string {
	key, _, _ := strings.Cut(strings.TrimSuffix(string(record), "\n"), " ")
	return key
}

// model is what a Text must behave like.
type model map[string]string

func (m model) text(l Layout) string {
	var b strings.Builder
	if l.Head != nil {
		b.Write(l.Head(len(m)))
	}
	for _, key := range slices.Sorted(maps.Keys(m)) {
		b.WriteString(m[key])
	}
	if l.Foot != nil {
		b.Write(l.Foot(len(m)))
	}
	return b.String()
}

// same compares everything that a text can be asked for with the model.
func (m model) same(t *testing.T, text *Text) {
	t.Helper()
	p, err := text.Pack(Plain | Gzip | Zstd)
	if err != nil {
		t.Fatal(err)
	}
	want := m.text(text.layout)
	if string(p.Plain) != want || text.Count() != len(m) {
		t.Fatalf("%d records, %d bytes, want %d, %d", text.Count(), len(p.Plain), len(m), len(want))
	}
	for _, form := range []Packed{{Gzip: p.Gzip}, {Zstd: p.Zstd}} {
		if plain, err := form.inflate(); err != nil || string(plain) != want {
			t.Fatalf("packed, the text is another: %v", err)
		}
	}
	size, sum, err := text.PlainSum()
	if body := (Body{p.Plain}); err != nil || size != body.Size() || sum != body.SHA256() {
		t.Fatalf("PlainSum is %d %s, %v", size, sum, err)
	}
	var got []string
	for record, err := range text.All() {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, keyOfLine(record))
	}
	if !slices.Equal(got, slices.Sorted(maps.Keys(m))) {
		t.Fatalf("All yields %d other keys", len(got))
	}
	for i, b := range text.blocks {
		if b.size > 2*blockSize && b.count > 1 || b.size < blockSize/4 && len(text.blocks) > 1 {
			t.Errorf("block %d of %d has %d bytes", i, len(text.blocks), b.size)
		}
	}
}

// decoded is the text read back from the forms that pick leaves.
func decoded(t *testing.T, text *Text, forms Forms) *Text {
	t.Helper()
	p, err := text.Pack(forms)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Decode(text.layout, p)
	if err != nil {
		t.Fatal(err)
	}
	return again
}

// TestEditLikeMap puts and removes at random, reading the text back from other
// forms each time.
func TestEditLikeMap(t *testing.T) {
	f := func(seed uint64, l Layout, forms ...Forms) {
		t.Helper()
		random := rand.New(rand.NewPCG(seed, 1))
		text, m := New(l), model{}
		m.same(t, text)
		for round := range 12 {
			var put [][]byte
			var remove []string
			for range random.IntN(3) * random.IntN(400) {
				key := fmt.Sprintf("k%05d", random.IntN(4000))
				if random.IntN(3) > 0 == (round < 8) { // grow, then shrink
					line := fmt.Sprintf("%s %s\n", key, strings.Repeat(string(rune('a'+random.IntN(26))), random.IntN(1000)))
					put, m[key] = append(put, []byte(line)), line
				} else {
					remove = append(remove, key)
				}
			}
			for _, key := range remove {
				if !slices.ContainsFunc(put, func(line []byte) bool { return keyOfLine(line) == key }) {
					delete(m, key)
				}
			}
			next, err := text.Edit(put, remove)
			if err != nil {
				t.Fatal(err)
			}
			m.same(t, next)
			text = decoded(t, next, forms[round%len(forms)])
			m.same(t, text)
			for range 20 {
				key := fmt.Sprintf("k%05d", random.IntN(4000))
				if got, found, err := text.Get(key); err != nil || string(got) != m[key] || found != (m[key] != "") {
					t.Fatalf("Get(%s) = %.20q, %v, %v", key, got, found, err)
				}
			}
		}
		text, err := text.Edit(nil, slices.Collect(maps.Keys(m)))
		if err != nil {
			t.Fatal(err)
		}
		model{}.same(t, text)
		model{}.same(t, decoded(t, text, forms[0]))
	}
	f(1, lines, Plain|Gzip|Zstd, Gzip, Zstd, Plain|Zstd, Gzip|Zstd, Plain)
	f(2, lines, Gzip)
	f(3, framedLines, Gzip, Plain|Gzip|Zstd)
}

// sample is a text of n records of some 700 bytes, "k00000" and on.
func sample(t testing.TB, l Layout, n int) *Text {
	t.Helper()
	random := rand.New(rand.NewPCG(7, 7))
	put := make([][]byte, n)
	for i := range put {
		put[i] = fmt.Appendf(nil, "k%05d Maintainer: Jo Doe; Filename: pool/main/k/k_%d; Size: %d;", i, i, random.IntN(1e7))
		for range 4 {
			put[i] = fmt.Appendf(put[i], " %x", random.Uint64())
		}
		put[i] = append(put[i], strings.Repeat(" Description: something that many packages say in the same words", 8)+"\n"...)
	}
	text, err := New(l).Edit(put, nil)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestRange(t *testing.T) {
	text := decoded(t, sample(t, lines, 1000), Gzip)
	f := func(from, to string, want int) {
		t.Helper()
		n := 0
		for record, err := range text.Range(from, to) {
			if key := keyOfLine(record); err != nil || key < from || to != "" && key >= to {
				t.Errorf("Range(%q, %q) yields %q, %v", from, to, key, err)
			}
			n++
		}
		if n != want {
			t.Errorf("Range(%q, %q) yields %d, want %d", from, to, n, want)
		}
	}
	f("", "", 1000)
	f("k00010", "k00020", 10)
	f("k0001", "k0002", 100-90)
	f("k00500", "", 500)
	f("", "k00500", 500)
	f("", "a", 0)
	f("z", "", 0)
	f("k00700", "k00300", 0)
	for range text.All() {
		break // leaves the goroutines nothing to wait for
	}
	found := 0
	for range text.Containing([]byte("k/k_42;")) {
		found++
	}
	if found != 1 {
		t.Errorf("Containing found %d", found)
	}
}

// TestEditTouchesOneBlock is why a change of a long index is quick.
func TestEditTouchesOneBlock(t *testing.T) {
	old := sample(t, lines, 2000)
	old = decoded(t, old, Plain|Gzip|Zstd)
	next, err := old.Edit([][]byte{[]byte("k01000x new\n")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	fresh := 0
	for _, b := range next.blocks {
		if !slices.Contains(old.blocks, b) {
			fresh++
		}
	}
	if fresh != 1 || len(next.blocks) != len(old.blocks) {
		t.Errorf("%d new blocks of %d, before there were %d", fresh, len(next.blocks), len(old.blocks))
	}
	same, err := next.Edit([][]byte{[]byte("k01000x new\n")}, []string{"k01000y", "k0"})
	if err != nil || !slices.Equal(same.blocks, next.blocks) {
		t.Errorf("an edit that changes nothing makes new blocks (%v)", err)
	}
}

func TestEditRefuses(t *testing.T) {
	f := func(record string) {
		t.Helper()
		if _, err := New(lines).Edit([][]byte{[]byte(record)}, nil); err == nil {
			t.Errorf("%.20q was taken", record)
		}
	}
	f("")
	f("\n")
	f("without an end")
	f("one 1\ntwo 2\n")
	f(" no key\n")
	f(strings.Repeat("k", MaxKey+1) + " long\n")
}

func TestSameBytes(t *testing.T) {
	one, err := sample(t, lines, 500).Pack(Plain | Gzip | Zstd)
	if err != nil {
		t.Fatal(err)
	}
	two, err := sample(t, lines, 500).Pack(Plain | Gzip | Zstd)
	if err != nil || !bytes.Equal(one.Gzip, two.Gzip) || !bytes.Equal(one.Zstd, two.Zstd) {
		t.Errorf("the same records make other bytes (%v)", err)
	}
}

func TestDecodeDamaged(t *testing.T) {
	whole, err := sample(t, lines, 500).Pack(Plain | Gzip | Zstd)
	if err != nil {
		t.Fatal(err)
	}
	f := func(what string, p Packed) {
		t.Helper()
		text, err := Decode(lines, p)
		if err == nil {
			_, _, err = text.PlainSum()
		}
		if !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", what, err)
		}
	}
	flip := func(body []byte, at int) []byte {
		body = bytes.Clone(body)
		body[at] ^= 0x40
		return body
	}
	f("nothing", Packed{})
	f("no gzip", Packed{Gzip: []byte("hello")})
	f("no zstd", Packed{Zstd: []byte("hello")})
	f("gzip cut", Packed{Gzip: whole.Gzip[:len(whole.Gzip)-5]})
	f("zstd cut", Packed{Zstd: whole.Zstd[:len(whole.Zstd)-5]})
	f("gzip, a byte in the text", Packed{Gzip: flip(whole.Gzip, 1000)})
	f("gzip, a byte in the key", Packed{Gzip: flip(whole.Gzip, keyAt+1)})
	f("gzip, the check sum", Packed{Gzip: flip(whole.Gzip, len(whole.Gzip)-7)})
	f("zstd, a byte in the text", Packed{Zstd: flip(whole.Zstd, 3000)})
	f("another plain text", Packed{Gzip: whole.Gzip, Plain: whole.Plain[:len(whole.Plain)-1]})
	f("a longer plain text", Packed{Gzip: whole.Gzip, Plain: append(bytes.Clone(whole.Plain), 'x')})
	f("a record twice", Packed{Plain: []byte("a 1\na 2\n")})
	f("no record", Packed{Plain: []byte("a 1\n\n")})
	for _, bad := range []Packed{{Gzip: whole.Gzip, Zstd: whole.Zstd[:100]}, {Gzip: whole.Gzip, Zstd: []byte("hello")}} {
		text, err := Decode(lines, bad) // the blocks of gzip are enough
		if err != nil {
			t.Fatal(err)
		}
		if p, err := text.Pack(Zstd); err != nil || !bytes.Equal(p.Zstd, whole.Zstd) {
			t.Errorf("the zstd form is not made again: %v", err)
		}
	}
}
