package repo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/kinectl/kinectl/internal/repo/apt"
	"github.com/kinectl/kinectl/internal/repo/signing"
	"github.com/kinectl/kinectl/internal/repo/storage"
	"github.com/kinectl/kinectl/internal/repo/yum"
)

// InitOptions are the [Options] of a new repository.
type InitOptions struct {
	Options
	Origin  string          // DefaultOrigin when empty, or that of the repository when it is there
	KeyType signing.KeyType // RSA-4096 when empty; of no effect on a key that is there
	// PublicKey is that of a key that only a command can use, as PEM or DER; see
	// signing.Certify.
	PublicKey []byte
	ValidFor  time.Duration // how long hosts believe a root of a new suite without a newer one, for apt; 0: without end
}

// Info says what [Init] made or found.
type Info struct {
	Origin       string   `json:"origin"`
	Suite        string   `json:"suite"`
	Fingerprints []string `json:"fingerprints"`
	KeyFile      string   `json:"key_file,omitempty"` // the private key, when it was made; never in the repository
	Created      bool     `json:"created"`            // false: the suite was there
}

// Init makes a repository, or adds a suite to the one that is there. The
// private key comes from where Options.Keys says, and is made when that is a
// file that does not exist, or nothing. Init again, also after it was killed,
// finishes what is missing and changes nothing else. A place that holds
// something else is an error, and so is a private key inside the repository.
func Init(ctx context.Context, location string, o InitOptions) (_ *Info, err error) {
	o.Options = o.withDefaults()
	defer func() {
		if err != nil {
			err = fmt.Errorf("init repository %s: %w", Shown(location), err)
		}
	}()
	if err := errors.Join(checkSuite(o.Suite), o.check()); err != nil {
		return nil, err
	}
	if dir, local := localDir(location); local {
		if err := errors.Join(checkVacant(dir), checkOutside(dir, append(o.Keys, o.KeyDir)...)); err != nil {
			return nil, err
		}
	}
	store, err := openStore(location, storage.Options{Step: o.Step, Create: true})
	if err != nil {
		return nil, err
	}
	s := &session{store: store, clock: o.Now, waiting: o.Waiting}
	defer s.close()
	var info *Info
	err = s.locked(ctx, func(ctx context.Context) error {
		info, err = s.init(ctx, o)
		return err
	})
	return info, err
}

func (s *session) init(ctx context.Context, o InitOptions) (*Info, error) {
	keyFile, err := s.initKeys(ctx, o)
	if err != nil {
		return nil, err
	}
	if o.Origin, err = s.origin(ctx, o.Origin); err != nil {
		return nil, err
	}
	info := &Info{Origin: o.Origin, Suite: o.Suite, Fingerprints: s.trusted.Fingerprints(), KeyFile: keyFile}
	st, err := s.load(ctx, o.Suite)
	var c change
	switch {
	case errors.Is(err, ErrNotRepository):
		// Hosts can add the source before the first package is there.
		lost, err := s.lost(ctx, true)
		if err == nil && slices.Contains(lost, o.Suite) {
			err = &tagged{ErrDamaged, fmt.Errorf("suite %s has packages, but its dists/%s/InRelease is gone", o.Suite, o.Suite)}
		}
		if err != nil {
			return nil, err
		}
		info.Created = true
		st = &state{suite: o.Suite, apt: apt.NewSuite(o.Origin, o.Suite), yum: map[string]*yum.Repository{}}
		c.apt = &apt.Change{Now: s.now, ValidFor: &o.ValidFor}
		if st.yum, err = s.existingYum(ctx, o.Suite); err != nil {
			return nil, err
		}
	case err != nil:
		return nil, err
	case o.ValidFor > 0:
		return nil, refused(fmt.Errorf("suite %s is there already; `kinectl repo resign --suite %s --valid-for …` changes how long it is valid", o.Suite, o.Suite))
	}
	// apt's root comes last of all, so that a suite that is there is whole.
	for _, arch := range firstArchitectures() {
		if st.yum[arch] == nil {
			p, err := s.next(ctx, st, change{yum: map[string]*yum.Change{arch: {Now: s.now}}})
			if err != nil {
				return nil, err
			}
			if err := s.commit(ctx, p); err != nil {
				return nil, err
			}
		}
	}
	if info.Created {
		p, err := s.next(ctx, st, c)
		if err != nil {
			return nil, err
		}
		if err := s.commit(ctx, p); err != nil {
			return nil, err
		}
	}
	return info, s.mend(ctx, st)
}

