package debfile

import (
	"bytes"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kinectl/kinectl/internal/needs"
)

// TestDamage flips bits all over packages, made here and by dpkg-deb. Each
// flip is refused, or both archives unpack to the very same bytes: then it was
// in what dpkg does not look at either, or the compressed stream says the same
// in another way (unused bits of its last byte, an equal repetition that lies
// elsewhere).
func TestDamage(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	content := make([]byte, 3001)
	for i := range content {
		content[i] = byte('a' + random.IntN(16))
	}
	f := func(kind string, step int, deb []byte) {
		t.Helper()
		original := plainParts(t, deb)
		accepted := map[string]int{}
		flips, refused := 0, 0
		for i := 0; i < len(deb); i += step {
			mask := byte(1 << (i % 8))
			deb[i] ^= mask
			flips++
			if err := readAll(t, deb); err != nil {
				refused++
			} else {
				place := region(deb, i)
				accepted[place]++
				if strings.HasPrefix(place, "content") && !slices.Equal(plainParts(t, deb), original) {
					t.Errorf("%s: bit %d of byte %d (%s) changes the content and was not found", kind, i%8, i, place)
				}
				if strings.HasPrefix(place, "structure") {
					t.Errorf("%s: byte %d (%s) was not found", kind, i, place)
				}
			}
			deb[i] ^= mask
		}
		if refused < flips*9/10 {
			t.Errorf("%s: only %d of %d flips are refused: %v", kind, refused, flips, accepted)
		}
		t.Logf("%s: of %d flips %d are refused; the rest: %v", kind, flips, refused, accepted)
	}
	text := control("hello", "1.0", "amd64")
	small := []tarFile{file("./usr/bin/a", string(content)), hardLink("./usr/bin/b", "./usr/bin/a"), symlink("./usr/c", "bin/a")}
	f("gzip", 2, makeSummedDeb(t, ".gz", text, small...))
	f("zstd", 5, makeSummedDeb(t, ".zst", text, small...))
	f("xz", 41, makeSummedDeb(t, ".xz", text, small...)) // slow: megabytes of memory for each
	f("bzip2", 41, makeSummedDeb(t, ".bz2", text, small...))

	dpkg := needs.Program(t, "dpkg-deb", "packages were not compared with the real one")
	dir := tree(t, map[string]string{"DEBIAN/control": text, "usr/share/hello/data": string(content)})
	for compression, step := range map[string]int{"gzip": 7, "zstd": 7, "xz": 61} {
		name := filepath.Join(t.TempDir(), "hello.deb")
		if out, err := exec.Command(dpkg, "--root-owner-group", "-Z"+compression, "-b", dir, name).CombinedOutput(); err != nil {
			t.Fatalf("dpkg-deb: %v\n%s", err, out)
		}
		deb, err := os.ReadFile(name)
		check(t, err)
		f("dpkg-deb -Z"+compression, step, deb)
	}
}

// TestDamageUncompressed: without compression only md5sums and the checksum of
// every tar header stand guard. All files that md5sums lists are covered.
func TestDamageUncompressed(t *testing.T) {
	f := func(suffix string, step int) {
		t.Helper()
		deb := makeSummedDeb(t, suffix, control("hello", "1.0", "amd64"), file("./a", strings.Repeat("content ", 100)))
		for i := bytes.LastIndex(deb, []byte("data.tar")) + arHeaderSize; i < len(deb); i += step {
			deb[i] ^= 0x10
			p, err := Read(bytes.NewReader(deb))
			if err == nil {
				_, err = p.Payload(t.Context())
			}
			if err == nil {
				if body, err := p.File("/a"); err != nil || string(body) != strings.Repeat("content ", 100) {
					t.Errorf("compression %q: byte %d changes a file and was not found: %v", suffix, i, err)
				}
			}
			deb[i] ^= 0x10
		}
	}
	f("", 3)
	f(".lzma", 11)
}

func readAll(t *testing.T, deb []byte) error {
	p, err := Read(bytes.NewReader(deb))
	if err == nil {
		_, err = p.Payload(t.Context())
	}
	return err
}

// plainParts are both archives without their compression.
func plainParts(t *testing.T, deb []byte) []string {
	t.Helper()
	p, err := Read(bytes.NewReader(deb))
	check(t, err)
	var all []string
	for _, part := range []part{p.control, p.data} {
		_, suffix, _ := strings.Cut(part.name, ".tar")
		plain, closer, err := decompress(bytes.NewReader(mustRead(t, io.NewSectionReader(part.source, 0, part.source.Size()))), suffix)
		check(t, err)
		all = append(all, string(mustRead(t, plain)))
		closer()
	}
	return all
}

func mustRead(t *testing.T, r io.Reader) []byte {
	t.Helper()
	body, err := io.ReadAll(r)
	check(t, err)
	return body
}

// region says what byte i of a package is: structure and content must hold,
// the rest says nothing.
func region(deb []byte, i int) string {
	members, err := readMembers(bytes.NewReader(deb), int64(len(deb)))
	if err != nil {
		return "structure: " + err.Error()
	}
	for _, m := range members {
		inside := i - int(m.offset)
		switch {
		case inside < -arHeaderSize+16:
			return "structure: ar, name of " + m.name
		case inside < -arHeaderSize+48:
			return "ar: time, owner, mode"
		case inside < 0:
			return "structure: ar, size of " + m.name
		case inside < int(m.size) && m.name == "debian-binary" && inside >= 2:
			return `debian-binary after "2."`
		case inside < int(m.size) && strings.HasSuffix(m.name, ".gz") && inside >= 4 && inside < 10:
			return "gzip: time, flags, system"
		case inside < int(m.size):
			return "content: " + m.name
		case inside == int(m.size) && m.size%2 == 1:
			return "ar: padding"
		}
	}
	return "structure: magic"
}
