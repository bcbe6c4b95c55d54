package lazyregexp

import (
	"slices"
	"sync"
	"testing"
)

func TestRegexp(t *testing.T) {
	r := New(`^([a-z]+)-([0-9]+)$`)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if !r.MatchString("abc-12") || r.Match([]byte("abc")) {
				t.Error("another answer than that of package regexp")
			}
		})
	}
	all.Wait()
	if got := r.FindStringSubmatch("abc-12"); !slices.Equal(got, []string{"abc-12", "abc", "12"}) {
		t.Errorf("groups %q", got)
	}
	if got := r.ReplaceAllString("abc-12", "$2 $1"); got != "12 abc" {
		t.Errorf("replaced: %q", got)
	}
	if r.String() != `^([a-z]+)-([0-9]+)$` {
		t.Errorf("text %q", r)
	}
}

func TestInvalid(t *testing.T) {
	r := New(`(`) // nothing happens yet
	defer func() {
		if recover() == nil {
			t.Error("an invalid expression was used")
		}
	}()
	r.MatchString("")
}
