package repo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/kinectl/kinectl/internal/repo/signing"
	"github.com/kinectl/kinectl/internal/repo/storage"
)

// VerifyOptions change what [Verify] reads.
type VerifyOptions struct {
	Suites   []string // empty: every suite, or DefaultSuite of a web server
	Key      []byte   // trusted public keys; nil: key.asc of the repository itself
	Now      func() time.Time
	Progress func(done, all int) // called for every package; may be nil
}

// Verified is what [Verify] found.
type Verified struct {
	Suites   []string  `json:"suites"`
	Packages int       `json:"packages"` // files that were read, over all suites
	Bytes    int64     `json:"bytes"`
	Problems []Problem `json:"problems"`
	Unnamed  []string  `json:"unnamed"` // files that no root names and that are not about to go: leftovers of killed processes
}

// Problem is one file that is not what the repository's key vouches for.
type Problem struct {
	File  string `json:"file"`
	Error string `json:"error"`
}

// Verify reads a whole repository and checks it as clients do: signatures,
// indexes under all their names, and every package by size and digest. It
// changes nothing and takes no lock. What is wrong is in the result; an error
// is only what stopped it.
func Verify(ctx context.Context, location string, o VerifyOptions) (_ *Verified, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("verify %s: %w", Shown(location), err)
		}
	}()
	if o.Now == nil {
		o.Now = time.Now
	}
	v := &verification{Verified: &Verified{Suites: []string{}, Problems: []Problem{}, Unnamed: []string{}}, o: o, named: map[string]bool{}}
	place, err := storage.OpenReader(location, storage.Options{})
	if errors.Is(err, storage.ErrLocation) {
		return nil, &tagged{ErrUsage, err}
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = storage.Close(place) }()
	v.place = place
	switch {
	case o.Key != nil:
		v.trusted, err = signing.ParseKeyring(o.Key)
	case isURL(location):
		err = &tagged{ErrUsage, ErrNoTrust}
	default:
		v.trusted, err = readKeyring(ctx, place)
	}
	if err != nil {
		return nil, err
	}
	v.Suites = []string{DefaultSuite}
	if store, ok := place.(storage.Store); ok {
		v.store = store
		if v.Suites, err = suiteFolders(ctx, store); err != nil {
			return nil, err
		}
	}
	for _, suite := range o.Suites {
		if err := checkSuite(suite); err != nil {
			return nil, err
		}
		if v.store != nil && !slices.Contains(v.Suites, suite) {
			return nil, &tagged{ErrNotRepository, fmt.Errorf("there is no suite %s", suite)}
		}
	}
	if len(o.Suites) > 0 {
		v.Suites = o.Suites
	}
	return v.Verified, v.run(ctx)
}

// suiteFolders are the suites, also those that have lost their root.
func suiteFolders(ctx context.Context, store storage.Store) ([]string, error) {
	found := map[string]bool{}
	for info, err := range store.List(ctx, "dists/") {
		if err != nil {
			return nil, err
		}
		if parts := strings.Split(info.Name, "/"); len(parts) > 2 {
			found[parts[1]] = true
		}
	}
	return slices.Sorted(maps.Keys(found)), nil
}

type verification struct {
	*Verified
	place   storage.Reader
	store   storage.Store // the same; nil when it can only be read
	trusted signing.Keyring
	o       VerifyOptions
	named   map[string]bool // files that belong to a suite
	unread  []string        // folders of which nobody knows what belongs to a suite
}

func (v *verification) run(ctx context.Context) error {
	all := map[string]Entry{}
	for _, suite := range v.Suites {
		st, err := loadApt(ctx, v.place, suite, v.trusted, v.o.Now())
		if err != nil {
			v.problem("dists/"+suite+"/InRelease", err)
			v.unread = append(v.unread, "dists/"+suite+"/", "yum/"+suite+"/", "pool/")
			continue
		}
		if err := st.loadYum(ctx, v.place, v.trusted, v.o.Now()); err != nil {
			v.problem("yum/"+suite, err)
			v.unread = append(v.unread, "dists/"+suite+"/", "yum/"+suite+"/")
			continue
		}
		entries, err := st.entries(ctx)
		if err != nil {
			v.problem("suite "+suite, err)
			continue
		}
		for _, e := range entries {
			all[e.Filename] = e
		}
		v.checkRoots(ctx, st)
		for _, f := range st.files() {
			v.check(ctx, f)
		}
		st.indexNames(v.named)
		for _, e := range entries {
			v.named[e.Filename] = true
		}
	}
	for _, e := range all {
		if err := ctx.Err(); err != nil {
			return err
		}
		v.check(ctx, indexed{e.Filename, e.SHA256})
		v.Packages++
		v.Bytes += e.Size
		if v.o.Progress != nil {
			v.o.Progress(v.Packages, len(all))
		}
	}
	return v.unnamed(ctx)
}

