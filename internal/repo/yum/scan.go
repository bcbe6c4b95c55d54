package yum

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/kinectl/kinectl/internal/lazyregexp"
	"github.com/kinectl/kinectl/internal/repo/index"
)

// scanner reads a record from its start to its end. What it looks for has a
// "<" in it or comes right behind another value, so that no value is taken for
// it.
type scanner struct {
	rest   []byte
	failed bool // something was not there
}

// between returns the value after the next open, up to end.
func (s *scanner) between(open string, end byte) string {
	start := bytes.Index(s.rest, []byte(open))
	if start < 0 {
		s.failed = true
		return ""
	}
	s.rest = s.rest[start+len(open):]
	length := bytes.IndexByte(s.rest, end)
	if length < 0 {
		s.failed = true
		return ""
	}
	value := unescape(string(s.rest[:length]))
	s.rest = s.rest[length:]
	return value
}

// integer is between, as a number.
func (s *scanner) integer(open string, end byte) int64 {
	n, err := strconv.ParseInt(s.between(open, end), 10, 64)
	s.failed = s.failed || err != nil
	return n
}

// version reads [epoch:]version-release.
func (s *scanner) version() string {
	epoch := s.between(`<version epoch="`, '"')
	version := s.between(`" ver="`, '"') + "-" + s.between(`" rel="`, '"')
	if epoch == "0" {
		return version
	}
	return epoch + ":" + version
}

// primaryKey is the key of a record of primary.xml.
func primaryKey(record []byte) string {
	s := scanner{rest: record}
	name, arch := s.between("<name>", '<'), s.between("<arch>", '<')
	return index.Key(name, s.version(), arch)
}

// headKey is the key of a record of filelists.xml and other.xml.
func headKey(record []byte) string {
	s := scanner{rest: record}
	name, arch := s.between(`" name="`, '"'), s.between(`" arch="`, '"')
	return index.Key(name, s.version(), arch)
}

// splitRecord cuts off the first record, none from what starts with no record.
func splitRecord(text []byte) (record, rest []byte) {
	end := bytes.Index(text, []byte(recordEnd))
	if end < 0 || !bytes.HasPrefix(text, []byte("<package ")) {
		return nil, text
	}
	end += len(recordEnd)
	return text[:end:end], text[end:]
}

// parseEntry reads the record of primary.xml of a package in this directory,
// yum/SUITE/ARCH/.
func parseEntry(record []byte, dir string) (index.Entry, error) {
	s := scanner{rest: record}
	e := index.Entry{Format: format, Name: s.between("<name>", '<'), Architecture: s.between("<arch>", '<')}
	e.Version = s.version()
	e.SHA256 = s.between(`pkgid="YES">`, '<')
	published := s.integer(`<time file="`, '"')
	e.Size = s.integer(`<size package="`, '"')
	e.Filename = dir + s.between(`<location href="`, '"')
	if published != 0 {
		e.Published = time.Unix(published, 0).UTC()
	}
	if s.failed {
		return e, errors.New("not a record of primary.xml as it is written here")
	}
	return e, check(e, dir)
}

var (
	// What rpmbuild allows, without the signs that begin a macro.
	namePattern    = lazyregexp.New(`^[A-Za-z0-9_][A-Za-z0-9._+-]*$`)
	versionPattern = lazyregexp.New(`^([0-9]+:)?[A-Za-z0-9._+~^]+-[A-Za-z0-9._+~^]+$`)
	archPattern    = lazyregexp.New(`^[a-z0-9_]+$`)
	sha256Pattern  = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// check refuses an entry that could not be found again, or that would lie
// somewhere else than in dir.
func check(e index.Entry, dir string) error {
	var what, value string
	switch {
	case !namePattern.MatchString(e.Name):
		what, value = "name", e.Name
	case !versionPattern.MatchString(e.Version):
		what, value = "version", e.Version
	case !archPattern.MatchString(e.Architecture):
		what, value = "architecture", e.Architecture
	case !sha256Pattern.MatchString(e.SHA256):
		what, value = "sha256", e.SHA256
	case e.Size <= 0:
		what, value = "size", strconv.FormatInt(e.Size, 10)
	case !fs.ValidPath(e.Filename) || !strings.HasPrefix(e.Filename, dir+"Packages/"):
		what, value = "file name", e.Filename
	default:
		return nil
	}
	return fmt.Errorf("package %q: %s %q is not one of an rpm package here", e.Name, what, value)
}

// splitVersion takes [epoch:]version-release apart; without an epoch it is 0.
func splitVersion(s string) (epoch, version, release string) {
	epoch, rest, found := strings.Cut(s, ":")
	if !found {
		epoch, rest = "0", s
	}
	if i := strings.LastIndexByte(rest, '-'); i >= 0 {
		return epoch, rest[:i], rest[i+1:]
	}
	return epoch, rest, ""
}

// unix is t in seconds since 1970, 0 when it is not known.
func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}
