package repo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/kinectl/kinectl/internal/repo/index"
	"github.com/kinectl/kinectl/internal/repo/rpmfile"
	"github.com/kinectl/kinectl/internal/repo/storage"
	"github.com/kinectl/kinectl/internal/repo/yum"
)

// addRPM signs a package and brings it to the hosts of its architecture, or
// of every one.
func (a *addition) addRPM(ctx context.Context, p pkg) error {
	base, err := baseArchitecture(p.rpm.Arch)
	if err != nil {
		return err
	}
	arches := []string{base}
	if base == "" {
		arches = a.arches
	}
	signed := p.signed
	if signed == nil { // from the repository, where it was signed
		start, end := p.rpm.HeaderRange()
		signed = &rpmfile.Signed{Size: p.file.size, SHA256: p.sha256, HeaderStart: start, HeaderEnd: end}
	}
	first := p.stored
	published := Published{}
	for _, arch := range arches {
		e := index.Entry{
			Format: "rpm", Name: p.rpm.Name, Version: p.rpm.EVR(), Architecture: p.rpm.Arch,
			Size: signed.Size, SHA256: signed.SHA256, Published: a.now,
		}
		e.Filename = a.rpmName(arch, p, e)
		if !fs.ValidPath(e.Filename) {
			return refused(fmt.Errorf("%s %s: no file name can be made of that", e.Name, e.Version))
		}
		old, found, err := a.sameRPM(ctx, arch, p)
		if err != nil {
			return err
		}
		if found {
			e = old
			if err := a.repairRPM(ctx, e, signed); err != nil {
				return err
			}
		} else {
			if err := a.placeRPM(ctx, e, first, signed); err != nil {
				return err
			}
			c := a.change.forYum(arch, a.now)
			add := yum.Package{Entry: e, RPM: p.rpm, HeaderStart: signed.HeaderStart, HeaderEnd: signed.HeaderEnd}
			if !a.added[e] {
				c.Add = append(c.Add, add)
				a.added[e] = true
			}
		}
		first = e.Filename
		a.files = append(a.files, e.Filename)
		if published.Name == "" {
			published.Entry = e
		}
		published.New = published.New || !found
	}
	a.publish(published.Entry, published.New)
	return nil
}

// repairRPM writes a file again that the repository has lost or that was
// changed there: the same key makes the same bytes.
func (a *addition) repairRPM(ctx context.Context, e Entry, signed *rpmfile.Signed) error {
	sum, err := a.digest(ctx, e.Filename)
	if err != nil || sum == e.SHA256 || signed.Open == nil || signed.SHA256 != e.SHA256 {
		return err
	}
	a.pool = append(a.pool, storage.File{Name: e.Filename, Size: e.Size, Open: func() (io.ReadCloser, error) { return openSigned(signed) }})
	return nil
}

// openSigned reads a signed package and fails at its end when the file that it
// was made of is another by now.
func openSigned(signed *rpmfile.Signed) (io.ReadCloser, error) {
	in, err := signed.Open()
	if err != nil {
		return nil, err
	}
	return checked(in, signed.SHA256), nil
}

// joinArchitectures settles for which hosts the suite has rpm packages, and
// gives new ones the packages that fit all.
func (a *addition) joinArchitectures(ctx context.Context, packages []pkg) error {
	present := map[string]bool{}
	for arch := range a.yum {
		present[arch] = true
	}
	rpms := false
	for _, p := range packages {
		if p.rpm == nil {
			continue
		}
		rpms = true
		base, err := baseArchitecture(p.rpm.Arch)
		if err != nil {
			return err
		}
		if base != "" && !present[base] {
			present[base] = true
			if err := a.joinNoarch(ctx, base); err != nil {
				return err
			}
		}
	}
	if rpms && len(present) == 0 {
		for _, arch := range firstArchitectures() {
			present[arch] = true
		}
	}
	a.arches = slices.Sorted(maps.Keys(present))
	return nil
}

// firstArchitectures are those that hosts may ask for from the beginning.
func firstArchitectures() []string { return []string{"aarch64", "x86_64"} }

