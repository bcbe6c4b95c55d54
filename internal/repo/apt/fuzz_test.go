package apt

import (
	"bytes"
	"strings"
	"testing"

	"github.com/kinectl/kinectl/internal/repo/index"
)

// FuzzParseStanza: an entry that is taken has a name that stays in its line
// and its directory, and its key is the one that it is sorted by.
func FuzzParseStanza(f *testing.F) {
	f.Add(pkg("libhello", "1:1.0-1", "amd64", "a").stanza())
	f.Add([]byte("Package: a\nVersion: 1\nArchitecture: all\nFilename: pool/main/a/a/../a_1_all.deb\n"))
	f.Fuzz(func(t *testing.T, stanza []byte) {
		if head, rest := splitStanza(stanza); len(head) > 0 && len(rest) >= len(stanza) {
			t.Fatal("a stanza was split off and nothing was taken away")
		}
		e, _, err := parseStanza(stanza)
		if err != nil {
			return
		}
		if strings.Contains(e.Filename, "..") && strings.Contains(e.Filename, "/../") || strings.Count(e.Filename, "/") != 4 || len(e.SHA256) != 64 {
			t.Errorf("taken: %+v", e)
		}
		if key := stanzaKey(stanza); key != e.Key() && strings.Count(string(stanza), "\nPackage: ")+strings.Count(string(stanza), "\nVersion: ")+
			strings.Count(string(stanza), "\nArchitecture: ") == 2 && bytes.HasPrefix(stanza, []byte("Package: ")) {
			t.Errorf("its key is %q, not %q", key, e.Key())
		}
	})
}

// FuzzContents: whatever files are called, Contents has a line for each that
// reads back, and it is empty again when the package goes.
func FuzzContents(f *testing.F) {
	f.Add("/usr/bin/x", "misc", "/usr/bin/y   misc/z")
	f.Add("/", "", "/a\nb")
	f.Fuzz(func(t *testing.T, one, section, two string) {
		before, err := index.New(contentsLayout()).Edit([][]byte{[]byte("usr/bin/x   misc/other\n")}, nil)
		if err != nil {
			t.Fatal(err)
		}
		here := turn{to: holder{label: label(section, "hello")}, files: []string{one, two}}
		with, err := turned(before, map[string]turn{"hello": here})
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range here.files {
			p := contentsPath(file)
			if p == "" {
				continue
			}
			line, found, err := with.Get(p)
			if err != nil || !found || !bytes.HasSuffix(line, []byte("\n")) || bytes.Count(line, []byte("\n")) != 1 {
				t.Fatalf("the line of %q is %q, %v, %v", p, line, found, err)
			}
		}
		without, err := turned(with, map[string]turn{"hello": {from: here.to}})
		if err != nil {
			t.Fatal(err)
		}
		want, err := before.Pack(index.Plain)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := without.Pack(index.Plain); err != nil || !bytes.Equal(got.Plain, want.Plain) {
			t.Fatalf("left is %q, %v", got.Plain, err)
		}
	})
}

func FuzzParseRelease(f *testing.F) {
	s := NewSuite("kinectl", "stable")
	s.release = s.release.dated(clock, nil).with([]File{{"main/binary-amd64/Packages", 3, strings.Repeat("a", 64)}})
	f.Add(string(s.release.render()))
	f.Add("Suite: x\nArchitectures: a\nOrigin: o\nSHA256:\n zz 1 a\n")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := parseRelease(text)
		if err != nil {
			return
		}
		again, err := parseRelease(string(r.render()))
		if err != nil || !bytes.Equal(again.render(), r.render()) {
			t.Errorf("%v:\n%s", err, r.render())
		}
	})
}
