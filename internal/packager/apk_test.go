package packager

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
)

// member is one file of an archive.
type member struct {
	*tar.Header
	body []byte
}

// line is the member as installed has it.
func (m member) line() string {
	line := fmt.Sprintf("%s /%s", m.FileInfo().Mode(), m.Name)
	if m.Typeflag == tar.TypeSymlink {
		line = fmt.Sprintf("lrwxrwxrwx /%s -> %s", m.Name, m.Linkname)
	}
	return line
}

// members reads an archive; one that is cut has no end.
func members(t *testing.T, r io.Reader) []member {
	t.Helper()
	var all []member
	for archive := tar.NewReader(r); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, member{h, body})
	}
}

// TestAPK reads the package as apk does: two gzip streams, one that
// describes, and one of files, whose digest the first one has.
func TestAPK(t *testing.T) {
	file := pack(t, t.TempDir(), "apk", films(t, "1.0.0-rc1"), Options{Arch: "arm64", Distribution: "alpine3.20"})
	packed, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	in := bytes.NewReader(packed)
	buffered := bufio.NewReader(in)
	z, err := gzip.NewReader(buffered)
	if err != nil {
		t.Fatal(err)
	}
	z.Multistream(false)
	control := map[string]string{}
	for _, m := range members(t, z) {
		control[m.Name] = string(m.body)
	}
	if _, err := io.Copy(io.Discard, z); err != nil {
		t.Fatal(err)
	}
	data := packed[len(packed)-in.Len()-buffered.Buffered():]
	for _, want := range []string{
		"pkgname = films\n", "pkgver = 1.0.0_rc1-r0\n", "arch = aarch64\n", "license = Apache-2.0\n", "url = https://example.com/films\n",
		"depend = ca-certificates\n", "depend = libvips42>=8.14\n", "depend = tzdata-al\n", fmt.Sprintf("datahash = %x\n", sha256.Sum256(data)),
	} {
		if !strings.Contains(control[".PKGINFO"], want) {
			t.Errorf("without %q:\n%s", want, control[".PKGINFO"])
		}
	}
	if strings.Contains(control[".PKGINFO"], "systemd") {
		t.Errorf("Alpine has no systemd: %s", control[".PKGINFO"])
	}
	for _, name := range []string{".post-install", ".post-upgrade", ".pre-deinstall", ".post-deinstall"} {
		if !strings.HasPrefix(control[name], "#!/bin/sh\n") {
			t.Errorf("%s: %q", name, control[name])
		}
	}
	if !strings.Contains(control[".post-install"], "adduser -S -D -H -h / -s /sbin/nologin -G media films-owner\n") {
		t.Errorf(".post-install: %s", control[".post-install"])
	}

	if z, err = gzip.NewReader(bytes.NewReader(data)); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range members(t, z) {
		if m.Uname != "root" && m.Typeflag == tar.TypeReg || m.ModTime.Unix() != 1700000000 {
			t.Errorf("owner or time: %+v", m.Header)
		}
		if m.Typeflag == tar.TypeReg && m.PAXRecords["APK-TOOLS.checksum.SHA1"] != fmt.Sprintf("%x", sha1.Sum(m.body)) {
			t.Errorf("checksum of %s", m.Name)
		}
		if m.Typeflag != tar.TypeDir {
			got = append(got, m.line())
		} else if m.FileInfo().Mode() != fs.ModeDir|0o755 {
			t.Errorf("mode of %s: %s", m.Name, m.FileInfo().Mode())
		}
	}
	if !slices.Equal(got, installed) {
		t.Errorf("files: got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(installed, "\n"))
	}
}
