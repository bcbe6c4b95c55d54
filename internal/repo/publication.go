package repo

import (
	"context"
	"errors"
	"maps"
	"os"
	"slices"
	"sync"
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
	sign    []signature    // of the roots; made while the packages and indexes are written
	fixed   []storage.File // the same indexes under the names for old clients

	superseded []string // files that no root of the suite names any more afterwards
	current    []string // files that belong to the new state
}

// signature makes the files of one root: those that have to be there before,
// and the root itself, in the order of its writing.
type signature func(context.Context) (before, roots []storage.File, err error)

// next works out what a change of a suite writes. All that speaks against the
// change comes in one error, and nothing is written then. The roots are signed
// by [session.commit].
func (s *session) next(ctx context.Context, st *state, c change) (p publication, err error) {
	if c.apt != nil {
		if err := s.readMissing(ctx, st, c.apt); err != nil {
			return p, err
		}
		next, err := st.apt.Apply(ctx, *c.apt)
		if err != nil {
			return p, err
		}
		p.indexes, p.fixed = next.IndexFiles(false), next.FixedFiles(true)
		p.sign = append(p.sign, func(ctx context.Context) (_, roots []storage.File, err error) {
			roots, err = next.Sign(ctx, s.signers)
			return nil, roots, err
		})
		p.name(p.fixed)
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
		p.indexes = append(p.indexes, lists...)
		p.sign = append(p.sign, func(ctx context.Context) (_, _ []storage.File, err error) { return next.Sign(ctx, s.signers) })
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
	dir, err := os.MkdirTemp("", "kinectl-repo-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	c.Newest = make([]apt.Package, len(missing))
	return forAll(ctx, len(missing), func(i int) error {
		p, err := s.fetch(ctx, missing[i], dir)
		if err != nil {
			return err
		}
		p.deb.Entry.Published = missing[i].Published
		c.Newest[i] = *p.deb
		return errors.Join(err, os.Remove(p.file.name))
	})
}

// name notes files that belong to the new state.
func (p *publication) name(files []storage.File) {
	for _, f := range files {
		p.current = append(p.current, f.Name)
	}
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

// commit writes a publication. What it leaves behind is noted after the roots:
// a process that is killed before has superseded nothing, and one that is killed
// in between leaves files that no root names, which prune finds. A signer that
// fails leaves such files too.
func (s *session) commit(ctx context.Context, p publication) error {
	p.name(p.pool)
	old, err := s.readExpired(ctx)
	if err != nil {
		return err
	}
	before, roots, err := s.signWhileWriting(ctx, p)
	if err != nil {
		return err
	}
	if err := s.store.Put(ctx, before); err != nil {
		return err
	}
	p.name(roots)
	back := old.without(p.current)
	if len(back) != len(old) { // some that were to go are in use again
		if err := s.store.Put(ctx, []storage.File{back.file()}); err != nil {
			return err
		}
	}
	if err := s.store.Put(ctx, p.fixed); err != nil {
		return err
	}
	if err := s.store.PutRoots(ctx, roots); err != nil {
		return err
	}
	return s.expire(ctx, back, p)
}

// signWhileWriting makes the roots, which takes milliseconds for each or a
// person at a card reader, while what they name is written. What fails first
// calls off the other, and is the error.
func (s *session) signWhileWriting(ctx context.Context, p publication) (before, roots []storage.File, err error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var signing sync.WaitGroup
	signing.Go(func() {
		for _, sign := range p.sign {
			first, then, err := sign(ctx)
			if err != nil {
				stop(err)
				return
			}
			before, roots = append(before, first...), append(roots, then...)
		}
	})
	if err = s.store.Put(ctx, unique(p.pool)); err == nil {
		err = s.store.Put(ctx, unique(p.indexes))
	}
	if err != nil {
		stop(err)
	}
	signing.Wait()
	return before, roots, context.Cause(ctx)
}

// unique leaves out the second of two files with one name, whose content is the
// same: names of indexes are their content, and packages never change.
func unique(files []storage.File) []storage.File {
	seen := map[string]bool{}
	return slices.DeleteFunc(slices.Clone(files), func(f storage.File) bool {
		twice := seen[f.Name]
		seen[f.Name] = true
		return twice
	})
}
