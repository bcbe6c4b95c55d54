package repo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/kinectl/kinectl/internal/repo/signing"
	"github.com/kinectl/kinectl/internal/repo/storage"
	"github.com/kinectl/kinectl/internal/repo/yum"
)

// RotateOptions are the [Options] of [Rotate]. With neither Drop nor Lost a key
// is added.
type RotateOptions struct {
	Options
	NewKey  string // where the key to add is, see signing.Source; empty: it is made
	KeyType signing.KeyType
	// PublicKey is that of a NewKey that only a command can use, see InitOptions.
	PublicKey []byte
	Drop      string // fingerprint of a key that hosts need no longer trust
	Lost      string // the same, of one whose private part is gone
}

// Rotated says which keys hosts have to trust after [Rotate].
type Rotated struct {
	Fingerprints []string `json:"fingerprints"`       // the first one signs packages
	Added        string   `json:"added,omitempty"`    // the new key
	KeyFile      string   `json:"key_file,omitempty"` // where its private part was saved, when it was made
	Dropped      string   `json:"dropped,omitempty"`
	Resigned     int      `json:"resigned"` // rpm packages that got the signature of another key
}

// Rotate changes the keys of a repository, one step at a time. Adding a key
// makes every root signed by all keys, so that hosts that trust the old one,
// the new one or both go on. Dropping one signs the roots, and the rpm packages
// that it has signed, with the others alone. A lost key can sign nothing more:
// it is dropped, and when it was the only one, a new one takes its place, which
// hosts must be given before they believe the repository again.
func Rotate(ctx context.Context, location string, o RotateOptions) (_ *Rotated, err error) {
	o.Options = o.withDefaults()
	defer func() {
		if err != nil {
			err = fmt.Errorf("rotate the keys of %s: %w", Shown(location), err)
		}
	}()
	if dir, local := localDir(location); local {
		if err := checkOutside(dir, o.NewKey, o.KeyDir); err != nil {
			return nil, err
		}
	}
	store, err := openStore(location, storage.Options{Step: o.Step})
	if err != nil {
		return nil, err
	}
	s := &session{store: store, clock: o.Now, waiting: o.Waiting}
	defer s.close()
	var r *Rotated
	err = s.locked(ctx, func(ctx context.Context) (err error) {
		if s.trusted, err = readKeyring(ctx, store); err != nil {
			return err
		}
		r, err = s.rotate(ctx, o)
		return err
	})
	return r, err
}

func (s *session) rotate(ctx context.Context, o RotateOptions) (*Rotated, error) {
	// People paste fingerprints in groups of four, as gpg shows them.
	r := &Rotated{Dropped: strings.ToUpper(strings.ReplaceAll(o.Drop+o.Lost, " ", ""))}
	if err := checkPublicKey(o.PublicKey, o.NewKey); err != nil {
		return nil, err
	}
	if o.Drop != "" && o.Lost != "" {
		return nil, &tagged{ErrUsage, errors.New("drop a key or give up a lost one, one after the other")}
	}
	fingerprints := s.trusted.Fingerprints()
	kept := s.trusted
	switch {
	case r.Dropped == "" && len(fingerprints) > 1:
		return nil, refused(fmt.Errorf("there are %d keys already (%s): drop one first", len(fingerprints), strings.Join(fingerprints, ", ")))
	case r.Dropped != "" && !slices.Contains(fingerprints, r.Dropped):
		return nil, &tagged{ErrUsage, fmt.Errorf("key %s is none of the repository's: %s", r.Dropped, strings.Join(fingerprints, ", "))}
	case r.Dropped != "":
		kept = s.trusted.Without(r.Dropped)
	}
	if o.Drop != "" && len(fingerprints) == 1 {
		return nil, refused(fmt.Errorf("%s is the only key: add another one first", r.Dropped))
	}
	var err error
	if len(kept.Fingerprints()) > 0 {
		if s.signers, err = s.findKept(ctx, kept, o.source()); err != nil {
			return nil, err
		}
	}
	if r.Dropped == "" || len(s.signers) == 0 {
		added, keyFile, err := s.addKey(ctx, o)
		if err != nil {
			return nil, err
		}
		if slices.Contains(fingerprints, added.Fingerprint()) {
			return nil, refused(fmt.Errorf("key %s is one of the repository's already", added.Fingerprint()))
		}
		r.Added, r.KeyFile = added.Fingerprint(), keyFile
		s.signers = append(s.signers, added)
		if kept, err = kept.With(added.Certificate()); err != nil {
			return nil, err
		}
		// Whoever reads while the roots change needs both.
		if s.trusted, err = s.trusted.With(added.Certificate()); err != nil {
			return nil, err
		}
		if err := s.putKeyring(ctx, s.trusted); err != nil {
			return nil, err
		}
	}
	r.Fingerprints = kept.Fingerprints()
	if r.Dropped != "" {
		if r.Resigned, err = s.signAnew(ctx, r.Dropped); err != nil {
			return nil, err
		}
	}
	if _, err := s.resign(ctx, "", nil); err != nil {
		return nil, err
	}
	return r, s.putKeyring(ctx, kept)
}

