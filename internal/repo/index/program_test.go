package index

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/kinectl/kinectl/internal/needs"
)

// TestRealPrograms reads many members and many frames, one, and none at all,
// with the programs that do it on a host.
func TestRealPrograms(t *testing.T) {
	const aptHelper = "/usr/lib/apt/apt-helper"
	f := func(what string, text *Text, suffix string, form Forms, program string, args ...string) {
		t.Helper()
		t.Run(what+" "+filepath.Base(program)+" "+suffix, func(t *testing.T) {
			needs.Program(t, program, "blocks are not read with the real one")
			want, err := text.Body(Plain)
			if err != nil {
				t.Fatal(err)
			}
			body, err := text.Body(form)
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(t.TempDir(), "index."+suffix)
			if err := os.WriteFile(file, bytes.Join(body, nil), 0o644); err != nil {
				t.Fatal(err)
			}
			read := func() ([]byte, error) { return exec.Command(program, append(args, file)...).Output() }
			if got, err := read(); err != nil || !bytes.Equal(got, bytes.Join(want, nil)) {
				t.Errorf("reads %d bytes, want %d: %v", len(got), want.Size(), err)
			}
			damaged := bytes.Join(body, nil)
			damaged[len(damaged)-6] ^= 1 // in the check sum of the last block
			if err := os.WriteFile(file, damaged, 0o644); err != nil {
				t.Fatal(err)
			}
			if got, err := read(); err == nil && bytes.Equal(got, bytes.Join(want, nil)) && len(got) > 0 {
				t.Error("reads it when it is damaged, so this proves nothing")
			}
		})
	}
	for n, what := range map[int]string{0: "no block", 1: "one block", 1000: "blocks"} {
		text := sample(t, lines, n)
		f(what, text, "gz", Gzip, "gzip", "-dc")
		f(what, text, "zst", Zstd, "zstd", "-dcq")
		f(what, text, "gz", Gzip, aptHelper, "cat-file")
		f(what, text, "zst", Zstd, aptHelper, "cat-file")
	}
	framed := sample(t, framedLines, 1000)
	f("with head and foot", framed, "gz", Gzip, "gzip", "-dc")
}

// TestForeign reads what other programs packed, which knows nothing of blocks,
// and cuts it.
func TestForeign(t *testing.T) {
	want := sample(t, lines, 1000)
	plain, err := want.Pack(Plain)
	if err != nil {
		t.Fatal(err)
	}
	half := bytes.IndexByte(plain.Plain[len(plain.Plain)/2:], '\n') + len(plain.Plain)/2 - 100 // not at the end of a record
	pack := func(program string, args ...string) (packed []byte) {
		needs.Program(t, program, "blocks are not read with the real one")
		for _, part := range [][]byte{plain.Plain[:half], plain.Plain[half:]} {
			cmd := exec.Command(program, args...)
			cmd.Stdin = bytes.NewReader(part)
			out, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			packed = append(packed, out...)
		}
		return packed
	}
	for i, p := range []Packed{{Gzip: pack("gzip", "-nc")}, {Zstd: pack("zstd", "-cq")}, {Gzip: pack("gzip", "-nc"), Zstd: pack("zstd", "-cq")}} {
		text, err := Decode(lines, p)
		if err != nil {
			t.Fatal(err)
		}
		got, err := text.Pack(Plain | Gzip)
		if err != nil || !bytes.Equal(got.Plain, plain.Plain) {
			t.Errorf("%d: read as another text: %v", i, err)
		}
		if blocks, ok := members(got.Gzip); !ok || fmt.Sprint(len(blocks)) != fmt.Sprint(len(want.blocks)) {
			t.Errorf("%d: packed as %d blocks, %v", i, len(blocks), ok)
		}
	}
}