// indexed is a file with the digest that a root vouches for.
type indexed struct {
	name, sha256 string
}

// files are the indexes of a suite under all their names. A name that holds the
// digest begins with it.
func (st *state) files() []indexed {
	const length = 64 // of a SHA-256 in hexadecimal
	var files []indexed
	names := st.apt.Names()
	for _, repository := range st.yum {
		names = append(names, repository.Names()...)
	}
	for _, name := range names {
		if base := path.Base(name); len(base) >= length && path.Ext(base) != ".asc" {
			files = append(files, indexed{name, base[:length]})
		}
	}
	for _, f := range st.apt.FixedFiles(true) {
		files = append(files, indexed{f.Name, path.Base(f.LinkOf)})
	}
	return files
}

func (v *verification) check(ctx context.Context, f indexed) {
	in, err := v.place.Open(ctx, f.name)
	if errors.Is(err, fs.ErrNotExist) {
		v.problem(f.name, errors.New("is missing"))
		return
	}
	if err != nil {
		v.problem(f.name, err)
		return
	}
	defer in.Close()
	switch sum, err := sumOf(in); {
	case err != nil:
		v.problem(f.name, err)
	case sum != f.sha256:
		v.problem(f.name, fmt.Errorf("has other content: sha256 %s, not %s", sum, f.sha256))
	}
}

// checkRoots checks the roots for old clients, and that the time of apt's is
// not over.
func (v *verification) checkRoots(ctx context.Context, st *state) {
	dir := "dists/" + st.suite + "/"
	if whole, err := wholeApt(ctx, v.place, st.suite, v.trusted, v.o.Now()); err != nil {
		v.problem(dir+"Release", err)
	} else if !whole {
		v.problem(dir+"Release", errors.New("it or Release.gpg is not of the same state as InRelease; `kinectl repo resign` mends it"))
	}
	if until := st.apt.Release().ValidUntil; !until.IsZero() && until.Before(v.o.Now()) {
		v.problem(dir+"InRelease", fmt.Errorf("was valid until %s: hosts refuse it; run: kinectl repo resign", until.Format(time.RFC3339)))
	}
	for arch := range st.yum {
		dir := "yum/" + st.suite + "/" + arch + "/repodata/"
		root, err := v.place.Get(ctx, dir+"repomd.xml", maxRoot)
		var signature []byte
		if err == nil {
			signature, err = v.place.Get(ctx, dir+"repomd.xml.asc", maxRoot)
		}
		if err == nil {
			err = v.trusted.Verify(root, signature, v.o.Now())
		}
		if err != nil {
			v.problem(dir+"repomd.xml.asc", err)
		}
	}
}

func (v *verification) unnamed(ctx context.Context) error {
	if v.store == nil || len(v.o.Suites) > 0 {
		return nil
	}
	var candidates []string
	for info, err := range v.store.List(ctx, "") {
		if err != nil {
			return err
		}
		unread := slices.ContainsFunc(v.unread, func(folder string) bool { return strings.HasPrefix(info.Name, folder) })
		if !isOurs(info.Name) || v.named[info.Name] || unread {
			continue
		}
		candidates = append(candidates, info.Name)
	}
	v.nameAgain(ctx)
	for _, name := range candidates {
		if v.named[name] {
			continue
		}
		v.Unnamed = append(v.Unnamed, name)
		// A root that is gone takes its packages from clients and says nothing.
		if root, found := strings.CutSuffix(name, ".asc"); found && path.Base(root) == "repomd.xml" {
			v.problem(root, errors.New("is missing"))
		}
	}
	return nil
}

// nameAgain notes what was published or superseded since the suites were read.
func (v *verification) nameAgain(ctx context.Context) {
	for _, suite := range v.Suites {
		st, err := loadApt(ctx, v.place, suite, v.trusted, v.o.Now())
		if err == nil {
			err = st.loadYum(ctx, v.place, v.trusted, v.o.Now())
		}
		if err == nil { // else it is a problem already
			st.indexNames(v.named)
			_ = st.packageNames(ctx, v.named)
		}
	}
	old, err := readExpired(ctx, v.store)
	if err != nil {
		v.problem(expiredName, err)
	}
	for _, e := range old {
		v.named[e.name] = true
	}
}

func (v *verification) problem(file string, err error) {
	v.Problems = append(v.Problems, Problem{file, err.Error()})
}
