package yum

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kinectl/kinectl/internal/repo/index"
	"github.com/kinectl/kinectl/internal/repo/signing"
)

func keys(entries []index.Entry) string {
	var all []string
	for _, e := range entries {
		all = append(all, e.Key())
	}
	return strings.Join(all, ", ")
}

func TestRepository(t *testing.T) {
	store := tree{}
	empty := store.publish(t, New("stable", "x86_64"), testKey(), Change{})
	if n, err := store.load(t).Count(t.Context()); n != 0 || err != nil {
		t.Fatalf("a new repository has %d packages, %v", n, err)
	}
	add := []Package{
		testPackage("films", "1.10.0-1", "x86_64"), testPackage("films", "1.9.0-1", "x86_64"), testPackage("films", "2:1.0.0~rc1-1", "x86_64"),
		testPackage("films-web", "1.0-1", "noarch"), testPackage("a", "1-1", "i686"),
	}
	second := store.publish(t, empty, testKey(), Change{Add: add})
	is := func(r *Repository, want string) {
		t.Helper()
		entries, err := r.Entries(t.Context())
		if got := keys(entries); got != want || err != nil {
			t.Errorf("entries are\n%s, %v, want\n%s", got, err, want)
		}
	}
	for _, r := range []*Repository{second, store.load(t)} {
		is(r, "a 1-1 i686, films 1.10.0-1 x86_64, films 1.9.0-1 x86_64, films 2:1.0.0~rc1-1 x86_64, films-web 1.0-1 noarch")
		versions, err := r.Versions(t.Context(), "films")
		if got := keys(versions); got != "films 1.9.0-1 x86_64, films 1.10.0-1 x86_64, films 2:1.0.0~rc1-1 x86_64" || err != nil {
			t.Errorf("versions: %s, %v", got, err)
		}
		for _, p := range add {
			e, found, err := r.Find(t.Context(), p.Entry.Name, p.Entry.Version, p.Entry.Architecture)
			if e != p.Entry || !found || err != nil {
				t.Errorf("found %+v, %v, %v; want %+v", e, found, err, p.Entry)
			}
		}
		if _, found, err := r.Find(t.Context(), "films", "1.9.0-1", "noarch"); found || err != nil {
			t.Errorf("found what is not there, %v", err)
		}
	}
	is(empty, "") // a state never changes

	third := store.publish(t, store.load(t), testKey(), Change{
		Add:    []Package{testPackage("films", "1.11.0-1", "x86_64")},
		Remove: []index.Entry{add[0].Entry, add[4].Entry, testPackage("nobody", "1-1", "noarch").Entry},
	})
	is(third, "films 1.11.0-1 x86_64, films 1.9.0-1 x86_64, films 2:1.0.0~rc1-1 x86_64, films-web 1.0-1 noarch")
	is(store.load(t), "films 1.11.0-1 x86_64, films 1.9.0-1 x86_64, films 2:1.0.0~rc1-1 x86_64, films-web 1.0-1 noarch")
	for _, r := range []*Repository{empty, second, third} {
		for _, name := range r.Names() {
			if store[name] == nil {
				t.Errorf("%s was never written", name)
			}
		}
	}
}

func TestFilename(t *testing.T) {
	f := func(e index.Entry, want string) {
		t.Helper()
		if got := Filename("stable", "x86_64", "0123456789ABCDEF", e); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	f(index.Entry{Name: "films", Version: "1.0-1", Architecture: "x86_64"}, "yum/stable/x86_64/Packages/0123456789abcdef/f/films/films-1.0-1.x86_64.rpm")
	f(index.Entry{Name: "Xorg", Version: "3:1.0~rc1-1.el9", Architecture: "noarch"}, "yum/stable/x86_64/Packages/0123456789abcdef/x/Xorg/Xorg-1.0~rc1-1.el9.noarch.rpm")
}

func TestApplyConflicts(t *testing.T) {
	films := testPackage("films", "1.0-1", "x86_64")
	r, err := New("stable", "x86_64").Apply(t.Context(), Change{Add: []Package{films}, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	other := films
	other.Entry.SHA256 = strings.Repeat("0", 64)
	twin := testPackage("films", "1:1.0-1", "x86_64") // in the same file
	f := func(c Change, wants ...string) {
		t.Helper()
		c.Now = clock
		_, err := r.Apply(t.Context(), c)
		if len(wants) == 0 {
			if err != nil {
				t.Error(err)
			}
			return
		}
		if !errors.Is(err, ErrConflict) {
			t.Fatalf("got %v", err)
		}
		for _, want := range wants {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %s", err, want)
			}
		}
		if got := strings.Count(err.Error(), ErrConflict.Error()); got != len(wants) {
			t.Errorf("%d faults in %v", got, err)
		}
	}
	const changed, taken = "films 1.0-1 x86_64 is there with other content", "films 1:1.0-1 x86_64 would take the file name of version 1.0-1"
	f(Change{Add: []Package{films}}) // the same once more
	f(Change{Add: []Package{films, films}})
	f(Change{Add: []Package{other}}, changed)
	f(Change{Add: []Package{other, twin}}, changed, taken)
	f(Change{Add: []Package{other}, Remove: []index.Entry{films.Entry}}) // replaces it
	f(Change{Add: []Package{twin}, Remove: []index.Entry{films.Entry}})
	// Two that come together, among so many that all of the list is read.
	var many []Package
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i"} {
		for _, more := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i"} {
			many = append(many, testPackage(name+more, "1-1", "noarch"))
		}
	}
	f(Change{Add: many})
	changedToo := many[3]
	changedToo.Entry.SHA256 = strings.Repeat("0", 64)
	f(Change{Add: append(many, changedToo, other)}, "ad 1-1 noarch is there with other content", changed)
}

