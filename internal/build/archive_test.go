package build

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/version"
)

// program is the start of an ELF file (elf(5)) for a machine, 62 for amd64 and
// 183 for arm64.
func program(machine uint16) string {
	head := make([]byte, 64)
	copy(head, "\x7fELF\x02\x01\x01")
	binary.LittleEndian.PutUint16(head[16:], 2)
	binary.LittleEndian.PutUint16(head[18:], machine)
	binary.LittleEndian.PutUint32(head[20:], 1)
	binary.LittleEndian.PutUint16(head[52:], 64)
	return string(head) + strings.Repeat("code", 1000)
}

const amd64, arm64 = 62, 183

// member is one entry of an archive that a test makes.
type member struct {
	name, body string
	mode       fs.FileMode
	link       string // symbolic; a hard one with "=" before it
}

// upstream is what a project publishes: a folder with a program in it.
func upstream(machine uint16) []member {
	return []member{
		{name: "../../escaped", body: "#!/bin/sh\n", mode: 0o755},
		{name: "films-1.2.3/LICENSE", body: "free", mode: 0o644},
		{name: "films-1.2.3/films", body: program(machine), mode: 0o755},
		{name: "films-1.2.3/latest", mode: 0o755, link: "films"},
		{name: "films-1.2.3/hard", mode: 0o755, link: "=films-1.2.3/films"},
	}
}

// archived packs members as the kind says.
func archived(t *testing.T, kind string, members []member) []byte {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if kind == ".zip" {
		z := zip.NewWriter(&b)
		for _, m := range members {
			if strings.HasPrefix(m.link, "=") {
				continue // zip has none
			}
			h := &zip.FileHeader{Name: m.name, Method: zip.Deflate}
			h.SetMode(m.mode)
			if m.link != "" {
				h.SetMode(m.mode | fs.ModeSymlink)
			}
			w, err := z.CreateHeader(h)
			must(err)
			_, err = io.WriteString(w, m.body+m.link)
			must(err)
		}
		must(z.Close())
		return b.Bytes()
	}
	var w io.WriteCloser
	var err error
	switch kind {
	case ".tar.gz", ".tgz":
		w = gzip.NewWriter(&b)
	case ".tar.zst":
		w, err = zstd.NewWriter(&b)
	case ".tar.xz":
		w, err = xz.NewWriter(&b)
	default:
		w = struct {
			io.Writer
			io.Closer
		}{&b, io.NopCloser(nil)}
	}
	must(err)
	tw := tar.NewWriter(w)
	for _, m := range members {
		h := &tar.Header{Name: m.name, Mode: int64(m.mode), Size: int64(len(m.body)), ModTime: time.Unix(0, 0), Typeflag: tar.TypeReg}
		if m.link != "" {
			h.Typeflag, h.Linkname = tar.TypeSymlink, m.link
			if hard, ok := strings.CutPrefix(m.link, "="); ok {
				h.Typeflag, h.Linkname = tar.TypeLink, hard
			}
		}
		must(tw.WriteHeader(h))
		_, err := io.WriteString(tw, m.body)
		must(err)
	}
	must(tw.Close())
	must(w.Close())
	return b.Bytes()
}

func sum(body []byte) string {
	s := sha256.Sum256(body)
	return hex.EncodeToString(s[:])
}

// films is a plan whose program comes out of archive.
func films(archive, inside string, body []byte) plan.Plan {
	return plan.Plan{
		Name: "films", Version: version.Version{Label: "1.2.3", Deb: "1.2.3"},
		Program: plan.Program{Archive: archive, Binary: inside, SHA256: map[string]string{"amd64": sum(body)}, Archs: []string{"amd64"}},
	}
}

// take writes body beside a spec and gets the program out of it. Nothing may
// be left when that fails, and when the program is not needed any more.
func take(t *testing.T, p plan.Plan, body []byte) (string, error) {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("TMPDIR", t.TempDir())
	if err := os.WriteFile(filepath.Join(dir, expand(p.Program.Archive, p, "amd64")), body, 0o644); err != nil {
		t.Fatal(err)
	}
	path, cleanup, err := Program(t.Context(), p, Options{Dir: dir, Arch: "amd64"})
	got := ""
	if err == nil {
		info, statErr := os.Stat(path)
		content, readErr := os.ReadFile(path)
		if statErr != nil || readErr != nil || info.Mode().Perm()&0o111 == 0 {
			t.Errorf("the program: %v, %v, %v", info, statErr, readErr)
		}
		got = string(content)
		if left, _ := os.ReadDir(os.TempDir()); len(left) != 1 {
			t.Errorf("written besides the program: %v", left)
		}
		cleanup()
	}
	if left, _ := os.ReadDir(os.TempDir()); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if files, _ := os.ReadDir(dir); len(files) != 1 {
		t.Errorf("written beside the spec: %v", files)
	}
	return got, err
}

