package repo

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// entry is a package whose digest is made of one repeated digit.
func entry(name, version, arch, content string) Entry {
	fields, _ := parseControl(control(name, version, arch))
	return newEntry(&Deb{Name: name, Version: version, Architecture: arch, control: fields}, 100, strings.Repeat(content, 64))
}

func TestIndexGolden(t *testing.T) {
	text := control("libhello2", "1:1.0-1", "amd64") + "Depends: libc6\nConffiles:\n /etc/hello 0123\nsha256: forged\nFilename: forged\n"
	fields, err := parseControl(text)
	if err != nil {
		t.Fatal(err)
	}
	e := newEntry(&Deb{Name: "libhello2", Version: "1:1.0-1", Architecture: "amd64", control: fields}, 1234, strings.Repeat("a", 64))
	x, _, err := indexes{"amd64": nil, "arm64": nil}.with([]Entry{entry("hello", "1.10", "all", "b"), e, entry("hello", "1.9", "amd64", "c")})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "Packages", renderIndex(x["amd64"]))

	s, files, err := (&suite{release: release{origin: "kinectl", suite: "stable"}}).next(x, clock)
	if err != nil {
		t.Fatal(err)
	}
	files = slices.DeleteFunc(files, func(f indexFile) bool { return strings.HasSuffix(f.path, ".gz") })
	plain := s.release
	plain.files = slices.DeleteFunc(slices.Clone(plain.files), func(f releaseFile) bool { return strings.HasSuffix(f.path, ".gz") })
	golden(t, "Release", plain.render()) // without the compressed files, whose bytes are the library's choice
	parsed, err := parseRelease(s.text)
	if err != nil || !bytes.Equal(parsed.render(), []byte(s.text)) {
		t.Errorf("Release does not read back: %v\n%s", err, parsed.render())
	}
	for _, f := range files {
		if listed, found := parsed.file(f.path); !found || listed.sha256 != digest(f.body) {
			t.Errorf("Release does not name %s as it is", f.path)
		}
	}
}

func TestIndexesWith(t *testing.T) {
	start, _, err := indexes{"amd64": nil}.with([]Entry{
		entry("hello", "1.0", "amd64", "1"), entry("hello", "1:2.0", "amd64", "2"), entry("docs", "1.0", "all", "3"),
	})
	if err != nil {
		t.Fatal(err)
	}
	f := func(want string, add ...Entry) {
		t.Helper()
		before := fmt.Sprint(start)
		next, isNew, err := start.with(add)
		got := fmt.Sprint(err)
		if err == nil {
			got = fmt.Sprint(isNew)
			for _, arch := range next.architectures() {
				got += " " + arch + ":"
				for _, e := range next[arch] {
					got += " " + e.Name + "=" + e.Version
				}
			}
		}
		if !strings.Contains(got, want) {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if fmt.Sprint(start) != before {
			t.Error("the indexes that were there have changed")
		}
	}
	f("[true] amd64: docs=1.0 hello=1.0 hello=1.5 hello=1:2.0", entry("hello", "1.5", "amd64", "4"))
	f("[false] amd64: docs=1.0 hello=1.0 hello=1:2.0", entry("hello", "1.0", "amd64", "1"))
	f("[true] amd64: docs=1.0 hello=1.0 hello=1:2.0 arm64: docs=1.0 hello=1.0", entry("hello", "1.0", "arm64", "4"))
	f("[true false] amd64: docs=1.0 docs=1.1 hello", entry("docs", "1.1", "all", "4"), entry("docs", "1.1", "all", "4"))
	f("hello 1.0 amd64 is there with other content", entry("hello", "1.0", "amd64", "9"))
	f("hello 1.5 amd64 is there with other content", entry("hello", "1.5", "amd64", "4"), entry("hello", "1.5", "amd64", "5"))
	f("hello 2.0 amd64 would take the file name of version 1:2.0", entry("hello", "2.0", "amd64", "9"))
	f("hello 1.0 is there for architecture amd64", entry("hello", "1.0", "all", "9"))
	f("docs 1.0 is there for architecture all", entry("docs", "1.0", "amd64", "9"))
	f("hello 1.0 amd64 is there with other content (sha256 111111111111…, this is 999999999999…); a published version never changes\n"+
		"docs 1.0", entry("hello", "1.0", "amd64", "9"), entry("docs", "1.0", "all", "9"))
}

func TestSuperfluous(t *testing.T) {
	now := clock
	ago := func(n int, d time.Duration) []generation {
		var all []generation
		for i := range n {
			all = append(all, generation{fmt.Sprintf("%03d-%s", i, d), now.Add(-d - time.Duration(i)*time.Second)})
		}
		return all
	}
	f := func(all []generation, current string, want int) {
		t.Helper()
		if got := superfluous(all, map[string]bool{current: true}, now); len(got) != want {
			t.Errorf("%d superfluous, want %d: %v", len(got), want, got)
		}
	}
	f(nil, "", 0)
	f(ago(100, time.Minute), "", 0)           // all superseded a moment ago
	f(ago(100, time.Hour), "", 100-keepCount) // all long ago
	f(ago(keepCount, time.Hour), "", 0)       // few
	f(ago(11, time.Hour), "010-1h0m0s", 0)    // the current one never goes
	f(append(ago(20, time.Minute), ago(5, time.Hour)...), "", 5)
}
