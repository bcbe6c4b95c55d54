package repo

import (
	"context"
	"errors"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/kinectl/kinectl/internal/repo/apt"
	"github.com/kinectl/kinectl/internal/repo/storage"
	"github.com/kinectl/kinectl/internal/repo/yum"
)

// change is what is to become of a suite.
type change struct {
	apt *apt.Change            // nil: the root for apt stays as it is
	yum map[string]*yum.Change // by architecture; one that is not there stays
}

// forYum is the change of the packages for one architecture of hosts, which may
// be empty: a new root is made all the same.
func (c *change) forYum(arch string, now time.Time) *yum.Change {
	if c.yum == nil {
		c.yum = map[string]*yum.Change{}
	}
	if c.yum[arch] == nil {
		c.yum[arch] = &yum.Change{Now: now}
	}
	return c.yum[arch]
}

// publication is a change of the files, in the order in which they are
// written. Each stage is durable before the next one begins.
type publication struct {
	pool    []storage.File // packages
	indexes []storage.File // under names that hold their digest
	fixed   []storage.File // the same indexes under the names for old clients
	roots   []storage.File // one after the other

	superseded []string // files that no root names any more afterwards
	current    []string // files that the new roots name
}

// next works out what a change of a suite writes. All that speaks against the
// change comes in one error, and nothing is written then.
func (s *session) next(ctx context.Context, st *state, c change) (p publication, err error) {
	if c.apt != nil {
		if err := s.readMissing(ctx, st, c.apt); err != nil {
			return p, err
		}
		next, err := st.apt.Apply(ctx, *c.apt)
		if err != nil {
			return p, err
		}
		roots, err := next.Sign(ctx, s.signers)
		if err != nil {
			return p, err
		}
		p.indexes, p.fixed, p.roots = next.IndexFiles(false), next.FixedFiles(true), roots
		p.supersede(st.apt.Names(), next.Names())
		st.apt = next
	}
	for _, arch := range slices.Sorted(maps.Keys(c.yum)) {
		before, names := st.yum[arch], []string{}
		if before != nil {
			names = before.Names()
		} else {
			before = yum.New(st.suite, arch)
		}
		next, err := before.Apply(ctx, *c.yum[arch])
		if err != nil {
			return p, err
		}
		lists, err := next.IndexFiles(ctx, false)
		if err != nil {
			return p, err
		}
		pair, roots, err := next.Sign(ctx, s.signers)
		if err != nil {
			return p, err
		}
		p.indexes = append(append(p.indexes, lists...), pair...)
		p.roots = append(p.roots, roots...)
		p.supersede(names, next.Names())
		st.yum[arch] = next
	}
	return p, nil
}

// readMissing opens the packages whose files Contents is to tell.
func (s *session) readMissing(ctx context.Context, st *state, c *apt.Change) error {
	missing, err := st.apt.Missing(ctx, *c)
	if err != nil || len(missing) == 0 {
		return err
	}
	dir, err := tempDir()
	if err != nil {
		return err
	}
	defer dir.remove()
	c.Newest = make([]apt.Package, len(missing))
	return forAll(ctx, len(missing), func(i int) error {
		p, err := s.fetch(ctx, missing[i], dir.name)
		if err != nil {
			return err
		}
		p.deb.Entry.Published = missing[i].Published
		c.Newest[i] = *p.deb
		return errors.Join(err, os.Remove(p.file.name))
	})
}

// supersede notes what one root names before and after.
func (p *publication) supersede(before, after []string) {
	p.current = append(p.current, after...)
	for _, name := range before {
		if !slices.Contains(after, name) {
			p.superseded = append(p.superseded, name)
		}
	}
}

// commit writes a publication.
func (s *session) commit(ctx context.Context, p publication) error {
	current := p.current
	for _, f := range p.pool {
		current = append(current, f.Name)
	}
	old, err := s.readExpired(ctx)
	if err != nil {
		return err
	}
	kept, due := old.next(current, p.superseded, s.now)
	if err := s.store.Put(ctx, p.pool); err != nil {
		return err
	}
	if err := s.store.Put(ctx, unique(p.indexes)); err != nil {
		return err
	}
	// What is due has no reader any more, so it may go before the new roots
	// come; were its line dropped first, a killed process would leave it for good.
	if err := s.store.Remove(ctx, due); err != nil {
		return err
	}
	if !slices.Equal(old, kept) {
		if err := s.store.Put(ctx, []storage.File{kept.file()}); err != nil {
			return err
		}
	}
	if err := s.store.Put(ctx, p.fixed); err != nil {
		return err
	}
	return s.store.PutRoots(ctx, p.roots)
}

// unique leaves out the second of two files with one name: of indexes, whose
// names are their content.
func unique(files []storage.File) []storage.File {
	seen := map[string]bool{}
	return slices.DeleteFunc(slices.Clone(files), func(f storage.File) bool {
		twice := seen[f.Name]
		seen[f.Name] = true
		return twice
	})
}
