package apt

import (
	"context"
	"slices"

	"github.com/kinectl/kinectl/internal/repo/index"
)

// Find returns one package. It reads the index of one architecture and looks
// into one block of it.
func (s *Suite) Find(ctx context.Context, name, version, arch string) (index.Entry, bool, error) {
	in := arch
	if arch == archAll {
		in = s.release.Architectures[0] // as in any other
	}
	l, found := s.packages[in]
	if !found {
		return index.Entry{}, false, nil
	}
	text, err := l.read(ctx, index.Gzip, index.Plain)
	if err != nil {
		return index.Entry{}, false, err
	}
	stanza, found, err := text.Get(index.Key(name, version, arch))
	if err != nil || !found {
		return index.Entry{}, false, l.damaged(err)
	}
	e, _, err := parseStanza(stanza)
	return e, err == nil, err
}

// Versions returns the packages of one name of all architectures, oldest first.
func (s *Suite) Versions(ctx context.Context, name string) ([]index.Entry, error) {
	return s.collect(ctx, name+" ", name+"!", index.Gzip, index.Plain)
}

// Entries returns every package once, by name and version, oldest first.
func (s *Suite) Entries(ctx context.Context) ([]index.Entry, error) {
	return s.collect(ctx, "", "", index.Zstd, index.Gzip, index.Plain)
}

// collect joins a range of the lists of all architectures.
func (s *Suite) collect(ctx context.Context, from, to string, order ...index.Forms) ([]index.Entry, error) {
	parts := make([][]index.Entry, len(s.release.Architectures))
	var tasks []func() error
	for i, arch := range s.release.Architectures {
		tasks = append(tasks, func() error {
			text, err := s.packages[arch].read(ctx, order...)
			if err != nil {
				return err
			}
			for stanza, err := range text.Range(from, to) {
				if err != nil {
					return s.packages[arch].damaged(err)
				}
				e, _, err := parseStanza(stanza)
				if err != nil {
					return err
				}
				if e.Architecture != archAll || i == 0 {
					parts[i] = append(parts[i], e)
				}
			}
			return nil
		})
	}
	if err := together(tasks...); err != nil {
		return nil, err
	}
	all := slices.Concat(parts...)
	slices.SortFunc(all, compareEntries)
	return all, nil
}
