package yum

import (
	"context"
	"fmt"

	"github.com/kinectl/kinectl/internal/repo/signing"
	"github.com/kinectl/kinectl/internal/repo/storage"
)

// IndexFiles are the lists under the names that have their digest: those that
// the change made, or all. They go out before the root that names them.
func (r *Repository) IndexFiles(ctx context.Context, all bool) ([]storage.File, error) {
	var files []storage.File
	for kind, l := range r.lists {
		if !all && !r.changed[kind] {
			continue
		}
		_, body, err := l.load(ctx)
		if err != nil {
			return nil, err
		}
		files = append(files, storage.File{Name: directory(r.suite, r.arch) + l.data.name(kind), Size: body.Size(), Open: body.Open})
	}
	return files, nil
}

// Sign signs the root. The pair is repomd.xml and its signature under names
// that have the digest of repomd.xml; it has to be there before the roots, which are
// the same two files under the names that clients ask for, in the order in
// which they are replaced.
func (r *Repository) Sign(ctx context.Context, signers signing.Signers) (pair, roots []storage.File, err error) {
	// Of several keys only the first signs: rpm's own readers of OpenPGP, which
	// newer dnf uses, refuse a file with two signatures.
	signature, err := signers[:1].Detach(ctx, r.body, r.now)
	if err != nil {
		return nil, nil, fmt.Errorf("sign %s: %w", r.rootName(""), err)
	}
	files := func(name string) []storage.File {
		return []storage.File{storage.Bytes(name, r.body), storage.Bytes(name+".asc", signature)}
	}
	return files(r.rootName(sum(r.body) + "-")), files(r.rootName("")), nil
}

// Names are the files of the metadata of this state under the names that have
// a digest, relative to the repository: what must stay while it is current.
// The packages' own are in Entries. A new repository has none.
func (r *Repository) Names() []string {
	if r.body == nil {
		return nil
	}
	pair := r.rootName(sum(r.body) + "-")
	names := []string{pair, pair + ".asc"}
	for kind, l := range r.lists {
		names = append(names, directory(r.suite, r.arch)+l.data.name(kind))
	}
	return names
}

func (r *Repository) rootName(prefix string) string {
	return directory(r.suite, r.arch) + "repodata/" + prefix + "repomd.xml"
}
