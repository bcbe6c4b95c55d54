package repo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Reader reads one suite of a repository, as it was when it was opened; later
// publications do not change it. It holds nothing open and needs no closing.
// Its methods may be called at the same time.
type Reader struct {
	location string
	tree     tree
	suite    *suite
	entries  []Entry // sorted
	trusted  keyring
}

// OpenOption changes what [Open] reads or trusts.
type OpenOption func(*openOptions)

type openOptions struct {
	suite  string
	key    []byte
	client *http.Client
	now    func() time.Time
}

// WithSuite opens another suite than DefaultSuite.
func WithSuite(name string) OpenOption { return func(o *openOptions) { o.suite = name } }

// WithKey trusts these public keys, armored or not, and no others. A URL needs
// it: a key from the same server would prove nothing.
func WithKey(public []byte) OpenOption { return func(o *openOptions) { o.key = public } }

// WithClient fetches with another HTTP client.
func WithClient(c *http.Client) OpenOption { return func(o *openOptions) { o.client = c } }

// WithClock judges signatures at another time than now.
func WithClock(now func() time.Time) OpenOption { return func(o *openOptions) { o.now = now } }

// Open reads the indexes of the repository at location, a directory or an
// http(s) URL. Nothing is believed that the trusted key has not signed: first
// the signature of InRelease is checked, then the indexes by their digests in
// it. The errors are ErrNotRepository, ErrSignature, ErrDamaged, or what the
// file system or the network says.
func Open(ctx context.Context, location string, options ...OpenOption) (_ *Reader, err error) {
	shown := redact(location)
	defer func() {
		if err != nil {
			err = fmt.Errorf("open repository %s: %w", shown, err)
		}
	}()
	o := openOptions{suite: DefaultSuite, client: newClient(), now: time.Now}
	for _, set := range options {
		set(&o)
	}
	t := newTree(location, o.client)
	var trusted keyring
	switch {
	case o.key != nil:
		trusted, err = parseKeyring(o.key)
	case isURL(location):
		err = errors.New("no public key to check it with")
	default:
		trusted, err = treeKeyring(ctx, t)
	}
	if err != nil {
		return nil, err
	}
	s, err := loadSuite(ctx, t, o.suite, trusted, o.now())
	if err != nil {
		return nil, err
	}
	return &Reader{shown, t, s, s.indexes.all(), trusted}, nil
}

// Origin is the repository's name, by which hosts pin it.
func (r *Reader) Origin() string { return r.suite.release.origin }

// Suite is the suite that was opened.
func (r *Reader) Suite() string { return r.suite.release.suite }

// Date is when the suite was last changed.
func (r *Reader) Date() time.Time { return r.suite.release.date }

// Fingerprint is that of the trusted key, or of all, separated by " or ".
func (r *Reader) Fingerprint() string { return r.trusted.String() }

// Architectures are those that the suite has indexes for, sorted.
func (r *Reader) Architectures() []string { return slices.Clone(r.suite.release.architectures) }

// Entries are all packages, sorted by name, then version, oldest first.
func (r *Reader) Entries() []Entry { return slices.Clone(r.entries) }

// Versions are the entries of one package in Debian's order of versions,
// oldest first; a version for several architectures is there several times.
func (r *Reader) Versions(name string) []Entry {
	var found []Entry
	for _, e := range r.entries {
		if e.Name == name {
			found = append(found, e)
		}
	}
	return found
}

// Find returns one package. A package for all architectures fits any that is
// asked for. The error is ErrNotFound.
func (r *Reader) Find(name, version, arch string) (Entry, error) {
	versions := r.Versions(name)
	for _, e := range versions {
		if e.Version == version && (e.Architecture == arch || e.Architecture == archAll) {
			return e, nil
		}
	}
	wanted := name + " " + version
	if arch != "" {
		wanted += " for " + arch
	}
	return Entry{}, fmt.Errorf("%s is %w %s (suite %s), which has %s",
		wanted, ErrNotFound, r.location, r.Suite(), describe(versions))
}

// Package returns the bytes of one package file, which are those that the
// repository's key vouches for. The errors are ErrNotFound and ErrDamaged, or
// what the file system or the network says.
func (r *Reader) Package(ctx context.Context, name, version, arch string) ([]byte, error) {
	e, err := r.Find(name, version, arch)
	if err != nil {
		return nil, err
	}
	body, err := getChecked(ctx, r.tree, e.Filename, e.Size, e.SHA256)
	if err != nil {
		return nil, fmt.Errorf("read %s %s from %s: %w", name, version, r.location, err)
	}
	return body, nil
}

// describe lists versions for an error: the newest, since older ones are
// seldom meant.
func describe(versions []Entry) string {
	const most = 10
	if len(versions) == 0 {
		return "no package of that name"
	}
	var words []string
	for _, e := range slices.Backward(versions) {
		if len(words) == most {
			words = append(words, fmt.Sprintf("and %d older", len(versions)-most))
			break
		}
		words = append(words, e.Version+" ("+e.Architecture+")")
	}
	return strings.Join(words, ", ")
}
