package debfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io/fs"
	"runtime"
	"strings"
	"testing"
)

func TestRead(t *testing.T) {
	f := func(suffix string) {
		t.Helper()
		deb := makeDeb(t, suffix, control("hello", "1:1.0-1", "amd64"),
			file("./usr/share/kinectl/hello/spec.yml", "service: {}\n"), file("./usr/bin/hello", "\x7fELF"))
		p, err := Read(bytes.NewReader(deb))
		if err != nil {
			t.Fatalf("compression %q: %v", suffix, err)
		}
		if p.Name != "hello" || p.Version != "1:1.0-1" || p.Architecture != "amd64" {
			t.Errorf("compression %q: read as %s %s %s", suffix, p.Name, p.Version, p.Architecture)
		}
		if got := Value(p.Control(), "description"); got != "a service\n of ours" {
			t.Errorf("compression %q: description %q", suffix, got)
		}
		for range 2 { // a package can be read again
			if body, err := p.File("/usr/share/kinectl/hello/spec.yml"); err != nil || string(body) != "service: {}\n" {
				t.Errorf("compression %q: spec.yml is %q, %v", suffix, body, err)
			}
			if files, err := p.Payload(t.Context()); err != nil || len(files) != 2 {
				t.Errorf("compression %q: payload %q, %v", suffix, files, err)
			}
		}
		if _, err := p.File("/usr/share/other"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("compression %q: a missing file gives %v", suffix, err)
		}
	}
	f("")
	f(".gz")
	f(".xz")
	f(".zst")
	f(".lzma")
	f(".bz2")
}

func TestFileLimit(t *testing.T) {
	deb := makeDeb(t, ".zst", control("hello", "1.0", "amd64"), file("./big", strings.Repeat("x", maxFile+1)))
	p, err := Read(bytes.NewReader(deb))
	check(t, err)
	if _, err := p.File("/big"); !errors.Is(err, errTooLong) {
		t.Errorf("a file over the limit gives %v", err)
	}
}

func TestReadRefuses(t *testing.T) {
	good := control("hello", "1.0", "amd64")
	head := func(text string) string { return makeTar(t, ".gz", file("./control", text)) }
	deb := func(text string) []byte {
		return makeAr("debian-binary", "2.0\n", "control.tar.gz", head(text), "data.tar.gz", makeTar(t, ".gz"))
	}
	f := func(body []byte, want string) {
		t.Helper()
		_, err := Read(bytes.NewReader(body))
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
	f(makeAr("debian-binary", "2.0\n", "control.tar.br", head(good), "data.tar.gz", ""), `control.tar.br: compression ".br"`)
	f(makeAr("debian-binary", "2.0\n", "control.tar.gz", head(good)[:100], "data.tar.gz", ""), "control.tar.gz: damaged after the start")
	f(makeAr("debian-binary", "2.0\n", "control.tar.gz", makeTar(t, ".gz"), "data.tar.gz", ""), "control.tar.gz: control: file does not exist")
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

// TestForgedDictionary: a few bytes cannot ask for more memory than any real
// package needs.
func TestForgedDictionary(t *testing.T) {
	text := control("hello", "1.0", "amd64")
	f := func(suffix, head string) {
		t.Helper()
		deb := makeAr("debian-binary", "2.0\n", "control.tar"+suffix, head, "data.tar.gz", makeTar(t, ".gz"))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Read(bytes.NewReader(deb))
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), "dictionary size") {
			t.Errorf("%s: got %v", suffix, err)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 4<<20 {
			t.Errorf("%s: %d bytes were allocated", suffix, used)
		}
	}
	lzma := []byte(makeTar(t, ".lzma", file("./control", text)))
	binary.LittleEndian.PutUint32(lzma[1:], 1<<30)
	f(".lzma", string(lzma))
	xz := []byte(makeTar(t, ".xz", file("./control", text)))
	block := xz[12:][:4*(int(xz[12])+1)] // the first block's header ends in its CRC-32
	dictionary := bytes.Index(block, []byte{0x21, 1}) + 2
	block[dictionary] = 36 // 1 GiB
	binary.LittleEndian.PutUint32(block[len(block)-4:], crc32.ChecksumIEEE(block[:len(block)-4]))
	f(".xz", string(xz))
}

func FuzzRead(f *testing.F) {
	for _, suffix := range []string{"", ".gz", ".xz", ".zst", ".lzma"} {
		f.Add(makeSummedDeb(f, suffix, control("hello", "1.0", "amd64"), file("./a", "b"), hardLink("./c", "./a")))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := Read(bytes.NewReader(body))
		if err != nil {
			return
		}
		if err := checkIdentity(p.Name, p.Version, p.Architecture); err != nil {
			t.Errorf("accepted, but %v", err)
		}
		_, _ = p.File("/a")
		files, _ := p.Payload(t.Context())
		for _, name := range files {
			if !strings.HasPrefix(name, "/") || strings.Contains(name, "/../") || strings.Contains(name, "\n") {
				t.Errorf("listed a file %q", name)
			}
		}
	})
}

// FuzzControl: what was read can be written as one paragraph that reads back
// the same.
func FuzzControl(f *testing.F) {
	f.Add(control("hello", "1.0", "amd64"))
	f.Add("Package: hello\nVersion: 1\nArchitecture: all\nFilename: x\nConffiles:\n /etc/x 0\n")
	f.Add("Package: hello\n\nVersion: 1\n")
	f.Fuzz(func(t *testing.T, text string) {
		fields, err := ParseControl(text)
		if err != nil {
			return
		}
		var b strings.Builder
		for _, field := range fields {
			b.WriteString(field.Name + ": " + field.Value + "\n")
		}
		again, err := ParseControl(b.String())
		if err != nil || len(again) != len(fields) {
			t.Fatalf("%q became %q, %v", text, again, err)
		}
		for i := range fields {
			if again[i] != fields[i] {
				t.Errorf("%q became %q", fields[i], again[i])
			}
		}
	})
}
