package debfile

import (
	"archive/tar"
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"slices"
	"strings"
)

const (
	maxNames   = 64 << 20 // bytes of all names of a payload: a small archive can hold very many
	maxMD5Sums = 64 << 20 // bytes of the file md5sums
)

type md5Sum = [md5.Size]byte

// Payload reads the whole payload once and lists its files: their absolute
// paths, sorted, without directories, links and devices among them. Damage is
// an error that says which part it is in: the structure of the archive, the
// checksum of its compression, or a file that is not what md5sums in the
// control archive says of it. Entries that lead out of the root are refused.
//
// A payload that has neither a checksum of its compression nor md5sums (plain
// or lzma, and made without debhelper) can be changed and not be found out.
// Memory is some tens of megabytes for a decompressor, and the names.
func (p *Package) Payload(ctx context.Context) (files []string, err error) {
	want, err := p.md5Sums(ctx)
	if err != nil {
		return nil, err
	}
	l := &listing{sums: map[string]md5Sum{}, want: want, hash: md5.New()}
	if err := p.data.walk(ctx, l.add); err != nil {
		return nil, err
	}
	if err := l.compare(); err != nil {
		return nil, fmt.Errorf("%s: %w", p.data.name, err)
	}
	slices.Sort(l.files)
	return slices.Compact(l.files), nil
}

// listing is what is known of a payload while it is read.
type listing struct {
	files []string
	bytes int // of the names

	want map[string]md5Sum // by absolute path; nil: there is no file md5sums
	sums map[string]md5Sum // of the regular files
	hash hash.Hash
}

func (l *listing) add(h *tar.Header, content io.Reader) (done bool, err error) {
	name := absolute(h.Name)
	if l.bytes += len(name); l.bytes > maxNames {
		return false, fmt.Errorf("more than %d bytes of names", maxNames)
	}
	if h.Typeflag != tar.TypeDir {
		l.files = append(l.files, name)
	}
	if l.want == nil {
		return false, nil
	}
	switch h.Typeflag {
	case tar.TypeReg:
		l.hash.Reset()
		if _, err := io.Copy(l.hash, content); err != nil {
			return false, fmt.Errorf("%q: damaged: %w", h.Name, err)
		}
		l.sums[name] = md5Sum(l.hash.Sum(nil))
	case tar.TypeLink: // another name of a file that came before
		sum, found := l.sums[absolute(h.Linkname)]
		if !found {
			return false, fmt.Errorf("%q: links to %q, which does not come before it", h.Name, h.Linkname)
		}
		l.sums[name] = sum
	}
	return false, nil
}

// compare says all files that md5sums does not describe.
func (l *listing) compare() error {
	there := map[string]bool{}
	for _, name := range l.files {
		there[name] = true
	}
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(l.want)) {
		sum, regular := l.sums[name]
		switch {
		case !there[name]:
			faults = append(faults, fmt.Errorf("%q is in md5sums and not in the payload", name))
		case regular && sum != l.want[name]:
			faults = append(faults, fmt.Errorf("%q: damaged: its MD5 is %x, and md5sums says %x", name, sum, l.want[name]))
		}
		if len(faults) == 10 {
			break // enough to see what it is
		}
	}
	return errors.Join(faults...)
}

// md5Sums reads the file of that name in the control archive, deb-md5sums(5);
// nil when there is none.
func (p *Package) md5Sums(ctx context.Context) (sums map[string]md5Sum, err error) {
	err = p.control.walk(ctx, func(h *tar.Header, content io.Reader) (done bool, err error) {
		if absolute(h.Name) != "/md5sums" || h.Typeflag != tar.TypeReg {
			return false, nil
		}
		body, err := readAllLimit(content, maxMD5Sums)
		if err == nil {
			sums, err = parseMD5Sums(string(body))
		}
		if err != nil {
			err = fmt.Errorf("md5sums: %w", err)
		}
		return true, err
	})
	return sums, err
}

// parseMD5Sums reads lines of a sum, a blank, mostly one more blank or an
// asterisk, and a path from the root, which may start with "/" or "./".
func parseMD5Sums(text string) (map[string]md5Sum, error) {
	sums := map[string]md5Sum{}
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			continue
		}
		line, escaped := strings.CutPrefix(line, `\`) // md5sum(1), of a name with a backslash
		digits, name, found := strings.Cut(line, " ")
		sum, err := hex.DecodeString(digits)
		if name != "" && (name[0] == ' ' || name[0] == '*') {
			name = name[1:]
		}
		if !found || err != nil || len(sum) != md5.Size || name == "" {
			return nil, fmt.Errorf("line %d is not a sum and a path", number)
		}
		if escaped {
			name = strings.ReplaceAll(name, `\\`, `\`)
		}
		sums[absolute(name)] = md5Sum(sum)
	}
	return sums, nil
}
