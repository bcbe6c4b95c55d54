package infrafile

import (
	"strings"
	"testing"
)

func TestLoad(t *testing.T) {
	f := func(src string, ok bool, rules ...string) {
		t.Helper()
		d, _, got := Load("policy.yml", []byte(src))
		var found []string
		for _, f := range d.Findings {
			found = append(found, f.Rule)
		}
		if got != ok || strings.Join(found, " ") != strings.Join(rules, " ") {
			t.Errorf("Load(%.40q): %v, %q; want %v, %q", src, got, found, ok, rules)
		}
	}
	f("", false)
	f("# nothing\n", false)
	f("~\n", false)
	f("a: 1\n", true)
	f("\ufeffa: 1\r\nb: 2\r\n", true)
	f("a: [\n", false, "syntax")
	f("a: 1\n---\nb: 2\n", false, "several-documents")
	f("a: &x 1\nb: *x\n", false, "no-aliases", "no-aliases")
	f("a: !!str 1\n", false, "no-tags")
	f(strings.Repeat("#", MaxSize+1), false, "too-large")
	f("a: \x00\n", false, "syntax")
}

func TestPlaces(t *testing.T) {
	d, root, ok := Load("policy.yml", []byte("groups:\n  apps:\n    files: [\"/é\", 7]\n    twice: true\n    twice: 1\n    none:\n    other: x\n"))
	if !ok {
		t.Fatal(d.Findings)
	}
	apps := d.Map(d.Map(d.Map(root, "groups")[0].Value)[0].Value, "files", "twice", "none")
	files := d.List(apps[0].Value)
	if text, ok := d.Text(files[0]); !ok || text != "/é" {
		t.Errorf("got %q", text)
	}
	if _, ok := d.Text(files[1]); ok {
		t.Error("a number is no text")
	}
	if b, ok := d.Bool(apps[1].Value); !ok || !b {
		t.Error("true is not true")
	}
	d.Fault("bad-value", files[0], "a hint", "no %s", "way")
	var b strings.Builder
	if err := d.Findings.Write(&b, false); err != nil {
		t.Fatal(err)
	}
	const want = `policy.yml:5:5: error: twice is given twice [duplicate-key]
        twice: 1
        ^^^^^
    hint: keep one of the two
policy.yml:6:5: error: none has no value [wrong-type]
        none:
        ^^^^
    hint: give it a value or remove the key
policy.yml:7:5: error: there is no key "other" here [unknown-key]
        other: x
        ^^^^^
    hint: known here: files, twice, none
policy.yml:3:19: error: files[1] must be one line of text [wrong-type]
        files: ["/é", 7]
                      ^
policy.yml:3:13: error: no way [bad-value]
        files: ["/é", 7]
                ^^^^
    hint: a hint
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}
