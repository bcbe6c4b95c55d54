package assets

import (
	"os"
	"slices"
	"strings"
	"testing"

	tokens "golang.org/x/net/html"
)

// hold checks what must be true of a scanner for any text: with nothing renamed the
// text stays byte for byte; with every reference renamed the scanner then finds the new
// ones, in the same order; and a place is within the text.
func hold(t *testing.T, rewrite func(string, *visitor) string, src string) {
	t.Helper()
	run := func(src string, rename func(string) string) (refs []string, out string) {
		v := &visitor{
			reference: func(at int, ref string) string {
				if at < 0 || at > len(src) {
					t.Fatalf("a reference at %d of %d bytes", at, len(src))
				}
				got := rename(ref)
				refs = append(refs, got)
				return got
			},
			mention:   func(string) {},
			integrity: func(_ int, _, digests string) string { return digests },
			base:      func(string) {},
			frozen:    func(int, string) {},
		}
		return refs, rewrite(src, v)
	}
	same := func(ref string) string { return ref }
	before, out := run(src, same)
	if out != src {
		t.Fatalf("nothing was renamed, but\n%q became\n%q", src, out)
	}
	renamed, out := run(src, func(ref string) string {
		file, _, ok := split(ref)
		if !ok {
			return ref
		}
		return renamed(ref, file[strings.LastIndexByte(file, '/')+1:]+`.0'1"2 (3)<&>4`)
	})
	again, kept := run(out, same)
	if !slices.Equal(renamed, again) || kept != out || len(before) != len(renamed) {
		t.Fatalf("%q became\n%q, with\n%q instead of\n%q", src, out, again, renamed)
	}
}

// seeds are the files of the golden site.
func seeds(f *testing.F, names ...string) {
	for _, name := range names {
		body, err := os.ReadFile("testdata/site/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(body))
	}
}

func FuzzCSS(f *testing.F) {
	seeds(f, "css/app.css", "css/base.css")
	f.Fuzz(func(t *testing.T, src string) { hold(t, rewriteCSS, src) })
}

func FuzzScript(f *testing.F) {
	seeds(f, "js/app.js", "js/broken.js", "sw.js")
	f.Fuzz(func(t *testing.T, src string) { hold(t, rewriteScript, src) })
}

func FuzzHTML(f *testing.F) {
	seeds(f, "index.html", "docs/page.html")
	f.Add(`<img srcset="a 1x, b,c (d,e) 2x"><noscript><img src=x></noscript>`)
	f.Fuzz(func(t *testing.T, src string) {
		hold(t, rewriteHTML, src)
		// Attributes are those that golang.org/x/net/html sees.
		z := tokens.NewTokenizer(strings.NewReader(src))
		at := 0
		for kind := z.Next(); kind != tokens.ErrorToken; kind = z.Next() {
			raw := src[at : at+len(z.Raw())]
			at += len(raw)
			if kind != tokens.StartTagToken && kind != tokens.SelfClosingTagToken {
				continue
			}
			want := map[string]string{}
			_, more := z.TagName()
			for more {
				var key, value []byte
				key, value, more = z.TagAttr()
				if _, ok := want[string(key)]; !ok {
					want[string(key)] = string(value)
				}
			}
			got := attributes(raw)
			for _, a := range got {
				value, ok := want[a.name]
				if !ok || strings.ReplaceAll(strings.ReplaceAll(tokens.UnescapeString(a.value), "\r\n", "\n"), "\r", "\n") != value {
					t.Fatalf("%q: %q is %q, want %q", raw, a.name, a.value, value)
				}
			}
			if len(got) != len(want) {
				t.Fatalf("%q: %v, want %v", raw, got, want)
			}
		}
	})
}

func FuzzSrcset(f *testing.F) {
	f.Add(" a 1x, b,c (d,e) 2x ,, data:a,b 3x")
	f.Fuzz(func(t *testing.T, src string) { hold(t, rewriteSrcset, src) })
}
