package repo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/kinectl/kinectl/internal/repo/apt"
	"github.com/kinectl/kinectl/internal/repo/signing"
	"github.com/kinectl/kinectl/internal/repo/storage"
	"github.com/kinectl/kinectl/internal/repo/yum"
)

// Options are what every verb that writes needs besides the repository.
type Options struct {
	Suite  string           // DefaultSuite when empty
	Keys   []string         // where private keys are, see signing.Source; none: FINGERPRINT.asc in KeyDir
	KeyDir string           // where private keys are kept, outside every repository
	Now    func() time.Time // time.Now when nil; dates the roots
	// Step, when not nil, is called after every file that is written aside and
	// again when it is in its place. Tests stop the process there.
	Step func(name string)
	// Waiting, when not nil, is called once when somebody else has the
	// repository for more than two seconds.
	Waiting func()
}

func (o Options) withDefaults() Options {
	if o.Suite == "" {
		o.Suite = DefaultSuite
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Waiting == nil {
		o.Waiting = func() {}
	}
	return o
}

func (o Options) source() signing.Source { return signing.Source{Keys: o.Keys, Dir: o.KeyDir} }

const (
	keyName = "key.asc"
	maxKey  = 1 << 20 // bytes of key.asc
)

// session is one repository that is being changed.
type session struct {
	store   storage.Store
	trusted signing.Keyring
	signers signing.Signers
	source  signing.Source // of the signers
	clock   func() time.Time
	waiting func()
	now     time.Time // when the change began, once it is locked
}

// open reads the keys of the repository at location. Nothing is locked yet. The
// caller closes the session.
func open(ctx context.Context, location string, o Options) (*session, error) {
	store, err := openStore(location, storage.Options{Step: o.Step})
	if err != nil {
		return nil, err
	}
	s := &session{store: store, source: o.source(), clock: o.Now, now: o.Now(), waiting: o.Waiting}
	if s.trusted, err = readKeyring(ctx, store); err == nil {
		s.signers, err = signing.Find(ctx, s.trusted, o.source())
	}
	if err != nil {
		s.close()
	}
	return s, err
}

// openStore opens a place that can be written. The caller closes it.
func openStore(location string, o storage.Options) (storage.Store, error) {
	store, err := storage.Open(location, o)
	if errors.Is(err, storage.ErrLocation) || errors.Is(err, storage.ErrReadOnly) {
		err = &tagged{ErrUsage, err}
	}
	return store, err
}

// close ends the connections of the place.
func (s *session) close() { _ = storage.Close(s.store) }

// readKeyring reads the public keys of a repository. Without one it is none.
func readKeyring(ctx context.Context, r storage.Reader) (signing.Keyring, error) {
	var none signing.Keyring
	body, err := r.Get(ctx, keyName, maxKey)
	if errors.Is(err, fs.ErrNotExist) {
		return none, fmt.Errorf("%w: %w", ErrNotRepository, err)
	}
	if err != nil {
		return none, err
	}
	ring, err := signing.ParseKeyring(body)
	if err != nil {
		return none, fmt.Errorf("%s: %w", keyName, err)
	}
	return ring, nil
}

// locked runs change as the only writer.
func (s *session) locked(ctx context.Context, change func(context.Context) error) error {
	patience := time.AfterFunc(2*time.Second, s.waiting)
	locked, unlock, err := s.store.Lock(ctx)
	patience.Stop()
	if err != nil {
		return err
	}
	defer unlock()
	s.now = s.clock() // the wait may have been long
	err = s.refreshKeys(locked)
	if err == nil {
		err = change(locked)
	}
	if cause := context.Cause(locked); cause != nil {
		return cause // the lock was lost, which is more than that something was canceled
	}
	return err
}

// refreshKeys reads the public keys again, under the lock: a rotation may have
// gone on meanwhile.
func (s *session) refreshKeys(ctx context.Context) error {
	if s.signers == nil {
		return nil // the change finds them by itself
	}
	trusted, err := readKeyring(ctx, s.store)
	if err != nil || bytes.Equal(trusted.Armored(), s.trusted.Armored()) {
		return err
	}
	s.trusted = trusted
	s.signers, err = signing.Find(ctx, trusted, s.source)
	return err
}

// state is what the roots of one suite vouch for. An rpm repository has a root
// of its own for each architecture.
type state struct {
	suite string
	apt   *apt.Suite
	yum   map[string]*yum.Repository // by architecture of the host
}

// load reads the roots of a suite.
func (s *session) load(ctx context.Context, suite string) (*state, error) {
	if err := checkSuite(suite); err != nil {
		return nil, err
	}
	st, err := loadApt(ctx, s.store, suite, s.trusted, s.now)
	if errors.Is(err, ErrNotRepository) {
		err = s.noSuite(ctx, suite, err)
	}
	if err != nil {
		return nil, err
	}
	return st, st.loadYum(ctx, s.store, s.trusted, s.now)
}

// noSuite says which suites there are beside the one that is not.
func (s *session) noSuite(ctx context.Context, suite string, cause error) error {
	names, err := s.suites(ctx)
	if err != nil || len(names) == 0 {
		return cause
	}
	return &tagged{ErrNotRepository, fmt.Errorf("there is no suite %s, only %s", suite, strings.Join(names, ", "))}
}

// rpmArchitectures are the hosts that an rpm repository may be for: what dnf
// calls $basearch.
func rpmArchitectures() []string {
	return []string{"x86_64", "aarch64", "armhfp", "i386", "ppc64le", "riscv64", "s390x"}
}

// baseArchitecture is the architecture of the hosts that install a package of
// this one, and "" for noarch, which fits all.
func baseArchitecture(arch string) (string, error) {
	switch arch {
	case "noarch":
		return "", nil
	case "i386", "i486", "i586", "i686":
		return "i386", nil
	case "armv7hl", "armv7hnl":
		return "armhfp", nil
	}
	if !slices.Contains(rpmArchitectures(), arch) {
		return "", fmt.Errorf("architecture %s is none that the repository knows (%s, noarch)", arch, strings.Join(rpmArchitectures(), ", "))
	}
	return arch, nil
}

// loadApt reads the root for apt, which every suite has.
func loadApt(ctx context.Context, r storage.Reader, suite string, trusted signing.Keyring, now time.Time) (*state, error) {
	st := &state{suite: suite, yum: map[string]*yum.Repository{}}
	var err error
	if st.apt, err = apt.Load(ctx, r, suite, trusted, now); err != nil {
		if errors.Is(err, fs.ErrNotExist) && !errors.Is(err, ErrDamaged) {
			err = &tagged{ErrNotRepository, err}
		}
		return nil, err
	}
	return st, nil
}

// loadYum reads the roots for dnf.
func (st *state) loadYum(ctx context.Context, r storage.Reader, trusted signing.Keyring, now time.Time) error {
	for _, arch := range rpmArchitectures() {
		repository, err := yum.Load(ctx, r, st.suite, arch, trusted, now)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		st.yum[arch] = repository
	}
	return nil
}

// suites lists the suites of the repository, sorted.
func (s *session) suites(ctx context.Context) ([]string, error) {
	var names []string
	for info, err := range s.store.List(ctx, "dists/") {
		if err != nil {
			return nil, err
		}
		if dir, file := path.Split(info.Name); file == "InRelease" {
			names = append(names, path.Base(dir))
		}
	}
	slices.Sort(names)
	return names, nil
}
