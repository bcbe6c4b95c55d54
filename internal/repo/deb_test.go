package repo

import (
	"bytes"
	"errors"
	"io/fs"
	"strings"
	"testing"
)

func TestReadDeb(t *testing.T) {
	f := func(suffix string) {
		t.Helper()
		deb := makeDeb(t, suffix, control("hello", "1:1.0-1", "amd64"), map[string]string{
			"./usr/share/kinectl/hello/spec.yml": "service: {}\n",
			"./usr/bin/hello":                    "\x7fELF",
		})
		d, err := ReadDeb(bytes.NewReader(deb))
		if err != nil {
			t.Fatalf("compression %q: %v", suffix, err)
		}
		if d.Name != "hello" || d.Version != "1:1.0-1" || d.Architecture != "amd64" {
			t.Errorf("compression %q: read as %s %s %s", suffix, d.Name, d.Version, d.Architecture)
		}
		for range 2 { // a Deb can be read again
			if body, err := d.File("/usr/share/kinectl/hello/spec.yml"); err != nil || string(body) != "service: {}\n" {
				t.Errorf("compression %q: spec.yml is %q, %v", suffix, body, err)
			}
		}
		if _, err := d.File("/usr/share/other"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("compression %q: a missing file gives %v", suffix, err)
		}
		if err := d.Check(); err != nil {
			t.Errorf("compression %q: Check: %v", suffix, err)
		}
	}
	f("")
	f(".gz")
	f(".xz")
	f(".zst")
}

func TestDebFileLimit(t *testing.T) {
	deb := makeDeb(t, ".zst", control("hello", "1.0", "amd64"), map[string]string{"./big": strings.Repeat("x", maxFile+1)})
	d, err := ReadDeb(bytes.NewReader(deb))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.File("/big"); !errors.Is(err, errTooLong) {
		t.Errorf("a file over the limit gives %v", err)
	}
}

func TestReadDebRefuses(t *testing.T) {
	good := control("hello", "1.0", "amd64")
	head := func(control string) string { return makeTar(t, ".gz", map[string]string{"./control": control}) }
	deb := func(control string) []byte {
		return makeAr("debian-binary", "2.0\n", "control.tar.gz", head(control), "data.tar.gz", makeTar(t, ".gz", nil))
	}
	f := func(body []byte, want string) {
		t.Helper()
		_, err := ReadDeb(bytes.NewReader(body))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
	f(nil, "not an ar archive")
	f([]byte("MZ this is a program"), "not an ar archive")
	f(deb(good)[:400], "cut off")
	f(deb(good)[:100], "cut off")
	f(append(deb(good), strings.Repeat("\n", 80)...), "no ar header")
	f(makeAr("debian-binary", "2.0\n"), "not a Debian package")
	f(makeAr("debian-binary", "3.0\n", "control.tar.gz", head(good), "data.tar.gz", ""), `package format "3.0"`)
	f(makeAr("debian-binary", "2.0\n", "control.tar.br", head(good), "data.tar.gz", ""), `compression ".br"`)
	f(makeAr("debian-binary", "2.0\n", "control.tar.gz", makeTar(t, ".gz", nil), "data.tar.gz", ""), "file does not exist")
	f(deb("Package: hello\n"), "field Version")
	f(deb(strings.Replace(good, "hello", "Hello", 1)), `"Hello" is not a package name`)
	f(deb(strings.Replace(good, "hello", "../hello", 1)), `"../hello" is not a package name`)
	f(deb(strings.Replace(good, "1.0", "v1.0", 1)), `"v1.0" is not a Debian version`)
	f(deb(strings.Replace(good, "1.0", "1.0/../2", 1)), "is not a Debian version")
	f(deb(strings.Replace(good, "amd64", "any", 1)), `"any" is not an architecture`)
	f(deb(good+"\nPackage: openssh-server\nVersion: 9\n"), "a second paragraph")
	f(deb(good+"version: 2.0\n"), "given twice")
	f(deb(good+"Section: a\rb\n"), "control character")
	f(deb(good+"no field\n"), "neither a field")
	f(deb(" "+good), "continues a field")
	f(deb(good+"X: \xff\n"), "not UTF-8")
	f(deb(good+"X: "+strings.Repeat("x", maxControl)), "longer")
}

// TestCheckFindsDamage flips each byte of a payload: either the change is
// found, or it is in what carries no content (padding and file metadata).
func TestCheckFindsDamage(t *testing.T) {
	f := func(suffix string) {
		t.Helper()
		deb := makeDeb(t, suffix, control("hello", "1.0", "amd64"), map[string]string{"./a": strings.Repeat("content ", 40)})
		start := bytes.Index(deb, []byte("data.tar")) + arHeaderSize
		found := 0
		for i := start; i < len(deb); i++ {
			deb[i] ^= 0x55
			if d, err := ReadDeb(bytes.NewReader(deb)); err != nil || d.Check() != nil {
				found++
			}
			deb[i] ^= 0x55
		}
		if total := len(deb) - start; found < total*9/10 {
			t.Errorf("%s: only %d of %d changed bytes were found", suffix, found, total)
		}
	}
	f(".gz")
	f(".xz")
}

func FuzzReadDeb(f *testing.F) {
	f.Add(makeDeb(f, ".gz", control("hello", "1.0", "amd64"), map[string]string{"./a": "b"}))
	f.Add(makeDeb(f, ".zst", control("hello", "1.0", "amd64"), map[string]string{"./a": "b"}))
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := ReadDeb(bytes.NewReader(body))
		if err != nil {
			return
		}
		_, _ = d.File("/a")
		if d.Check() == nil && d.Name == "" {
			t.Error("a package without a name was accepted")
		}
	})
}

// FuzzControl: whatever a control file says, its entry is one stanza that
// reads back as the same package.
func FuzzControl(f *testing.F) {
	f.Add(control("hello", "1.0", "amd64"))
	f.Add("Package: hello\nVersion: 1\nArchitecture: all\nFilename: x\nConffiles:\n /etc/x 0\n")
	f.Add("Package: hello\n\nVersion: 1\n")
	f.Fuzz(func(t *testing.T, text string) {
		fields, err := parseControl(text)
		if err != nil {
			return
		}
		d := &Deb{
			Name: fieldValue(fields, "Package"), Version: fieldValue(fields, "Version"),
			Architecture: fieldValue(fields, "Architecture"), control: fields,
		}
		if checkIdentity(d.Name, d.Version, d.Architecture) != nil {
			return
		}
		want := newEntry(d, 1, strings.Repeat("0", 64))
		got, err := parseIndex(renderIndex([]Entry{want, want}))
		if err != nil || len(got) != 2 || got[0] != want || got[1] != want {
			t.Errorf("%q became %v, %v", want.stanza, got, err)
		}
	})
}
