package diag

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestWrite(t *testing.T) {
	f := func(in Finding, want string) {
		t.Helper()
		var b strings.Builder
		if err := (Findings{in}).Write(&b, false); err != nil {
			t.Fatal(err)
		}
		if got := b.String(); got != want {
			t.Errorf("got:\n%s\nwant:\n%s", got, want)
		}
	}
	base := Finding{Rule: "unknown-key", Severity: Error, File: "spec.yml", Line: 3, Column: 5, Message: "what", Width: 4}

	plain := base
	plain.Excerpt, plain.Hint = "    naem: x", "did you mean name?"
	f(plain, "spec.yml:3:5: error: what [unknown-key]\n        naem: x\n        ^^^^\n    hint: did you mean name?\n")

	tabs := base
	tabs.Excerpt, tabs.Column, tabs.Width = "\tx\tabc", 4, 3
	f(tabs, "spec.yml:3:4: error: what [unknown-key]\n    \tx\tabc\n    \t \t^^^\n")

	// One cell for é, two for 世, none for the combining accent of e◌́.
	wide := base
	wide.Excerpt, wide.Column, wide.Width = "é世e\u0301: 世x", 7, 1
	f(wide, "spec.yml:3:7: error: what [unknown-key]\n    é世e\u0301: 世x\n          ^^\n")

	// A caret past the end, as for a missing value, still shows.
	past := base
	past.Excerpt, past.Column, past.Width = "a:", 3, 0
	f(past, "spec.yml:3:3: error: what [unknown-key]\n    a:\n      ^\n")

	escape := base
	escape.Excerpt, escape.Column, escape.Width, escape.Message = "a\x1b[2J", 1, 1, "x\x1by"
	f(escape, "spec.yml:3:1: error: x\uFFFDy [unknown-key]\n    a\uFFFD[2J\n    ^\n")

	nowhere := Finding{Rule: "too-large", Severity: Warning, File: "spec.yml", Message: "what"}
	f(nowhere, "spec.yml: warning: what [too-large]\n")
}

func TestWriteLongLine(t *testing.T) {
	line := strings.Repeat("a", 500) + "HERE" + strings.Repeat("b", 500)
	var b strings.Builder
	_ = Findings{{File: "f", Line: 1, Column: 501, Width: 4, Excerpt: line}}.Write(&b, false)
	rows := strings.Split(b.String(), "\n")
	text, carets := []rune(rows[1]), []rune(rows[2])
	if len(text) > window+10 {
		t.Fatalf("the line was not cut: %d characters", len(text))
	}
	at := strings.Index(string(carets), "^^^^")
	if got := string(text[at : at+4]); got != "HERE" {
		t.Errorf("carets stand under %q", got)
	}
}

func TestColour(t *testing.T) {
	var b strings.Builder
	_ = Findings{{Severity: Error, File: "f", Line: 1, Column: 1, Message: "m", Excerpt: "x"}}.Write(&b, true)
	if !strings.Contains(b.String(), red+"error:"+reset) {
		t.Errorf("no colour in %q", b.String())
	}
}

func TestSortAndCount(t *testing.T) {
	fs := Findings{
		{File: "b", Line: 1, Severity: Warning},
		{File: "a", Line: 2, Column: 9, Severity: Error},
		{File: "a", Line: 2, Column: 3, Severity: Warning},
	}
	fs.Sort()
	if fs[0].Column != 3 || fs[1].Column != 9 || fs[2].File != "b" {
		t.Errorf("order: %+v", fs)
	}
	if fs.Count(Warning) != 2 || !fs.HasErrors() || Findings(nil).HasErrors() {
		t.Error("miscounted")
	}
}

func TestJSON(t *testing.T) {
	got, err := json.Marshal(Finding{Rule: "r", Severity: Error, File: "f", Path: "p", Line: 1, Column: 2, Message: "m", Hint: "h", Excerpt: "secret"})
	want := `{"rule":"r","severity":"error","file":"f","path":"p","line":1,"column":2,"message":"m","hint":"h"}`
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v", got, err)
	}
}
