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

// Sign returns the root, repomd.xml and its signature, in the order in which the
// files are to be replaced: first the pair under names that have the digest of
// repomd.xml, then under those that clients ask for.
func (r *Repository) Sign(ctx context.Context, signers signing.Signers) ([]storage.File, error) {
	// Of several keys only the first signs: rpm's own readers of OpenPGP, which
	// newer dnf uses, refuse a file with two signatures.
	signature, err := signers[:1].Detach(ctx, r.body, r.now)
	if err != nil {
		return nil, fmt.Errorf("sign %s: %w", r.rootName(""), err)
	}
	hashed, root := r.rootName(sum(r.body)+"-"), r.rootName("")
	return []storage.File{
		storage.Bytes(hashed, r.body), storage.Bytes(hashed+".asc", signature),
		storage.Bytes(root, r.body), storage.Bytes(root+".asc", signature),
	}, nil
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