// findKept finds the signers of the keys that stay. The key that goes may be
// among the references: every other verb needs it until then.
func (s *session) findKept(ctx context.Context, kept signing.Keyring, o signing.Source) (signing.Signers, error) {
	signers, err := signing.Find(ctx, kept, o)
	if err == nil || len(o.Keys) == 0 {
		return signers, err
	}
	all, errAll := signing.Find(ctx, s.trusted, o)
	if errAll != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(k signing.Signer) bool { return !kept.Has(k.Fingerprint()) }), nil
}

func (s *session) putKeyring(ctx context.Context, k signing.Keyring) error {
	return s.store.PutRoots(ctx, []storage.File{storage.Bytes(keyName, k.Armored())})
}

// addKey finds or makes the key to add.
func (s *session) addKey(ctx context.Context, o RotateOptions) (key signing.Signer, keyFile string, err error) {
	suites, err := s.suites(ctx)
	if err != nil {
		return nil, "", err
	}
	origin := DefaultOrigin
	if len(suites) > 0 {
		st, err := s.load(ctx, suites[0])
		if err != nil {
			return nil, "", err
		}
		origin = st.apt.Release().Origin
	}
	if o.NewKey != "" {
		key, err = loadKey(ctx, o.NewKey, o.PublicKey, origin, s.now)
		return key, "", err
	}
	o.Keys = nil // these are the old ones
	return makeKey(origin, o.KeyType, o.Options, s.now)
}

// signAnew gives every rpm package that a key has signed the signature of the
// first one that stays, under another name.
func (s *session) signAnew(ctx context.Context, dropped string) (count int, err error) {
	suites, err := s.suites(ctx)
	if err != nil {
		return 0, err
	}
	for _, suite := range suites {
		st, err := s.load(ctx, suite)
		if err != nil {
			return count, err
		}
		n, err := s.signSuite(ctx, st, "/Packages/"+keyID(dropped)+"/")
		count += n
		if err != nil {
			return count, fmt.Errorf("suite %s: %w", suite, err)
		}
	}
	return count, nil
}

func (s *session) signSuite(ctx context.Context, st *state, old string) (int, error) {
	entries, err := st.entries(ctx)
	if err != nil {
		return 0, err
	}
	dir, err := os.MkdirTemp("", "kinectl-repo-*")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	var c change
	var p publication
	written := map[string]string{} // by digest: noarch packages are in several directories
	for _, e := range entries {
		if e.Format != "rpm" || !strings.Contains(e.Filename, old) {
			continue
		}
		got, err := s.fetch(ctx, e, dir)
		if err != nil {
			return 0, err
		}
		signed, err := got.rpm.Signed(ctx, s.signers[0], s.now)
		if err != nil {
			return 0, err
		}
		arch := strings.Split(e.Filename, "/")[2]
		next := e
		next.Filename, next.Size, next.SHA256 = yum.Filename(st.suite, arch, keyID(s.signers[0].Fingerprint()), e), signed.Size, signed.SHA256
		y := c.forYum(arch, s.now)
		y.Remove = append(y.Remove, e)
		y.Add = append(y.Add, yum.Package{Entry: next, RPM: got.rpm, HeaderStart: signed.HeaderStart, HeaderEnd: signed.HeaderEnd})
		p.pool = append(p.pool, storage.File{Name: next.Filename, Size: next.Size, Open: signed.Open, LinkOf: written[signed.SHA256]})
		written[signed.SHA256] = next.Filename
		p.superseded = append(p.superseded, e.Filename)
	}
	if len(p.pool) == 0 {
		return 0, nil
	}
	next, err := s.next(ctx, st, c)
	if err != nil {
		return 0, err
	}
	next.pool, next.superseded = p.pool, append(next.superseded, p.superseded...)
	return len(p.pool), s.commit(ctx, next)
}
