package rpmfile

import (
	"encoding/binary"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	maxPath  = 4096     // bytes of a path, as Linux has it
	maxPaths = 64 << 20 // bytes of all paths: short lists can name long ones
)

// fields reads values out of a header. What is not there is empty; the first
// value that is not what it must be stays in err, and all after it are empty.
type fields struct {
	*header
	err error
}

func (f *fields) fault(t tag, format string, args ...any) {
	if f.err == nil {
		f.err = fmt.Errorf("tag %d: %s", t, fmt.Sprintf(format, args...))
	}
}

// texts is a list of strings.
func (f *fields) texts(t tag) []string {
	e, found := f.entries[t]
	if !found || f.err != nil {
		return nil
	}
	if e.kind != kindString && e.kind != kindStringArray && e.kind != kindI18NString {
		f.fault(t, "not text")
		return nil
	}
	all := string(f.data[e.offset : e.offset+e.length-1]) // without the last NUL
	texts := strings.Split(all, "\x00")
	for i, text := range texts {
		texts[i] = toUTF8(text)
	}
	return texts
}

// text is one string, or the first of a list: that of the C locale.
func (f *fields) text(t tag) string {
	if texts := f.texts(t); len(texts) > 0 {
		return strings.Clone(texts[0])
	}
	return ""
}

// numbers is a list of unsigned integers of any width.
func (f *fields) numbers(t tag) []uint64 {
	e, found := f.entries[t]
	if !found || f.err != nil {
		return nil
	}
	numbers := make([]uint64, e.count)
	data := f.data[e.offset : e.offset+e.length]
	for i := range numbers {
		switch e.kind {
		case kindChar, kindInt8:
			numbers[i] = uint64(data[i])
		case kindInt16:
			numbers[i] = uint64(binary.BigEndian.Uint16(data[2*i:]))
		case kindInt32:
			numbers[i] = uint64(binary.BigEndian.Uint32(data[4*i:]))
		case kindInt64:
			numbers[i] = binary.BigEndian.Uint64(data[8*i:])
		default:
			f.fault(t, "not a number")
			return nil
		}
	}
	return numbers
}

// number is the first number of the first tag that is there, or 0.
func (f *fields) number(tags ...tag) uint64 {
	for _, t := range tags {
		if numbers := f.numbers(t); len(numbers) > 0 {
			return numbers[0]
		}
	}
	return 0
}

// binary is a value of bytes.
func (f *fields) binary(t tag) []byte {
	e, found := f.entries[t]
	if !found || f.err != nil {
		return nil
	}
	if e.kind != kindBinary {
		f.fault(t, "not bytes")
		return nil
	}
	return f.data[e.offset : e.offset+e.length]
}

func (f *fields) dependencies(r relation) []Dependency {
	names, flags, versions := f.texts(r.names), f.numbers(r.flags), f.texts(r.versions)
	if len(flags) > 0 && len(flags) != len(names) || len(versions) > 0 && len(versions) != len(names) {
		f.fault(r.names, "%d names, %d flags and %d versions", len(names), len(flags), len(versions))
		return nil
	}
	all := make([]Dependency, len(names))
	for i, name := range names {
		all[i].Name = name
		if len(flags) > 0 {
			all[i].Compare = Compare(flags[i]) & (Less | Greater | Equal)
			all[i].Pre = flags[i]&flagPre != 0
		}
		if len(versions) > 0 {
			all[i].Epoch, all[i].Version, all[i].Release = splitEVR(versions[i])
		}
	}
	return all
}

// splitEVR takes "[epoch:]version[-release]" apart.
func splitEVR(evr string) (epoch, version, release string) {
	if before, after, found := strings.Cut(evr, ":"); found {
		epoch, evr = before, after
	}
	version, release, _ = strings.Cut(evr, "-")
	return epoch, version, release
}

// files puts the paths together, which the header has in two parts.
func (f *fields) files() []File {
	names, dirs, indexes := f.texts(tagBasenames), f.texts(tagDirNames), f.numbers(tagDirIndexes)
	if names == nil { // rpm before 4.0 wrote whole paths
		names = f.texts(tagOldFilenames)
		dirs, indexes = []string{""}, make([]uint64, len(names))
	}
	modes, flags := f.numbers(tagFileModes), f.numbers(tagFileFlags)
	if len(indexes) != len(names) || len(modes) != len(names) || len(flags) != len(names) {
		f.fault(tagBasenames, "%d names, %d folders, %d modes and %d flags", len(names), len(indexes), len(modes), len(flags))
		return nil
	}
	all := make([]File, len(names))
	total := 0
	for i, name := range names {
		if indexes[i] >= uint64(len(dirs)) {
			f.fault(tagDirIndexes, "file %d is in folder %d of %d", i, indexes[i], len(dirs))
			return nil
		}
		dir := dirs[indexes[i]]
		length := len(dir) + len(name)
		if total += length; length > maxPath || total > maxPaths {
			f.fault(tagBasenames, "the paths are too long")
			return nil
		}
		all[i].Path = dir + name
		if !strings.HasPrefix(all[i].Path, "/") {
			f.fault(tagBasenames, "%q is not absolute", all[i].Path)
			return nil
		}
		switch {
		case modes[i]&modeType == modeDirectory:
			all[i].Kind = Directory
		case flags[i]&flagGhost != 0:
			all[i].Kind = Ghost
		}
	}
	return all
}

func (f *fields) changelogs() []Changelog {
	times, authors, texts := f.numbers(tagChangelogTime), f.texts(tagChangelogName), f.texts(tagChangelogText)
	if len(authors) != len(times) || len(texts) != len(times) {
		f.fault(tagChangelogTime, "%d times, %d names and %d texts", len(times), len(authors), len(texts))
		return nil
	}
	all := make([]Changelog, len(times))
	for i := range all {
		all[i] = Changelog{time.Unix(int64(times[i]), 0).UTC(), authors[i], texts[i]}
	}
	return all
}

// toUTF8 is text itself, or, when it is not UTF-8, the text that it is in
// Latin-1, as createrepo_c has it.
func toUTF8(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	runes := make([]rune, len(text))
	for i := range len(text) {
		runes[i] = rune(text[i])
	}
	return string(runes)
}
