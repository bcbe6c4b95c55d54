package yum

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/kinectl/kinectl/internal/repo/index"
	"github.com/kinectl/kinectl/internal/repo/rpmfile"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares got with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (-update rewrites it); got:\n%s", file, got)
	}
}

// fullPackage has something in every field.
func fullPackage() Package {
	p := testPackage("films", "2:1.0~rc1-3.el9", "x86_64")
	r := p.RPM
	r.Summary, r.Description = "Films & <more>", "One \"line\".\n  And\tanother.\r\n"
	r.License, r.URL, r.Vendor, r.Group = "Apache-2.0", "https://example.com/?a=1&b=2", "V", "Unspecified"
	r.Packager, r.BuildHost, r.SourceRPM = "Jo <jo@example.com>", "localhost", "films-1.0~rc1-3.el9.src.rpm"
	r.BuildTime, r.InstalledSize, r.ArchiveSize = clock.Add(-time.Hour), 5000, 6000
	own := rpmfile.Dependency{Name: "films", Compare: rpmfile.Equal, Epoch: "2", Version: "1.0~rc1", Release: "3.el9"}
	r.Provides = []rpmfile.Dependency{own}
	r.Requires = []rpmfile.Dependency{
		{Name: "rpmlib(CompressedFileNames)", Compare: rpmfile.LessEqual, Version: "3.0.4", Release: "1"},
		own,
		{Name: "/usr/bin/films"},
		{Name: "/bin/sh", Pre: true},
		{Name: "/bin/sh"},
		{Name: "/bin/sh"},
		{Name: "libc", Compare: rpmfile.GreaterEqual, Version: "2.17"},
		{Name: "(a if b)"},
	}
	r.Conflicts = []rpmfile.Dependency{{Name: "old", Compare: rpmfile.Less, Version: "2"}}
	r.Obsoletes = []rpmfile.Dependency{{Name: "older", Compare: rpmfile.LessEqual, Epoch: "1", Version: "3"}}
	r.Suggests, r.Enhances = []rpmfile.Dependency{{Name: "s"}}, []rpmfile.Dependency{{Name: "e"}}
	r.Recommends, r.Supplements = []rpmfile.Dependency{{Name: "r", Compare: rpmfile.Greater, Version: "1"}}, []rpmfile.Dependency{{Name: "u"}}
	r.Files = []rpmfile.File{
		{Path: "/etc/films", Kind: rpmfile.Directory},
		{Path: "/etc/films/films.conf"},
		{Path: "/usr/bin/films"},
		{Path: "/usr/lib/sendmail"},
		{Path: "/usr/share/a & <b>\n"},
		{Path: "/var/log/films.log", Kind: rpmfile.Ghost},
	}
	day := func(n int) time.Time { return clock.AddDate(0, 0, n).Truncate(24 * time.Hour) }
	for i, text := range []string{"- l", "- k & more\n- newest of that day", "- j", "- i", "- h", "- g", "- f", "- e", "- d", "- c", "- b", "- a"} {
		r.Changelogs = append(r.Changelogs, rpmfile.Changelog{Time: day(-i), Author: "Jo <jo@example.com> - 1.0-1 ", Text: text})
	}
	r.Changelogs[1].Time, r.Changelogs[2].Time = day(-3), day(-3) // with the one after them, three of one day
	return p
}

func TestRecords(t *testing.T) {
	for kind, name := range kindNames {
		golden(t, name+".xml", document(kind, fullPackage()))
	}
}

func TestRepomd(t *testing.T) {
	m := repomd{revision: clock.Unix(), repo: "stable/x86_64"}
	for kind := range m.data {
		m.data[kind] = data{strings.Repeat("a", 64), 10 + int64(kind), clock.Unix() - int64(kind)}
	}
	body := m.render()
	golden(t, "repomd.xml", body)
	if got, err := parseRepomd(body); got != m || err != nil {
		t.Errorf("read back as %+v, %v", got, err)
	}
	f := func(old, changed string) {
		t.Helper()
		body := strings.Replace(string(body), old, changed, 1)
		if m, err := parseRepomd([]byte(body)); err == nil {
			t.Errorf("with %q instead of %q: %+v", changed, old, m)
		}
	}
	f(`type="other"`, `type="others"`)
	f("<size>10</size>", "<size>-1</size>")
	f("<size>10</size>", "<size>x</size>")
	f("repodata/a", "repodata/../a")
	f("aaaa</checksum>", "aaaA</checksum>")
	f("<revision>", "<revision>-")
	f("</repomd>", "")
	f("  <data type=\"primary\">", "  <data/>\n  <data type=\"primary\">")
}

// legible is what XML can say of s.
func legible(s string) string {
	return strings.Map(func(r rune) rune { // which gives U+FFFD for each byte that is not UTF-8
		if r < ' ' && r != '\n' && r != '\t' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return '\uFFFD'
		}
		return r
	}, s)
}

