package assets

import (
	"bytes"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// build prepares a folder and returns where.
func build(t *testing.T, src string, o Options) (string, Result) {
	t.Helper()
	dst := filepath.Join(t.TempDir(), "dist")
	r, err := Build(t.Context(), src, dst, o)
	if err != nil {
		t.Fatal(err)
	}
	return dst, r
}

// write makes a folder of files.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, body := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(body), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// read returns the files of a folder by name.
func read(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			all[name], err = os.ReadFile(filepath.Join(dir, name))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// prepared does what Build does, but for disk and compression.
func prepared(files map[string]string, o Options) *site {
	tree := map[string][]byte{}
	for name, body := range files {
		tree[name] = []byte(body)
	}
	s := newSite(tree, o)
	s.scan()
	s.rename()
	return s
}

// TestGolden prepares a site with every form of reference, and holds all that
// comes out to a golden file, but for the bytes of compressed forms.
func TestGolden(t *testing.T) {
	dst, r := build(t, "testdata/site", Options{})
	files := read(t, dst)
	var b strings.Builder
	if err := fs.WalkDir(os.DirFS(dst), ".", func(name string, d fs.DirEntry, _ error) error {
		ending := filepath.Ext(name)
		switch {
		case d.IsDir():
		case ending == ".gz" || ending == ".zst" || ending == ".br":
			fmt.Fprintf(&b, "-- %s --\n", name)
		case utf8.Valid(files[name]):
			fmt.Fprintf(&b, "-- %s --\n%s", name, files[name])
		default:
			fmt.Fprintf(&b, "-- %s --\n%q\n", name, files[name])
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	b.WriteString("-- findings --\n")
	_ = r.Findings.Write(&b, false)
	b.WriteString("-- kept --\n")
	for _, f := range r.Files {
		if f.Kept != "" {
			fmt.Fprintf(&b, "%s: %s\n", f.Path, f.Kept)
		}
	}
	const golden = "testdata/site.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("not as in %s (go test -update rewrites it):\n%s", golden, b.String())
	}
}

// TestSameBytes prepares one site twice, and what was prepared again.
func TestSameBytes(t *testing.T) {
	first, _ := build(t, "testdata/site", Options{})
	second, _ := build(t, "testdata/site", Options{})
	before := read(t, first)
	same := func(after map[string][]byte) {
		t.Helper()
		if len(before) != len(after) || len(before) < 30 {
			t.Errorf("%d and %d files", len(before), len(after))
		}
		for name, body := range before {
			if !bytes.Equal(body, after[name]) {
				t.Errorf("%s differs", name)
			}
		}
	}
	same(read(t, second))
	if _, err := Build(t.Context(), "testdata/site", first, Options{}); err != nil {
		t.Fatal(err)
	}
	same(read(t, first))
}

// TestNames changes one file after the other, and looks whose name changes with it:
// those that hold its name, and nothing else.
func TestNames(t *testing.T) {
	files := map[string]string{
		"index.html": `<link rel="stylesheet" href="a.css"><link rel="stylesheet" href="other.css"><script type="module" src="one.js"></script><script type="module" src="three.js"></script>`,
		"a.css":      `@import "b.css";`, "b.css": `a { background: url(p.png) }`, "p.png": "picture", "other.css": "b {}",
		"one.js": `import "./two.js"`, "two.js": `import "./one.js"`, "three.js": `import "./one.js"`, "self.css": `@import "self.css"`,
	}
	names := func() map[string]string {
		all := map[string]string{}
		for _, f := range prepared(files, Options{}).files() {
			all[f.Source] = f.Path
		}
		return all
	}
	f := func(changed string, want ...string) {
		t.Helper()
		before := names()
		files[changed] += " "
		after := names()
		for name := range files {
			moved := before[name] != after[name]
			wanted := strings.Contains(" "+strings.Join(want, " ")+" ", " "+name+" ")
			if moved != wanted {
				t.Errorf("%s changed: %s is %s before, %s after", changed, name, before[name], after[name])
			}
		}
	}
	f("p.png", "p.png", "b.css", "a.css")
	f("b.css", "b.css", "a.css")
	f("a.css", "a.css")
	f("other.css", "other.css")
	f("index.html")
	f("one.js", "one.js", "two.js", "three.js") // a circle moves as one
	f("two.js", "one.js", "two.js", "three.js")
	f("three.js", "three.js")
	f("self.css", "self.css")
}

// TestKept finds names that stay where a mention cannot be rewritten.
func TestKept(t *testing.T) {
	const page = `<link rel="stylesheet" href="css/x.css"><img src="img/y.png">`
	f := func(name, body string, o Options, want string) {
		t.Helper()
		files := map[string]string{"index.html": page, "css/x.css": "a {}", "img/y.png": "y", "deep/img/z.png": "z", name: body}
		if name == "index.html" {
			files[name] = page + body
		}
		kept := ""
		for _, f := range prepared(files, o).files() {
			if f.Kept != "" {
				kept += " " + f.Path
			}
			if f.Kept != "" && f.Path != f.Source {
				t.Errorf("%s is kept as %s", f.Source, f.Path)
			}
		}
		if strings.TrimSpace(kept) != want {
			t.Errorf("%s %q: kept %q, want %q", name, body, kept, want)
		}
	}
	both := "css/x.css img/y.png"
	f("a.txt", "img/y.png", Options{}, "") // no browser reads it
	f("feed.xml", "<image>https://example.com/shop/img/y.png?a=b</image>", Options{}, "img/y.png")
	f("a.json", `{"x": "\/css\/x.css", "y": "y.png"}`, Options{}, both)
	f("a.json", `{"x": "xy.png", "y": "other/y.png", "z": "x_css"}`, Options{}, "")
	f("a.svg", `<image href="y.png"/>`, Options{}, "img/y.png")
	f("index.html", `<a href="img/y.png">`, Options{}, "img/y.png")
	f("index.html", `<div data-src="/img/y.png">`, Options{}, "img/y.png")
	f("index.html", `<script>x = "img/" + name; y = "/y.png"</script>`, Options{}, "img/y.png")
	f("index.html", "<script>x = `${base}/css/x.css`</script>", Options{}, "css/x.css")
	f("index.html", `<script>x = "img\/y.png"</script>`, Options{}, "img/y.png")
	f("index.html", `<script>// img/y.png
		/* css/x.css */ import("./x.js")</script>`, Options{}, "")
	f("index.html", `<script type="importmap">{"imports": {"a": "./img/y.png"}}</script>`, Options{}, "img/y.png")
	f("index.html", `<template><p>img/y.png</p></template><!-- img/y.png -->`, Options{}, "")
	f("index.html", `<p style="background: url(img/y.png x)">`, Options{}, "img/y.png") // a URL that CSS does not take
	f("app.js", `import "img/y.png"`, Options{}, "img/y.png")                           // a bare name
	f("app.js", "'a broken string\n css/x.css", Options{}, "css/x.css")
	f("x.md", "", Options{Keep: []string{"css/*.css"}}, "css/x.css")
	f("x.md", "", Options{Keep: []string{"img/", "*.css"}}, "img/y.png")
	f("other.html", `<base href="https://example.com/"><img src="img/y.png">`, Options{}, "img/y.png")
	f("other.html", `<base href="/css/page"><link rel="stylesheet" href="x.css">`, Options{}, "")
	f("other.html", `<link rel="apple-touch-icon" href="/apple-touch-icon.png">`, Options{}, "")
}

// TestFixed knows the names that others look for.
func TestFixed(t *testing.T) {
	f := func(name string, want bool) {
		t.Helper()
		if got := fixed(name, nil) != ""; got != want {
			t.Errorf("%s: %t", name, got)
		}
	}
	f("favicon.ico", true)
	f("img/favicon.ico", false)
	f("apple-touch-icon-120x120.png", true)
	f("sw.js", true)
	f("app/service-worker.js", true)
	f(".well-known/x.png", true)
	f("app.js", false)
}
