package repo

import (
	"context"
	"slices"

	"github.com/kinectl/kinectl/internal/repo/apt"
	"github.com/kinectl/kinectl/internal/repo/storage"
	"github.com/kinectl/kinectl/internal/repo/yum"
)

// addition collects what a publication adds to one suite.
type addition struct {
	*session
	*state
	expired   expired
	change    change
	pool      []storage.File
	published []Published
	files     []string // of the packages, those that were there too
	arches    []string // of hosts that have rpm packages

	told     map[string]bool // packages that are in published
	added    map[Entry]bool
	many     bool            // so many that it is quicker to read a list once than to look in it for each
	others   []string        // the other suites
	byKey    map[place]Entry // what is there, of the lists that were read
	listed   map[place]bool  // lists that were read; the key is empty
	otherDeb map[string]*apt.Suite
	otherRPM map[place]*yum.Repository
}

// place is a package in a list: that of apt has no architecture.
type place struct{ suite, arch, key string }

func (s *session) newAddition(ctx context.Context, st *state, packages int) (*addition, error) {
	a := &addition{
		session: s, state: st, many: packages > 50,
		added: map[Entry]bool{}, told: map[string]bool{}, byKey: map[place]Entry{}, listed: map[place]bool{},
		otherDeb: map[string]*apt.Suite{}, otherRPM: map[place]*yum.Repository{},
	}
	var err error
	if a.expired, err = s.readExpired(ctx); err != nil {
		return nil, err
	}
	if a.others, err = s.suites(ctx); err != nil {
		return nil, err
	}
	a.others = slices.DeleteFunc(a.others, func(name string) bool { return name == st.suite })
	return a, nil
}

// publish notes a package for the answer, once.
func (a *addition) publish(e Entry, isNew bool) {
	key := e.Format + " " + e.Key() + " " + e.SHA256
	if !a.told[key] {
		a.told[key] = true
		a.published = append(a.published, Published{e, isNew})
	}
}

// findDeb finds a version in the suite.
func (a *addition) findDeb(ctx context.Context, e Entry) (Entry, bool, error) {
	if !a.many {
		return a.apt.Find(ctx, e.Name, e.Version, e.Architecture)
	}
	return a.inList(place{suite: a.suite}, e.Key(), func() ([]Entry, error) { return a.apt.Entries(ctx) })
}

// findRPM finds a version in any suite.
func (a *addition) findRPM(ctx context.Context, suite, arch string, p pkg) (Entry, bool, error) {
	repository := a.yum[arch]
	if suite != a.suite {
		at := place{suite: suite, arch: arch}
		if _, loaded := a.otherRPM[at]; !loaded {
			var err error
			if a.otherRPM[at], err = a.openYum(ctx, suite, arch); err != nil {
				return Entry{}, false, err
			}
		}
		repository = a.otherRPM[at]
	}
	if repository == nil {
		return Entry{}, false, nil
	}
	e := Entry{Name: p.rpm.Name, Version: p.rpm.EVR(), Architecture: p.rpm.Arch}
	if !a.many {
		return repository.Find(ctx, e.Name, e.Version, e.Architecture)
	}
	return a.inList(place{suite: suite, arch: arch}, e.Key(), func() ([]Entry, error) { return repository.Entries(ctx) })
}

// inList looks into a list that is read once.
func (a *addition) inList(list place, key string, read func() ([]Entry, error)) (Entry, bool, error) {
	if !a.listed[list] {
		entries, err := read()
		if err != nil {
			return Entry{}, false, err
		}
		for _, e := range entries {
			a.byKey[place{list.suite, list.arch, e.Key()}] = e
		}
		a.listed[list] = true
	}
	e, found := a.byKey[place{list.suite, list.arch, key}]
	return e, found, nil
}

// otherApt is the state of another suite, read once.
func (a *addition) otherApt(ctx context.Context, suite string) (*apt.Suite, error) {
	if a.otherDeb[suite] == nil {
		other, err := apt.Load(ctx, a.store, suite, a.trusted, a.now)
		if err != nil {
			return nil, err
		}
		a.otherDeb[suite] = other
	}
	return a.otherDeb[suite], nil
}
