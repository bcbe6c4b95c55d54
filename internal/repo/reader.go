package repo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/kinectl/kinectl/internal/repo/debfile"
	"github.com/kinectl/kinectl/internal/repo/signing"
	"github.com/kinectl/kinectl/internal/repo/storage"
	"github.com/kinectl/kinectl/internal/repo/yum"
)

// Reader reads one suite of a repository, as it was when it was opened; later
// publications do not change it. Its methods may be called at the same time.
type Reader struct {
	place   storage.Reader
	state   *state
	trusted signing.Keyring
	now     time.Time
}

// OpenOption changes what [Open] reads or trusts.
type OpenOption func(*openOptions)

type openOptions struct {
	suite string
	key   []byte
	now   func() time.Time
}

// WithSuite opens another suite than DefaultSuite.
func WithSuite(name string) OpenOption { return func(o *openOptions) { o.suite = name } }

// WithKey trusts these public keys, armored or not, and no others. A URL needs
// it: a key from the same server would prove nothing.
func WithKey(public []byte) OpenOption { return func(o *openOptions) { o.key = public } }

// WithClock judges signatures at another time than now.
func WithClock(now func() time.Time) OpenOption { return func(o *openOptions) { o.now = now } }

// Open reads the root for apt of a suite of the repository at location: a directory, s3://,
// ssh:// or an http(s) URL. Nothing is believed that the trusted key has not
// signed: first the signature of a root is checked, then each index by its
// digest in it. The errors are ErrNotRepository, ErrSignature, ErrDamaged,
// ErrUsage, or what the place says. The caller closes the Reader.
func Open(ctx context.Context, location string, options ...OpenOption) (_ *Reader, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("open repository %s: %w", Shown(location), err)
		}
	}()
	o := openOptions{suite: DefaultSuite, now: time.Now}
	for _, set := range options {
		set(&o)
	}
	if err := checkSuite(o.suite); err != nil {
		return nil, err
	}
	r := &Reader{now: o.now()}
	defer func() {
		if err != nil && r.place != nil {
			r.Close()
		}
	}()
	r.place, err = storage.OpenReader(location, storage.Options{})
	if errors.Is(err, storage.ErrLocation) {
		return nil, &tagged{ErrUsage, err}
	}
	if err != nil {
		return nil, err
	}
	switch {
	case o.key != nil:
		r.trusted, err = signing.ParseKeyring(o.key)
	case isURL(location):
		err = &tagged{ErrUsage, ErrNoTrust}
	default:
		r.trusted, err = readKeyring(ctx, r.place)
	}
	if err != nil {
		return nil, err
	}
	if r.state, err = loadApt(ctx, r.place, o.suite, r.trusted, r.now); err != nil {
		return nil, err
	}
	return r, nil
}

// Close ends the connections of the place.
func (r *Reader) Close() { _ = storage.Close(r.place) }

// Origin is the repository's name, by which hosts pin it.
func (r *Reader) Origin() string { return r.state.apt.Release().Origin }

// Suite is the suite that was opened.
func (r *Reader) Suite() string { return r.state.suite }

// Date is when the suite was last changed for apt.
func (r *Reader) Date() time.Time { return r.state.apt.Release().Date }

// ValidUntil is when apt stops to believe the suite; zero for never.
func (r *Reader) ValidUntil() time.Time { return r.state.apt.Release().ValidUntil }

// Fingerprints are those of the trusted keys.
func (r *Reader) Fingerprints() []string { return r.trusted.Fingerprints() }

// Entries are all packages in both formats, sorted by format, name and version,
// oldest first. A noarch package is there once. The roots for dnf are read now.
func (r *Reader) Entries(ctx context.Context) ([]Entry, error) {
	st := &state{suite: r.state.suite, apt: r.state.apt, yum: map[string]*yum.Repository{}}
	err := st.loadYum(ctx, r.place, r.trusted, r.now)
	var all []Entry
	if err == nil {
		all, err = st.entries(ctx)
	}
	return uniqueFiles(all), r.explain(err)
}

// Debian are the entries of one Debian package, the oldest version first; a
// version for several architectures is there several times.
func (r *Reader) Debian(ctx context.Context, name string) ([]Entry, error) {
	versions, err := r.state.apt.Versions(ctx, name)
	if err != nil {
		return nil, r.explain(err)
	}
	versions = uniqueFiles(versions)
	slices.SortFunc(versions, compareEntries)
	return versions, nil
}

// Find returns one Debian package. One for all architectures fits any that is
// asked for. The error is ErrNotFound.
func (r *Reader) Find(ctx context.Context, name, version, arch string) (Entry, error) {
	versions, err := r.Debian(ctx, name)
	if err != nil {
		return Entry{}, err
	}
	for _, e := range versions {
		if e.Version == version && (e.Architecture == arch || e.Architecture == "all") {
			return e, nil
		}
	}
	wanted := name + " " + version
	if arch != "" {
		wanted += " for " + arch
	}
	return Entry{}, fmt.Errorf("%s is %w %s (suite %s), which has %s", wanted, ErrNotFound, r.place, r.Suite(), describe(versions))
}

// Package reads one Debian package, whose bytes are those that the repository's
// key vouches for. The errors are ErrNotFound and ErrDamaged, or what the place
// says.
func (r *Reader) Package(ctx context.Context, name, version, arch string) (*debfile.Package, error) {
	e, err := r.Find(ctx, name, version, arch)
	if err != nil {
		return nil, err
	}
	body, err := r.file(ctx, e)
	if err == nil {
		var d *debfile.Package
		if d, err = debfile.Read(bytes.NewReader(body)); err == nil {
			return d, nil
		}
	}
	return nil, fmt.Errorf("read %s %s from %s: %w", name, version, r.place, err)
}

func (r *Reader) file(ctx context.Context, e Entry) ([]byte, error) {
	in, err := r.place.Open(ctx, e.Filename)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is missing: %w", e.Filename, ErrDamaged)
	}
	if err != nil {
		return nil, err
	}
	defer in.Close()
	body, err := storage.ReadAllLimit(in, e.Size)
	if errors.Is(err, storage.ErrTooLong) || err == nil && digestOf(body) != e.SHA256 {
		err = fmt.Errorf("%s: %w", e.Filename, ErrDamaged)
	}
	return body, err
}

// explain names the place in an error.
func (r *Reader) explain(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("read repository %s: %w", r.place, err)
}