func (a *addition) rpmName(arch string, p pkg, e Entry) string {
	if p.stored == "" {
		return yum.Filename(a.suite, arch, keyID(a.signers[0].Fingerprint()), e)
	}
	_, below, _ := strings.Cut(p.stored, "/Packages/")
	return path.Join("yum", a.suite, arch, "Packages", below)
}

// sameRPM finds this version in the suite. What it has under another signature
// is the same package; other content, there or in another suite, is refused.
func (a *addition) sameRPM(ctx context.Context, arch string, p pkg) (old Entry, found bool, err error) {
	for _, suite := range append([]string{a.suite}, a.others...) {
		e, there, err := a.findRPM(ctx, suite, arch, p)
		if err != nil {
			return old, false, err
		}
		if !there {
			continue
		}
		if e.SHA256 != p.sha256 && (p.signed == nil || e.SHA256 != p.signed.SHA256) {
			identity, err := a.identity(ctx, e)
			if err != nil {
				return old, false, err
			}
			if identity != p.rpm.Identity() {
				return old, false, refused(fmt.Errorf("suite %s: %s %s %s is there with other content; a published version never changes", suite, e.Name, e.Version, e.Architecture))
			}
		}
		if suite == a.suite {
			old, found = e, true
		}
	}
	if found {
		return old, true, nil
	}
	return old, false, a.checkRemoved(ctx, p)
}

// checkRemoved refuses other content for a version that was removed a moment
// ago from any suite: clients may still fetch it.
func (a *addition) checkRemoved(ctx context.Context, p pkg) error {
	if len(a.expired) == 0 {
		return nil
	}
	file := path.Base(yum.Filename(a.suite, "", "", Entry{Name: p.rpm.Name, Version: p.rpm.EVR(), Architecture: p.rpm.Arch}))
	for _, x := range a.expired {
		if path.Base(x.name) != file || !strings.HasPrefix(x.name, "yum/") {
			continue
		}
		identity, err := a.identity(ctx, Entry{Filename: x.name})
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if identity != p.rpm.Identity() {
			return refused(fmt.Errorf("%s %s %s was there with other content and has just been removed; a published version never changes", p.rpm.Name, p.rpm.EVR(), p.rpm.Arch))
		}
	}
	return nil
}

// identity is that of a package in the repository, see [rpmfile.Package.Identity].
func (s *session) identity(ctx context.Context, e Entry) (string, error) {
	dir, err := os.MkdirTemp("", "kinectl-repo-*")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	p, err := s.fetch(ctx, e, dir)
	if err != nil {
		return "", err
	}
	return p.rpm.Identity(), nil
}

// placeRPM writes the signed file, or links it to the one that is there under
// the name first.
func (a *addition) placeRPM(ctx context.Context, e Entry, first string, signed *rpmfile.Signed) error {
	sum, err := a.digest(ctx, e.Filename)
	if err != nil || sum == e.SHA256 {
		return err
	}
	f := storage.File{Name: e.Filename, Size: e.Size, LinkOf: first}
	if first == "" {
		f.Open = func() (io.ReadCloser, error) { return openSigned(signed) }
	}
	a.pool = append(a.pool, f)
	return nil
}

// joinNoarch gives a new architecture the packages that fit every one.
func (a *addition) joinNoarch(ctx context.Context, arch string) error {
	others := slices.Sorted(maps.Keys(a.yum))
	if len(others) == 0 {
		return nil
	}
	entries, err := a.yum[others[0]].Entries(ctx)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "kinectl-repo-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	c := a.change.forYum(arch, a.now) // a new root, also when nothing joins
	for _, e := range entries {
		if e.Architecture != "noarch" {
			continue
		}
		p, err := a.fetch(ctx, e, dir)
		if err != nil {
			return err
		}
		start, end := p.rpm.HeaderRange()
		first := e.Filename
		e.Filename = a.rpmName(arch, p, e)
		a.pool = append(a.pool, storage.File{Name: e.Filename, Size: e.Size, LinkOf: first})
		a.files = append(a.files, e.Filename)
		c.Add = append(c.Add, yum.Package{Entry: e, RPM: p.rpm, HeaderStart: start, HeaderEnd: end})
	}
	return nil
}
