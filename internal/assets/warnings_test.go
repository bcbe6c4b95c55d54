package assets

import (
	"fmt"
	"strings"
	"testing"
)

// TestWarnings finds what a page needs and is not there, and digests that do not fit.
func TestWarnings(t *testing.T) {
	sri := func(body string) string {
		got, _ := digest("sha256", []byte(body))
		return got
	}
	const css = "a { background: url(p.png) }"
	f := func(page string, want ...string) {
		t.Helper()
		s := prepared(map[string]string{"index.html": page, "a.css": css, "p.png": "p", "docs/index.html": "docs"}, Options{})
		var got []string
		for _, f := range s.findings {
			got = append(got, fmt.Sprintf("%d:%d %s", f.Line, f.Column, f.Rule))
		}
		if strings.Join(got, ", ") != strings.Join(want, ", ") {
			t.Errorf("%s: %q, want %q", page, got, want)
		}
	}
	f(`<img src="p.png"><iframe src="docs/"></iframe><iframe src="docs"></iframe><iframe src="/"></iframe>`)
	f("\n é<img src=q.png>", "2:12 missing-file")
	f("<style>\n a { b: url(q.png) }</style>", "2:13 missing-file")
	f(`<p style="b: url(q.png)">`, "1:11 missing-file")
	f(`<iframe src="other/"></iframe>`, "1:14 missing-file")
	f(`<a href="q.html"></a><link rel="canonical" href="q.html"><img src="https://example.com/q.png">`)
	f(`<script>import "./q.js"</script>`, "1:17 missing-file")
	f(`<link rel="stylesheet" href="a.css" integrity="` + sri(css) + `">`)
	f(`<link rel="stylesheet" href="a.css" integrity="`+sri(css+"x")+`">`, "1:48 wrong-digest")
	f(`<link rel="stylesheet" href="a.css" integrity="md5-x">`)
	f(`<link rel="stylesheet" href="https://example.com/a.css" integrity="sha256-x">`)
	f(`<meta http-equiv="Content-Security-Policy" content="style-src 'sha256-x'"><style>a { b: url(p.png) }</style>`, "1:82 stale-digest")
	f(`<meta http-equiv="Content-Security-Policy" content="style-src 'self'"><style>a { b: url(p.png) }</style>`)
	f(`<meta http-equiv="Content-Security-Policy" content="style-src 'sha256-x'"><style>a { color: red }</style>`)
	f(`<script type="importmap">{"integrity": {}}</script>`, "1:26 stale-digest")
}

// TestIntegrity has the digests of what is sent, whatever else is in the attribute.
func TestIntegrity(t *testing.T) {
	const css = "a { background: url(p.png) }"
	before, _ := digest("sha384", []byte(css))
	page := `<link rel="stylesheet" href="a.css" integrity="` + before + `?x=y  md5-z"><link rel="stylesheet" href="a.css" integrity="sha512-wrong"><img src="p.png">`
	s := prepared(map[string]string{"index.html": page, "a.css": css, "p.png": "p"}, Options{})
	after, _ := digest("sha384", s.bodies["a.css"])
	got := string(s.bodies["index.html"])
	if before == after || !strings.Contains(got, `integrity="`+after+`?x=y md5-z"`) || !strings.Contains(got, `integrity="sha512-wrong"`) {
		t.Errorf("%s, want %s", got, after)
	}
}