// FuzzRecords puts any texts into every place of the lists: encoding/xml finds
// each where it belongs, the own scanner reads the same, and a record is cut
// off at its end.
func FuzzRecords(f *testing.F) {
	f.Add("films", "1.0", "x86_64", "text", int64(1))
	f.Add("a&b<c>\"'", "]]>\r\n\t", "</package>\n<package ", "\x00\x1f\xff\xed\xa0\x80\uFFFE\uFFFF\u0085", int64(-1))
	f.Add(" &amp; &#10; ", "<name>", "\" ver=\"", "&quot;&amp;lt;", int64(1)<<62)
	f.Fuzz(func(t *testing.T, a, b, c, d string, n int64) {
		p := Package{
			Entry: index.Entry{Format: format, Name: a, Version: "1:" + strings.ReplaceAll(b, "-", "_") + "-" + strings.ReplaceAll(c, "-", "_"), Architecture: d, SHA256: b, Size: n, Filename: "yum/s/x/" + c},
			RPM: &rpmfile.Package{
				Summary: a, Description: d, License: b, URL: c, Vendor: d, Group: a, BuildHost: b, SourceRPM: c, Packager: d, InstalledSize: n,
				Provides:   []rpmfile.Dependency{{Name: d, Compare: rpmfile.Equal, Epoch: "1", Version: "v" + b, Release: c}},
				Files:      []rpmfile.File{{Path: "/etc/" + d}, {Path: "/etc/" + c, Kind: rpmfile.Directory}},
				Changelogs: []rpmfile.Changelog{{Time: clock, Author: "a" + b + "|", Text: d}},
			},
		}
		want := index.Entry{
			Format: format, Name: legible(a), Version: legible(p.Entry.Version), Architecture: legible(d),
			SHA256: legible(b), Size: n, Filename: "yum/s/x/" + legible(c),
		}
		var first decodedPrimary
		decodeXML(t, document(primary, p, p), &first)
		x := first.Packages[1]
		for _, pair := range [][2]string{
			{x.Name, a},
			{x.Arch, d},
			{x.Checksum.Value, b},
			{x.Location.Href, c},
			{x.Summary, a},
			{x.Description, d},
			{x.Packager, d},
			{x.URL, c},
			{x.Format.License, b},
			{x.Format.Vendor, d},
			{x.Format.Group, a},
			{x.Format.BuildHost, b},
			{x.Format.SourceRPM, c},
			{x.Format.Provides[0].Name, d},
			{x.Format.Provides[0].Ver, "v" + b},
			{x.Format.Provides[0].Rel, c},
			{x.Format.Files[0].Path, "/etc/" + d},
			{x.Format.Files[1].Path, "/etc/" + c},
			{x.Version.Epoch + ":" + x.Version.Ver + "-" + x.Version.Rel, p.Entry.Version},
		} {
			if pair[0] != legible(pair[1]) {
				t.Errorf("encoding/xml reads %q as %q", pair[1], pair[0])
			}
		}
		for kind := range kinds {
			text := bytes.Repeat(record(kind, p), 2)
			one, rest := splitRecord(text)
			if !bytes.Equal(one, record(kind, p)) || !bytes.Equal(rest, one) {
				t.Errorf("%s: the first record is %q", kindNames[kind], one)
			}
			if got := layout(kind).Key(one); got != want.Key() {
				t.Errorf("%s: key %q, want %q", kindNames[kind], got, want.Key())
			}
			if kind == primary {
				got, _ := parseEntry(one, "yum/s/x/") // which refuses it: such names do not get in
				if got != want {
					t.Errorf("read back as %+v, want %+v", got, want)
				}
				continue
			}
			var list decodedList
			decodeXML(t, document(kind, p, p), &list)
			x := list.Packages[1]
			if got := index.Key(x.Name, x.Version.Epoch+":"+x.Version.Ver+"-"+x.Version.Rel, x.Arch); got != want.Key() || x.PkgID != want.SHA256 {
				t.Errorf("encoding/xml reads the package as %q %q", got, x.PkgID)
			}
			if kind == filelists && (!reflect.DeepEqual(x.Files, []decodedFile{{"", "/etc/" + legible(d)}, {"dir", "/etc/" + legible(c)}})) {
				t.Errorf("encoding/xml reads the files as %q", x.Files)
			}
			if kind == other && (x.Changelogs[0].Text != legible(d) || x.Changelogs[0].Author != "a"+legible(b)+"|") {
				t.Errorf("encoding/xml reads the changelog as %+v", x.Changelogs)
			}
		}
	})
}

// FuzzScan reads any text as a record and as a root: it says no, or reads
// what could have been written.
func FuzzScan(f *testing.F) {
	f.Add(record(primary, fullPackage()))
	f.Add(record(other, fullPackage()))
	f.Add(repomd{revision: 1}.render())
	f.Fuzz(func(t *testing.T, text []byte) {
		for kind := range kinds {
			layout(kind).Key(text)
		}
		if one, rest := splitRecord(text); len(one)+len(rest) != len(text) {
			t.Error("some of the text is lost")
		}
		if e, err := parseEntry(text, "yum/s/x/"); err == nil && check(e, "yum/s/x/") != nil {
			t.Errorf("took %+v", e)
		}
		if m, err := parseRepomd(text); err == nil {
			if again, err := parseRepomd(m.render()); err != nil || again.data != m.data {
				t.Errorf("%+v is written as %s", m, m.render())
			}
		}
	})
}
