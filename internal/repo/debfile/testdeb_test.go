package debfile

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/md5"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"

	"github.com/kinectl/kinectl/internal/needs"
)

// tarFile is an entry of an archive that a test makes: a regular file, unless
// the header says otherwise.
type tarFile struct {
	tar.Header
	body string
}

func file(name, body string) tarFile { return tarFile{tar.Header{Name: name}, body} }

func hardLink(name, target string) tarFile {
	return tarFile{Header: tar.Header{Name: name, Typeflag: tar.TypeLink, Linkname: target}}
}

func symlink(name, target string) tarFile {
	return tarFile{Header: tar.Header{Name: name, Typeflag: tar.TypeSymlink, Linkname: target}}
}

func control(name, version, arch string) string {
	return "Package: " + name + "\nVersion: " + version + "\nArchitecture: " + arch +
		"\nMaintainer: Ops <ops@example.com>\nDescription: a service\n of ours\n"
}

// makeDeb makes a package whose two archives are compressed alike.
func makeDeb(t testing.TB, suffix, controlText string, files ...tarFile) []byte {
	t.Helper()
	return makeDebWith(t, suffix, []tarFile{file("./control", controlText)}, files)
}

// makeSummedDeb is makeDeb with a file md5sums of all regular files.
func makeSummedDeb(t testing.TB, suffix, controlText string, files ...tarFile) []byte {
	t.Helper()
	var sums strings.Builder
	for _, f := range files {
		if f.Typeflag == 0 {
			fmt.Fprintf(&sums, "%x  %s\n", md5.Sum([]byte(f.body)), strings.TrimPrefix(f.Name, "./"))
		}
	}
	return makeDebWith(t, suffix, []tarFile{file("./control", controlText), file("./md5sums", sums.String())}, files)
}

func makeDebWith(t testing.TB, suffix string, control, data []tarFile) []byte {
	t.Helper()
	return makeAr("debian-binary", "2.0\n", "control.tar"+suffix, makeTar(t, suffix, control...), "data.tar"+suffix, makeTar(t, suffix, data...))
}

func makeAr(pairs ...string) []byte {
	var b bytes.Buffer
	b.WriteString(arMagic)
	for i := 0; i < len(pairs); i += 2 {
		fmt.Fprintf(&b, "%-16s%-12d%-6d%-6d%-8s%-10d%s", pairs[i], 0, 0, 0, "100644", len(pairs[i+1]), arHeaderEnd)
		b.WriteString(pairs[i+1])
		if len(pairs[i+1])%2 == 1 {
			b.WriteByte('\n')
		}
	}
	return b.Bytes()
}

func makeTar(t testing.TB, suffix string, files ...tarFile) string {
	t.Helper()
	var b bytes.Buffer
	archive := tar.NewWriter(&b)
	for _, f := range files {
		f.Mode, f.Size = 0o644, int64(len(f.body))
		check(t, archive.WriteHeader(&f.Header))
		_, err := io.WriteString(archive, f.body)
		check(t, err)
	}
	check(t, archive.Close())
	return compress(t, suffix, b.Bytes())
}

func compress(t testing.TB, suffix string, body []byte) string {
	t.Helper()
	var b bytes.Buffer
	var packed io.WriteCloser
	var err error
	switch suffix {
	case "":
		return string(body)
	case ".gz":
		packed = gzip.NewWriter(&b)
	case ".xz":
		packed, err = xz.NewWriter(&b)
	case ".zst":
		packed, err = zstd.NewWriter(&b)
	case ".lzma":
		packed, err = lzma.NewWriter(&b)
	case ".bz2": // Go has no writer
		cmd := exec.Command(needs.Program(t, "bzip2", "packages were not compared with the real one"), "-c")
		cmd.Stdin = bytes.NewReader(body)
		out, err := cmd.Output()
		check(t, err)
		return string(out)
	}
	check(t, err)
	_, err = packed.Write(body)
	check(t, err)
	check(t, packed.Close())
	return b.String()
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// tree writes files below a new directory.
func tree(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	check(t, os.Chmod(dir, 0o755))
	for name, body := range files {
		name = filepath.Join(dir, name)
		check(t, os.MkdirAll(filepath.Dir(name), 0o755))
		check(t, os.WriteFile(name, []byte(body), 0o644))
	}
	return dir
}