func TestArchive(t *testing.T) {
	for _, kind := range kinds() {
		f := func(inside string, members []member, wrong string) {
			t.Helper()
			body := archived(t, kind, members)
			got, err := take(t, films("films-{version}"+kind, inside, body), body)
			switch {
			case wrong == "" && (err != nil || got != program(amd64)):
				t.Errorf("%s: %s: %d bytes, %v", kind, inside, len(got), err)
			case wrong != "" && (err == nil || !strings.Contains(err.Error(), wrong)):
				t.Errorf("%s: %s: %v, want %s", kind, inside, err, wrong)
			}
		}
		f("films-{version}/films", upstream(amd64), "")
		f("./films-1.2.3//films", upstream(amd64), "")
		f("", []member{{name: "./films", body: program(amd64), mode: 0o644}}, "")
		f("films-{version}/films", upstream(arm64), "is a program for arm64, not for amd64")
		f("films-1.2.3/latest", upstream(amd64), "films-1.2.3/latest in it is a link")
		f("films-1.2.3/LICENSE", upstream(amd64), "LICENSE is no Linux program")
		f("films-1.2.3", []member{{name: "films-1.2.3/", mode: fs.ModeDir | 0o755}}[:0], "there is no file films-1.2.3 in it, and no other")
		f("films", upstream(amd64), "there is no file films in it: build.binary may mean films-1.2.3/films")
		f("film", upstream(amd64), "build.binary may mean ")
		if kind != ".zip" {
			f("films-1.2.3/hard", upstream(amd64), "films-1.2.3/hard in it is a link")
		}
	}
	body := []byte(program(amd64))
	if got, err := take(t, films("films-{version}-{arch}", "", body), body); err != nil || got != string(body) {
		t.Errorf("a bare program: %v", err)
	}
	if _, err := take(t, films("films.tar.bz2", "films", body), body); err == nil || !strings.Contains(err.Error(), "no archive that can be read (.tar.gz,") {
		t.Errorf("an archive of another kind: %v", err)
	}
}

func TestArchiveSum(t *testing.T) {
	marker := filepath.Join(t.TempDir(), "ran")
	body := archived(t, ".tar.gz", []member{{name: "films", body: "#!/bin/sh\ntouch " + marker + "\n", mode: 0o755}})
	p := films("films.tar.gz", "films", body)
	if _, err := take(t, p, body); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(marker); err == nil {
		t.Error("the program was run")
	}
	changed := bytes.Clone(body)
	changed[len(changed)/2] ^= 1
	for _, other := range [][]byte{changed, body[:len(body)-20], nil} {
		_, err := take(t, p, other)
		if err == nil || !strings.Contains(err.Error(), sum(body)) || !strings.Contains(err.Error(), sum(other)) || !strings.Contains(err.Error(), "take the sum that upstream publishes") {
			t.Errorf("another file: %v", err)
		}
		if err != nil && strings.Contains(err.Error(), "read the archive") {
			t.Errorf("it was read before its sum was right: %v", err)
		}
	}
	// With the right sum of a file that is cut off, the archive itself tells.
	for _, kind := range kinds() {
		cut := archived(t, kind, upstream(amd64))
		cut = cut[:len(cut)/3]
		if _, err := take(t, films("films"+kind, "films-1.2.3/films", cut), cut); err == nil || !strings.Contains(err.Error(), "read ") {
			t.Errorf("%s, cut off: %v", kind, err)
		}
	}
	p.Program.SHA256 = map[string]string{"arm64": sum(body)}
	if _, err := take(t, p, body); err == nil || !strings.Contains(err.Error(), "build.sha256 has none for amd64") {
		t.Errorf("no sum for this architecture: %v", err)
	}
	p.Program.SHA256 = map[string]string{"": sum(body)}
	if _, err := take(t, p, body); err != nil {
		t.Errorf("one sum for all: %v", err)
	}
}

func TestArchiveLimits(t *testing.T) {
	for _, kind := range append(kinds(), "") {
		f := func(limit int64, ok bool) {
			t.Helper()
			body := []byte(program(amd64))
			inside := ""
			if kind != "" {
				body, inside = archived(t, kind, upstream(amd64)), "films-1.2.3/films"
			}
			dir := t.TempDir()
			in := filepath.Join(dir, "in")
			if err := os.WriteFile(in, body, 0o644); err != nil {
				t.Fatal(err)
			}
			file, err := os.Open(in)
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			err = unpack(t.Context(), file, "films"+kind, inside, "films", filepath.Join(dir, "out"), limit)
			if ok != (err == nil) || !ok && !strings.Contains(err.Error(), fmt.Sprintf("more than %d", limit)) {
				t.Errorf("%q with a limit of %d: %v", kind, limit, err)
			}
		}
		size := int64(len(program(amd64)))
		f(size, true)
		f(size-1, false)
	}
	// What stands before the program counts too.
	body := archived(t, ".tar.gz", []member{{name: "bomb", body: strings.Repeat("0", 100_000), mode: 0o644}, {name: "films", body: "#!/bin/sh\n", mode: 0o755}})
	in := filepath.Join(t.TempDir(), "in")
	if err := os.WriteFile(in, body, 0o644); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(in)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	err = unpack(t.Context(), file, "x.tar.gz", "films", "films", in+".out", 1000)
	if err == nil || !strings.Contains(err.Error(), "unpacks to more than 8000 bytes") {
		t.Errorf("a bomb: %v", err)
	}
}
