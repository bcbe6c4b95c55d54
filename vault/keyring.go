package vault

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// keyring opens texts with some passwords, from many goroutines. It derives the
// keys of a password and a salt once: a text that is used in two variables takes the time of one.
type keyring struct {
	passwords []Password
	fitted    atomic.Int64 // index of the password that fitted last: during a rotation most texts have the same

	mu   sync.Mutex
	keys map[derivation]func() (keys, error)
}

// derivation is what keys depend on. It has no secret, since fmt shows the keys of a map.
type derivation struct {
	password int // index of the first with this secret
	salt     string
}

func newKeyring(passwords []Password) *keyring {
	return &keyring{passwords: distinct(passwords), keys: map[derivation]func() (keys, error){}}
}

func (r *keyring) open(text []byte) ([]byte, error) {
	e, err := parse(text)
	if err != nil {
		return nil, err
	}
	return r.openEnvelope(e)
}

func (r *keyring) openEnvelope(e envelope) ([]byte, error) {
	for _, i := range r.order(e.id) {
		k, err := r.derive(i, e.salt)
		if err != nil {
			return nil, err
		}
		plain, err := k.open(e)
		if err == ErrPassword {
			continue
		}
		r.fitted.Store(int64(i))
		return plain, err
	}
	return nil, fmt.Errorf("%w (%s)", ErrPassword, r.tried())
}

// order gives the indexes of the passwords in the order of trying: those of the
// text's vault id, the one that fitted last, the rest.
func (r *keyring) order(id string) []int {
	all := make([]int, len(r.passwords))
	for i := range all {
		all[i] = i
	}
	fitted := r.fitted.Load()
	rank := func(i int) int {
		switch {
		case id != "" && r.passwords[i].id == id:
			return 0
		case int64(i) == fitted:
			return 1
		}
		return 2
	}
	slices.SortStableFunc(all, func(a, b int) int { return rank(a) - rank(b) })
	return all
}

// derive waits for another goroutine that is about the same keys.
func (r *keyring) derive(i int, salt []byte) (keys, error) {
	secret := r.passwords[i].reveal()
	first := slices.IndexFunc(r.passwords, func(p Password) bool { return p.reveal() == secret })
	d := derivation{first, string(salt)}
	r.mu.Lock()
	f, ok := r.keys[d]
	if !ok {
		f = sync.OnceValues(func() (keys, error) { return derive(secret, salt) })
		r.keys[d] = f
	}
	r.mu.Unlock()
	return f()
}

// tried says how many passwords there are, and where they come from.
func (r *keyring) tried() string {
	var from []string
	for _, p := range r.passwords {
		if p.from != "" && !slices.Contains(from, p.from) {
			from = append(from, p.from)
		}
	}
	said := fmt.Sprintf("%d passwords tried", len(r.passwords))
	if len(r.passwords) == 1 {
		said = "1 password tried"
	}
	if len(from) > 0 {
		said += ", from " + strings.Join(from, " and ")
	}
	return said
}
