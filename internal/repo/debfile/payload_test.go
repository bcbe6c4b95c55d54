package debfile

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/kinectl/kinectl/internal/needs"
)

func TestPayload(t *testing.T) {
	text := control("hello", "1.0", "amd64")
	f := func(suffix string) {
		t.Helper()
		p, err := Read(bytes.NewReader(makeSummedDeb(t, suffix, text,
			tarFile{Header: tar.Header{Name: "./", Typeflag: tar.TypeDir}},
			tarFile{Header: tar.Header{Name: "./usr/", Typeflag: tar.TypeDir}},
			file("./usr/b", "content"), file("usr/a b", ""), hardLink("./usr/hard", "./usr/b"), symlink("./usr/soft", "../../etc/x"),
			tarFile{Header: tar.Header{Name: "./usr/" + strings.Repeat("long/", 40) + "x"}})))
		check(t, err)
		files, err := p.Payload(t.Context())
		want := []string{"/usr/a b", "/usr/b", "/usr/hard", "/usr/" + strings.Repeat("long/", 40) + "x", "/usr/soft"}
		if err != nil || !slices.Equal(files, want) {
			t.Errorf("compression %q: %q, %v", suffix, files, err)
		}
	}
	f("")
	f(".gz")
	f(".xz")
	f(".zst")
	f(".lzma")
	f(".bz2")
}