func TestApplyRefuses(t *testing.T) {
	f := func(change func(*Package), want string) {
		t.Helper()
		p := testPackage("films", "1.0-1", "x86_64")
		change(&p)
		_, err := New("stable", "x86_64").Apply(t.Context(), Change{Add: []Package{p}, Now: clock})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	f(func(*Package) {}, "")
	f(func(p *Package) { p.Entry.Name = "films " }, "name")
	f(func(p *Package) { p.Entry.Version = "1.0" }, "version")
	f(func(p *Package) { p.Entry.Architecture = "x86 64" }, "architecture")
	f(func(p *Package) { p.Entry.SHA256 = "A" + p.Entry.SHA256[1:] }, "sha256")
	f(func(p *Package) { p.Entry.Size = 0 }, "size")
	f(func(p *Package) { p.Entry.Filename = "yum/stable/x86_64/Packages/../x" }, "file name")
	f(func(p *Package) { p.Entry.Filename = "yum/testing/x86_64/Packages/x" }, "file name")
	f(func(p *Package) { p.Entry.Version = "1.0-2" }, "is not of the package")
	f(func(p *Package) { p.RPM = nil }, "is not of the package")
}

// TestListsHold reads the files as any client would: they are what the root
// says of them, and have the records of all packages.
func TestListsHold(t *testing.T) {
	store := tree{}
	packages := benchmarkPackages(500) // several blocks
	r := store.publish(t, New("stable", "x86_64"), testKey(), Change{Add: packages[:400]})
	r = store.publish(t, r, testKey(), Change{Add: packages[400:], Remove: []index.Entry{packages[7].Entry}})
	packages = slices.Delete(packages, 7, 8)
	slices.SortFunc(packages, func(a, b Package) int { return strings.Compare(a.Entry.Key(), b.Entry.Key()) })
	for kind, d := range r.root.data {
		body := store["yum/stable/x86_64/"+d.name(kind)]
		unpacked, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		plain, err := io.ReadAll(unpacked)
		if err != nil {
			t.Fatal(err)
		}
		if d.size != int64(len(body)) || d.sha256 != sum(body) {
			t.Errorf("%s is not what the root says: %+v", kindNames[kind], d)
		}
		if !bytes.Equal(plain, document(kind, packages...)) {
			t.Errorf("%s has other records", kindNames[kind])
		}
	}
}

// TestRevision: a root never gets older, and a change of nothing is a new root
// over the same lists.
func TestRevision(t *testing.T) {
	store := tree{}
	first := store.publish(t, New("stable", "x86_64"), testKey(), Change{Add: []Package{testPackage("films", "1.0-1", "x86_64")}})
	if !New("stable", "x86_64").Revised().IsZero() || !first.Revised().Equal(clock) {
		t.Errorf("revised at %s", first.Revised())
	}
	again := store.publish(t, store.load(t), testKey(), Change{Now: clock.Add(-time.Hour)}) // the clock was set back
	if want := clock.Add(time.Second); !again.Revised().Equal(want) || !store.load(t).Revised().Equal(want) {
		t.Errorf("revised at %s, want %s", again.Revised(), want)
	}
	later := store.publish(t, again, testKey(), Change{Now: clock.Add(time.Hour)})
	if !later.Revised().Equal(clock.Add(time.Hour)) {
		t.Errorf("revised at %s", later.Revised())
	}
	if later.root.data != first.root.data || slices.Equal(later.Names(), first.Names()) {
		t.Errorf("the lists changed from %v to %v", first.Names(), later.Names())
	}
	files, err := later.IndexFiles(t.Context(), false)
	if len(files) != 0 || err != nil {
		t.Errorf("nothing changed and there is %v to write, %v", files, err)
	}
	if files, err = store.load(t).IndexFiles(t.Context(), true); len(files) != kinds || err != nil {
		t.Errorf("all files are %v, %v", files, err)
	}
	copied := tree{}
	copied.put(t, files)
	for name, body := range copied {
		if string(store[name]) != string(body) {
			t.Errorf("%s would be written with other content", name)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	store := tree{}
	old := store.publish(t, New("stable", "x86_64"), testKey(), Change{Add: []Package{testPackage("films", "1.0-1", "x86_64")}})
	oldRoot, oldSignature := store["yum/stable/x86_64/repodata/repomd.xml"], store["yum/stable/x86_64/repodata/repomd.xml.asc"]
	now := store.publish(t, old, testKey(), Change{Add: []Package{testPackage("films", "1.1-1", "x86_64")}})
	stranger, err := signing.NewKey("stranger", signing.Ed25519, clock)
	if err != nil {
		t.Fatal(err)
	}
	const root, signature = "yum/stable/x86_64/repodata/repomd.xml", "yum/stable/x86_64/repodata/repomd.xml.asc"
	f := func(change func(tree), suite, arch string, want error) {
		t.Helper()
		changed := tree{}
		for name, body := range store {
			changed[name] = slices.Clone(body)
		}
		change(changed)
		r, err := Load(t.Context(), changed, suite, arch, trusted(t, testKey()), clock)
		if err == nil {
			_, err = r.Entries(t.Context())
		}
		if err == nil {
			_, err = r.Apply(t.Context(), Change{Now: clock, Add: []Package{testPackage("new", "1-1", "noarch")}})
		}
		if !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
	flip := func(name string) func(tree) {
		return func(files tree) { files[name][len(files[name])/2] ^= 1 }
	}
	f(func(tree) {}, "stable", "x86_64", nil)
	f(func(tree) {}, "testing", "x86_64", fs.ErrNotExist)
	f(func(tree) {}, "stable", "aarch64", fs.ErrNotExist)
	f(flip(root), "stable", "x86_64", signing.ErrSignature)
	for kind := range kinds {
		name := "yum/stable/x86_64/" + now.root.data[kind].name(kind)
		f(flip(name), "stable", "x86_64", ErrDamaged)
		f(func(files tree) { delete(files, name) }, "stable", "x86_64", ErrDamaged)
		f(func(files tree) { files[name] = append(files[name], 0) }, "stable", "x86_64", ErrDamaged)
		f(func(files tree) { files[name] = files[name][1:] }, "stable", "x86_64", ErrDamaged)
	}
	// Between the two halves of a publication, either way.
	f(func(files tree) { files[root] = oldRoot }, "stable", "x86_64", nil)
	f(func(files tree) { files[signature] = oldSignature }, "stable", "x86_64", nil)
	f(func(files tree) { delete(files, signature) }, "stable", "x86_64", nil)
	byDigest := "yum/stable/x86_64/repodata/" + sum(store[root]) + "-repomd.xml.asc"
	f(func(files tree) { delete(files, byDigest) }, "stable", "x86_64", nil)
	f(func(files tree) { delete(files, byDigest); files[signature] = oldSignature }, "stable", "x86_64", signing.ErrSignature)
	f(func(files tree) { delete(files, byDigest); delete(files, signature) }, "stable", "x86_64", signing.ErrSignature)
	// A signed root in another place, and one that somebody else signed.
	f(func(files tree) {
		files["yum/stable/aarch64/repodata/repomd.xml"], files["yum/stable/aarch64/repodata/repomd.xml.asc"] = files[root], files[signature]
	}, "stable", "aarch64", ErrDamaged)
	f(func(files tree) { files.publish(t, now, stranger, Change{}) }, "stable", "x86_64", signing.ErrSignature)
}

// TestAtOnce is for the race detector: many use a state that nobody has read yet.
func TestAtOnce(t *testing.T) {
	store := tree{}
	packages := benchmarkPackages(300)
	store.publish(t, New("stable", "x86_64"), testKey(), Change{Add: packages})
	r := store.load(t)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			e := packages[i*30].Entry
			if got, found, err := r.Find(t.Context(), e.Name, e.Version, e.Architecture); got != e || !found || err != nil {
				t.Errorf("found %+v, %v", got, err)
			}
			next, err := r.Apply(t.Context(), Change{Remove: []index.Entry{e}, Now: clock})
			if err != nil {
				t.Error(err)
				return
			}
			if n, err := next.Count(t.Context()); n != len(packages)-1 || err != nil {
				t.Errorf("%d packages are left, %v", n, err)
			}
		})
	}
	all.Wait()
}
