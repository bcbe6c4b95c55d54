package apt

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/kinectl/kinectl/internal/repo/index"
)

// branch is what a change does in one architecture.
type branch struct {
	arch             string
	packages         *index.Text // before the change
	put              [][]byte
	remove           map[string]bool                   // by key
	names            map[string]bool                   // that the change touches
	known            map[string]map[string]index.Entry // by name, then version without epoch, as in file names
	contentsAreThere bool
}

// plan sorts a change by architectures, leaving out those that it does not
// touch, and says everything that cannot be.
func (s *Suite) plan(ctx context.Context, c Change) ([]*branch, error) {
	branches := map[string]*branch{}
	branchOf := func(arch string) *branch {
		if branches[arch] == nil {
			branches[arch] = &branch{arch: arch, remove: map[string]bool{}, names: map[string]bool{}, known: map[string]map[string]index.Entry{}}
		}
		return branches[arch]
	}
	architectures := slices.Clone(s.release.Architectures)
	for _, arch := range architectures {
		if !s.has(s.packages[arch]) {
			branchOf(arch) // of a new suite
		}
	}
	for _, p := range c.Add {
		if err := check(p.Entry); err != nil {
			return nil, err
		}
		if arch := p.Entry.Architecture; arch != archAll && !slices.Contains(architectures, arch) {
			architectures = append(architectures, arch)
			branchOf(arch)
		}
	}
	targets := func(e index.Entry) []string {
		if e.Architecture == archAll {
			return architectures
		}
		return []string{e.Architecture}
	}
	for _, e := range c.Remove {
		for _, arch := range targets(e) {
			if slices.Contains(architectures, arch) {
				branchOf(arch).remove[e.Key()] = true
				branchOf(arch).names[e.Name] = true
			}
		}
	}
	for _, p := range c.Add {
		for _, arch := range targets(p.Entry) {
			branchOf(arch)
		}
	}
	if err := s.open(ctx, branches, len(c.Add) > 0); err != nil {
		return nil, err
	}
	var faults []error
	for _, p := range c.Add {
		stanza := p.stanza()
		for _, arch := range targets(p.Entry) {
			if err := branches[arch].add(p.Entry, stanza); err != nil {
				faults = append(faults, err)
				break
			}
		}
	}
	sorted := make([]*branch, 0, len(branches))
	for _, arch := range architectures {
		b := branches[arch]
		if b != nil && (len(b.put)+len(b.remove) > 0 || s.packages[arch] == nil || !s.has(s.packages[arch])) {
			sorted = append(sorted, b)
		}
	}
	return sorted, errors.Join(faults...)
}

// open reads the lists of the branches, Contents when it is sure to be wanted.
func (s *Suite) open(ctx context.Context, branches map[string]*branch, contents bool) error {
	var tasks []func() error
	for arch, b := range branches {
		packages, found := s.packages[arch]
		if !found {
			tasks = append(tasks, func() (err error) {
				b.packages, err = s.newArchitecture(ctx)
				return err
			})
			continue
		}
		b.contentsAreThere = s.has(s.contents[arch])
		tasks = append(tasks, func() (err error) {
			b.packages, err = packages.editable(ctx)
			return err
		})
		if contents {
			tasks = append(tasks, func() error {
				_, err := s.contents[arch].editable(ctx)
				return err
			})
		}
	}
	return together(tasks...)
}

// newArchitecture is the Packages of an architecture that is seen for the first
// time: the packages that fit every one.
func (s *Suite) newArchitecture(ctx context.Context) (*index.Text, error) {
	text := index.New(packagesLayout())
	if len(s.release.Architectures) == 0 {
		return text, nil
	}
	l := s.packages[s.release.Architectures[0]]
	other, err := l.read(ctx, index.Zstd, index.Gzip, index.Plain)
	if err != nil {
		return nil, err
	}
	var put [][]byte
	for stanza, err := range other.Containing([]byte("\nArchitecture: " + archAll + "\n")) {
		if err != nil {
			return nil, l.damaged(err)
		}
		put = append(put, stanza)
	}
	return text.Edit(put, nil)
}

// add notes a package, unless it is there with the same content.
func (b *branch) add(e index.Entry, stanza []byte) error {
	versions := b.known[e.Name]
	if versions == nil {
		versions = map[string]index.Entry{}
		for stanza, err := range versionsOf(b.packages, e.Name) {
			if err != nil {
				return err
			}
			old, _, err := parseStanza(stanza)
			if err != nil {
				return err
			}
			versions[withoutEpoch(old.Version)] = old
		}
		b.known[e.Name] = versions
	}
	old, exists := versions[withoutEpoch(e.Version)]
	if exists {
		if err := conflict(e, old); err != nil || !b.remove[e.Key()] {
			return err
		}
	}
	versions[withoutEpoch(e.Version)] = e
	b.names[e.Name] = true
	b.put = append(b.put, stanza)
	return nil
}

// conflict explains why e cannot join a suite that has old, if it cannot.
func conflict(e, old index.Entry) error {
	var err error
	switch {
	case old.Version != e.Version:
		err = fmt.Errorf("%s %s %s would take the file name of version %s", e.Name, e.Version, e.Architecture, old.Version)
	case old.Architecture != e.Architecture:
		err = fmt.Errorf("%s %s is there for architecture %s; one version is for %s or for single architectures, not both",
			e.Name, e.Version, old.Architecture, archAll)
	case old.SHA256 != e.SHA256:
		err = fmt.Errorf("%s %s %s is there with other content (sha256 %.12s…, this is %.12s…); a published version never changes",
			e.Name, e.Version, e.Architecture, old.SHA256, e.SHA256)
	default:
		return nil
	}
	return &kind{ErrConflict, err}
}
