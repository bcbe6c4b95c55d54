package repo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/kinectl/kinectl/internal/atomicfile"
)

// InitOptions are the [Options] of a new repository.
type InitOptions struct {
	Options
	Origin  string  // DefaultOrigin when empty, or that of the repository when it is there
	KeyType KeyType // RSA4096 when empty; of no effect on a key that is there
}

// Info says what [Init] made or found.
type Info struct {
	Origin      string `json:"origin"`
	Suite       string `json:"suite"`
	Fingerprint string `json:"fingerprint"`
	KeyFile     string `json:"key_file"` // the private key; never in the repository
	Created     bool   `json:"created"`  // false: the suite was there
}

// Init makes the repository in dir, or adds a suite to the one that is there.
// The private key comes from Options.KeyFile when that file exists and is made
// when it does not. Init again, also after it was killed, finishes what is
// missing and changes nothing else. A directory that holds something else is
// an error, and so is a private key inside the repository.
func Init(ctx context.Context, dir string, o InitOptions) (_ *Info, err error) {
	o.Options = o.withDefaults()
	defer func() {
		if err != nil {
			err = fmt.Errorf("init repository %s: %w", dir, err)
		}
	}()
	if err := errors.Join(checkSuite(o.Suite), o.checkOrigin()); err != nil {
		return nil, err
	}
	if err := checkVacant(dir); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	if err := checkOutside(dir, o.KeyFile, o.KeyDir); err != nil {
		return nil, err
	}
	unlock, err := lock(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer unlock()

	w := writer{dir, o.Step}
	now := o.Now()
	key, trusted, keyFile, err := w.initKey(ctx, o, now)
	if err != nil {
		return nil, err
	}
	if err := w.adoptOrigin(ctx, &o, trusted, now); err != nil {
		return nil, err
	}
	info := &Info{Origin: o.Origin, Suite: o.Suite, Fingerprint: key.Fingerprint(), KeyFile: keyFile}
	switch s, err := loadSuite(ctx, dirTree(dir), o.Suite, trusted, now); {
	case err == nil:
		return info, w.mend(ctx, s, trusted, key, now)
	case !errors.Is(err, ErrNotRepository):
		return nil, err
	}
	// Hosts can add the source before the first package is there.
	empty := indexes{"amd64": nil, "arm64": nil}
	before := &suite{release: release{origin: o.Origin, suite: o.Suite}}
	info.Created = true
	return info, w.advance(ctx, before, empty, key, now)
}

func (o InitOptions) checkOrigin() error {
	if o.Origin == "" {
		return nil
	}
	return checkOrigin(o.Origin)
}

// initKey finds or makes the key pair: the private part first, so that a
// public key without it never stands in the tree.
func (w writer) initKey(ctx context.Context, o InitOptions, now time.Time) (key *Key, trusted keyring, keyFile string, err error) {
	trusted, err = treeKeyring(ctx, dirTree(w.root))
	if err == nil {
		key, err = o.signingKey(trusted)
		return key, trusted, o.keyFile(key), err
	}
	if !errors.Is(err, ErrNotRepository) {
		return nil, nil, "", err
	}
	if o.KeyFile != "" {
		key, err = readKey(o.KeyFile)
	}
	if o.KeyFile == "" || errors.Is(err, ErrNoKey) {
		if key, err = o.makeKey(now); err == nil {
			keyFile = o.keyFile(key)
			err = saveKey(keyFile, key)
		}
	}
	if err != nil {
		return nil, nil, "", err
	}
	public, err := key.Public()
	if err != nil {
		return nil, nil, "", err
	}
	if trusted, err = parseKeyring(public); err != nil {
		return nil, nil, "", err
	}
	return key, trusted, o.keyFile(key), w.write(ctx, keyName, public)
}

func (o InitOptions) makeKey(now time.Time) (*Key, error) {
	origin, kind := o.Origin, o.KeyType
	if origin == "" {
		origin = DefaultOrigin
	}
	if kind == "" {
		kind = RSA4096
	}
	return NewKey(origin, kind, now)
}

// adoptOrigin takes the origin from a suite that is there: a repository has
// one, since hosts pin by it.
func (w writer) adoptOrigin(ctx context.Context, o *InitOptions, trusted keyring, now time.Time) error {
	names, err := w.suites()
	if err != nil {
		return err
	}
	if len(names) == 0 {
		if o.Origin == "" {
			o.Origin = DefaultOrigin
		}
		return nil
	}
	s, err := loadSuite(ctx, dirTree(w.root), names[0], trusted, now)
	if err != nil {
		return err
	}
	if o.Origin != "" && o.Origin != s.release.origin {
		return fmt.Errorf("the repository is there under the origin %q, which hosts pin by and which stays", s.release.origin)
	}
	o.Origin = s.release.origin
	return nil
}

// checkVacant accepts a directory that is missing, empty, or a repository.
func checkVacant(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() == keyName {
			return nil
		}
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") {
			return fmt.Errorf("the directory holds other files, such as %s", e.Name())
		}
	}
	return nil
}

// checkOutside refuses private keys in a tree that web servers serve.
func checkOutside(dir string, places ...string) error {
	root, err := realPath(dir)
	if err != nil {
		return err
	}
	for _, place := range places {
		if place == "" {
			continue
		}
		real, err := realPath(place)
		if err != nil {
			return err
		}
		if rel, err := filepath.Rel(root, real); err == nil && filepath.IsLocal(rel) {
			return fmt.Errorf("the private key %s would lie inside the repository, which web servers serve", place)
		}
	}
	return nil
}

// realPath resolves the links of the part of a path that exists.
func realPath(name string) (string, error) {
	name, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	real, err := filepath.EvalSymlinks(name)
	if errors.Is(err, fs.ErrNotExist) {
		parent, err := realPath(filepath.Dir(name))
		return filepath.Join(parent, filepath.Base(name)), err
	}
	return real, err
}

// saveKey writes a private key that only its owner may read. It never
// replaces one.
func saveKey(file string, key *Key) error {
	if file == "" {
		return fmt.Errorf("%w: no file and no directory is given to keep it in", ErrNoKey)
	}
	if _, err := os.Lstat(file); err == nil {
		return fmt.Errorf("%s: %w", file, fs.ErrExist)
	}
	body, err := key.Private()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	return atomicfile.Write(file, body, 0o600)
}