func TestPayloadRefuses(t *testing.T) {
	text := file("./control", control("hello", "1.0", "amd64"))
	sums := func(lines string) tarFile { return file("./md5sums", lines) }
	good := fmt.Sprintf("%x", md5.Sum([]byte("b")))
	f := func(head, data []tarFile, want string) {
		t.Helper()
		p, err := Read(bytes.NewReader(makeDebWith(t, ".gz", head, data)))
		check(t, err)
		_, err = p.Payload(t.Context())
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
	plain := []tarFile{text}
	f(plain, []tarFile{file("./../etc/passwd", "x")}, `data.tar.gz: "./../etc/passwd": leads out of the root`)
	f(plain, []tarFile{file("usr/..", "x")}, "leads out of the root")
	f(plain, []tarFile{hardLink("./a", "../../etc/shadow")}, "leads out of the root")
	f(plain, []tarFile{file("./a..b/..c", "x")}, "")
	f(plain, []tarFile{file("./a\nb", "x")}, "control character")
	f(plain, []tarFile{{Header: tar.Header{Name: "a", PAXRecords: map[string]string{"X.y": "z"}, Format: tar.FormatPAX}}}, "pax header")
	f(plain, []tarFile{{Header: tar.Header{Name: "a", Typeflag: tar.TypeCont}}}, `type '7'`)

	summed := func(lines string) []tarFile { return []tarFile{text, sums(lines)} }
	data := []tarFile{file("./usr/a", "b"), file("./etc/unlisted", "c"), hardLink("./usr/hard", "./usr/a"), symlink("./usr/soft", "a")}
	f(summed(good+"  usr/a\n"), data, "")
	f(summed(good+" *./usr/a\n"+good+"  usr/hard\n"+strings.Repeat("0", 32)+"  usr/soft\n"), data, "")
	f(summed(strings.Repeat("0", 32)+"  usr/a\n"), data, `data.tar.gz: "/usr/a": damaged: its MD5 is `+good)
	f(summed(strings.Repeat("0", 32)+"  usr/hard\n"), data, `"/usr/hard": damaged`)
	f(summed(good+"  usr/gone\n"), data, `"/usr/gone" is in md5sums and not in the payload`)
	f(summed(good+"  usr/a\nnonsense\n"), data, "control.tar.gz: md5sums: line 2")
	f(summed(good+"  usr/a\n"), []tarFile{hardLink("./usr/a", "./usr/b")}, "does not come before it")
}

func TestPayloadCanceled(t *testing.T) {
	p, err := Read(bytes.NewReader(makeDeb(t, ".zst", control("hello", "1.0", "amd64"), file("./a", "b"))))
	check(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Payload(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestDpkgDeb reads what dpkg-deb writes, and lists the same files.
func TestDpkgDeb(t *testing.T) {
	dpkg := needs.Program(t, "dpkg-deb", "packages were not compared with the real one")
	body := strings.Repeat("some content\n", 1000)
	dir := tree(t, map[string]string{
		"DEBIAN/control":      control("real", "2.0~rc1-1", "all"),
		"DEBIAN/conffiles":    "/etc/real.conf\n",
		"DEBIAN/md5sums":      fmt.Sprintf("%x  usr/share/real/data\n", md5.Sum([]byte(body))),
		"usr/share/real/data": body,
		"usr/share/real/grün": "",
		"etc/real.conf":       "x\n",
	})
	check(t, os.Symlink("data", filepath.Join(dir, "usr/share/real/soft")))
	check(t, os.Link(filepath.Join(dir, "usr/share/real/data"), filepath.Join(dir, "usr/share/real/hard")))

	f := func(options ...string) {
		t.Helper()
		name := filepath.Join(t.TempDir(), "real.deb")
		if out, err := exec.Command(dpkg, append(options, "--root-owner-group", "-b", dir, name)...).CombinedOutput(); err != nil {
			t.Fatalf("dpkg-deb %v: %v\n%s", options, err, out)
		}
		deb, err := os.ReadFile(name)
		check(t, err)
		p, err := Read(bytes.NewReader(deb))
		check(t, err)
		files, err := p.Payload(t.Context())
		check(t, err)
		archive, err := exec.Command(dpkg, "--fsys-tarfile", name).Output()
		check(t, err)
		var want []string
		for r := tar.NewReader(bytes.NewReader(archive)); ; {
			h, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			check(t, err)
			if h.Typeflag != tar.TypeDir {
				want = append(want, strings.TrimPrefix(h.Name, "."))
			}
		}
		slices.Sort(want)
		if !slices.Equal(files, want) || len(want) != 5 {
			t.Errorf("%v: got %q, want %q", options, files, want)
		}
	}
	f("-Znone")
	f("-Zgzip")
	f("-Zxz")
	f("-Zzstd")
	f("-Zgzip", "--no-uniform-compression") // the control archive may differ
	f("-Zxz", "-Sextreme", "-z9")
}

// zeros is a source of a package with a payload of many zeros in its middle.
type zeros struct {
	head, tail []byte
	size       int64
}

func (z *zeros) Size() int64 { return z.size }

func (z *zeros) ReadAt(b []byte, offset int64) (int, error) {
	clear(b)
	if offset < int64(len(z.head)) {
		copy(b, z.head[offset:])
	}
	if tail := z.size - int64(len(z.tail)); offset+int64(len(b)) > tail && offset >= tail {
		return copy(b, z.tail[offset-tail:]), io.EOF
	}
	return len(b), nil
}

// TestLargePayload: a package of half a gigabyte does not go through memory.
func TestLargePayload(t *testing.T) {
	const size = 512 << 20
	var head bytes.Buffer
	check(t, tar.NewWriter(&head).WriteHeader(&tar.Header{Name: "./big", Size: size, Mode: 0o644}))
	length := int64(head.Len()) + size + 1024
	body := makeAr("debian-binary", "2.0\n", "control.tar", makeTar(t, "", file("./control", control("big", "1", "all"))))
	body = fmt.Appendf(body, "%-16s%-12d%-6d%-6d%-8s%-10d%s", "data.tar", 0, 0, 0, "100644", length, arHeaderEnd)
	source := &zeros{head: append(body, head.Bytes()...), size: int64(len(body)) + length}

	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	p, err := Read(source)
	check(t, err)
	files, err := p.Payload(t.Context())
	runtime.ReadMemStats(&after)
	if err != nil || !slices.Equal(files, []string{"/big"}) {
		t.Errorf("got %q, %v", files, err)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 8<<20 {
		t.Errorf("%d bytes were allocated for a package of %d", used, source.size)
	}
}
