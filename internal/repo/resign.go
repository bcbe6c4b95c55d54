package repo

import (
	"context"
	"fmt"
	"time"

	"github.com/kinectl/kinectl/internal/repo/apt"
)

// ResignOptions are the [Options] of [Resign]. An empty Suite is every suite.
type ResignOptions struct {
	Options
	ValidFor *time.Duration // from now on, for apt; nil: as before; 0: without end
}

// Resigned is a suite after [Resign].
type Resigned struct {
	Suite      string    `json:"suite"`
	Date       time.Time `json:"date"`
	ValidUntil time.Time `json:"valid_until,omitzero"`
}

// Resign dates and signs the roots anew, with the same packages: before
// Valid-Until is over, or after the keys have changed. It also mends what a
// killed process left half-way.
func Resign(ctx context.Context, location string, o ResignOptions) (_ []Resigned, err error) {
	wanted := o.Suite
	o.Options = o.withDefaults()
	defer func() {
		if err != nil {
			err = fmt.Errorf("resign %s: %w", Shown(location), err)
		}
	}()
	if o.ValidFor != nil && *o.ValidFor < 0 {
		return nil, &tagged{ErrUsage, fmt.Errorf("a root cannot be valid for %s", *o.ValidFor)}
	}
	s, err := open(ctx, location, o.Options)
	if err != nil {
		return nil, err
	}
	defer s.close()
	var resigned []Resigned
	err = s.locked(ctx, func(ctx context.Context) error {
		resigned, err = s.resign(ctx, wanted, o.ValidFor)
		return err
	})
	return resigned, err
}

// resign signs one suite anew, or every one.
func (s *session) resign(ctx context.Context, wanted string, validFor *time.Duration) ([]Resigned, error) {
	suites := []string{wanted}
	var err error
	if wanted == "" {
		if err := s.checkLost(ctx); err != nil {
			return nil, err
		}
		if suites, err = s.suites(ctx); err != nil {
			return nil, err
		}
	}
	var resigned []Resigned
	for _, suite := range suites {
		st, err := s.load(ctx, suite)
		if err != nil {
			return nil, err
		}
		c := change{apt: &apt.Change{Now: s.now, ValidFor: validFor}}
		for arch := range st.yum {
			c.forYum(arch, s.now)
		}
		p, err := s.next(ctx, st, c)
		if err != nil {
			return nil, err
		}
		if err := s.commit(ctx, p); err != nil {
			return nil, err
		}
		r := st.apt.Release()
		resigned = append(resigned, Resigned{suite, r.Date, r.ValidUntil})
	}
	return resigned, nil
}