// existingYum are the rpm roots of a suite without one for apt: an Init was
// killed between them.
func (s *session) existingYum(ctx context.Context, suite string) (map[string]*yum.Repository, error) {
	found := map[string]*yum.Repository{}
	for _, arch := range rpmArchitectures() {
		repository, err := s.openYum(ctx, suite, arch)
		if err != nil {
			return nil, err
		}
		if repository != nil {
			found[arch] = repository
		}
	}
	return found, nil
}

func (o InitOptions) check() error {
	if len(o.Keys) > 1 {
		return &tagged{ErrUsage, errors.New("a repository begins with one key; `rotate` adds another")}
	}
	if err := checkPublicKey(o.PublicKey, strings.Join(o.Keys, "")); err != nil {
		return err
	}
	if o.ValidFor < 0 {
		return &tagged{ErrUsage, fmt.Errorf("a root cannot be valid for %s", o.ValidFor)}
	}
	if o.Origin == "" {
		return nil
	}
	if err := apt.CheckOrigin(o.Origin); err != nil {
		return &tagged{ErrUsage, err}
	}
	return nil
}

// initKeys finds or makes the key pair: the private part first, so that a
// public key without it never stands in the tree.
func (s *session) initKeys(ctx context.Context, o InitOptions) (keyFile string, err error) {
	s.trusted, err = readKeyring(ctx, s.store)
	if err == nil {
		s.signers, err = signing.Find(ctx, s.trusted, o.source())
		return "", err
	}
	if !errors.Is(err, ErrNotRepository) {
		return "", err
	}
	var key signing.Signer
	create := len(o.Keys) == 0
	if !create {
		key, err = loadKey(ctx, o.Keys[0], o.PublicKey, originOrDefault(o.Origin), s.now)
		// Only a file that is not there is one to be made.
		create = errors.Is(err, ErrNoKey) && signing.IsFile(o.Keys[0])
	}
	if create {
		key, keyFile, err = makeKey(originOrDefault(o.Origin), o.KeyType, o.Options, s.now)
	}
	if err != nil {
		return "", err
	}
	if s.trusted, err = signing.ParseKeyring(key.Certificate()); err != nil {
		return "", err
	}
	s.signers = signing.Signers{key}
	return keyFile, s.store.Put(ctx, []storage.File{storage.Bytes(keyName, s.trusted.Armored())})
}

// origin is that of a suite that is there: a repository has one, since hosts
// pin by it.
func (s *session) origin(ctx context.Context, wanted string) (string, error) {
	names, err := s.suites(ctx)
	if err != nil {
		return "", err
	}
	if len(names) == 0 {
		return originOrDefault(wanted), nil
	}
	first, err := apt.Load(ctx, s.store, names[0], s.trusted, s.now)
	if err != nil {
		return "", err
	}
	origin := first.Release().Origin
	if wanted != "" && wanted != origin {
		return "", fmt.Errorf("the repository is there under the origin %q, which hosts pin by and which stays", origin)
	}
	return origin, nil
}

// checkPublicKey refuses a public key that nothing asks for.
func checkPublicKey(public []byte, reference string) error {
	if public != nil && !strings.HasPrefix(reference, "exec:") {
		return &tagged{ErrUsage, errors.New("a public key is for a private one that only a command can use, exec:COMMAND")}
	}
	return nil
}

func originOrDefault(origin string) string {
	if origin == "" {
		return DefaultOrigin
	}
	return origin
}

// loadKey is the one private key of a reference. A command needs its public
// part, which becomes a key of this origin.
func loadKey(ctx context.Context, reference string, public []byte, origin string, now time.Time) (signing.Signer, error) {
	if command, found := strings.CutPrefix(reference, "exec:"); found && public != nil {
		return signing.Certify(ctx, origin, public, command, now)
	}
	keys, err := signing.Load(ctx, reference)
	if err != nil {
		return nil, err
	}
	if len(keys) != 1 {
		return nil, fmt.Errorf("%s holds %d keys, not one", reference, len(keys))
	}
	return keys[0], nil
}

// makeKey makes a private key and saves it where its owner alone may read it.
func makeKey(origin string, kind signing.KeyType, o Options, now time.Time) (key *signing.Key, keyFile string, err error) {
	if kind == "" {
		kind = signing.RSA4096
	}
	if key, err = signing.NewKey(origin, kind, now); err != nil {
		if errors.Is(err, signing.ErrKeyType) {
			err = &tagged{ErrUsage, err}
		}
		return nil, "", err
	}
	switch {
	case len(o.Keys) > 0:
		keyFile = o.Keys[0]
	case o.KeyDir != "":
		keyFile = filepath.Join(o.KeyDir, key.Fingerprint()+".asc")
	default:
		return nil, "", fmt.Errorf("%w: no file and no directory is given to keep it in", ErrNoKey)
	}
	return key, keyFile, signing.Save(keyFile, key)
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
