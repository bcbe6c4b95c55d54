package apt

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/kinectl/kinectl/internal/repo/debfile"
)

// many are n packages of distinct names with stanzas of some 700 bytes and 12
// files each.
func many(n int) []Package {
	random := rand.New(rand.NewPCG(5, 6))
	packages := make([]Package, n)
	for i := range packages {
		name := fmt.Sprintf("service-%05d", i)
		p := pkg(name, "1.0.0", "amd64", "a")
		p.Entry.SHA256 = fmt.Sprintf("%016x%016x%016x%016x", random.Uint64(), random.Uint64(), random.Uint64(), random.Uint64())
		p.Control = append(p.Control,
			debfile.Field{Name: "Installed-Size", Value: fmt.Sprint(random.IntN(100_000))},
			debfile.Field{Name: "Homepage", Value: "https://git.example.com/team/" + name},
			debfile.Field{Name: "Depends", Value: "adduser, ca-certificates, init-system-helpers (>= 1.51), libc6 (>= 2.34), systemd (>= 252)"},
			debfile.Field{Name: "Long", Value: "text\n that says in some words what the service is for,\n and who is to be asked about it when it is night"},
		)
		p.Files = nil
		for j := range 12 {
			p.Files = append(p.Files, fmt.Sprintf("/usr/share/%s/templates/%x/file-%d.html", name, random.Uint32(), j))
		}
		packages[i] = p
	}
	return packages
}

// BenchmarkPublish is all that one more package costs but the writing: it loads
// the suite, checks what it reads, applies and signs. The new version takes the
// place of an older one in Contents.
func BenchmarkPublish(b *testing.B) {
	for _, n := range []int{200, 2_000, 20_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p := newPlace(b)
			s, err := NewSuite("kinectl", "stable").Apply(b.Context(), Change{Add: many(n), Now: clock})
			if err != nil {
				b.Fatal(err)
			}
			p.publish(b, s)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				add := pkg(fmt.Sprintf("service-%05d", n/2), fmt.Sprintf("1.1.%d", i), "amd64", "b")
				s := p.load(b)
				if _, _, err := s.Find(b.Context(), add.Entry.Name, add.Entry.Version, add.Entry.Architecture); err != nil {
					b.Fatal(err)
				}
				c := Change{Add: []Package{add}, Now: clock}
				if missing, err := s.Missing(b.Context(), c); err != nil || len(missing) > 0 {
					b.Fatal(missing, err)
				}
				next, err := s.Apply(b.Context(), c)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := next.Sign(b.Context(), p.signers); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkBulk publishes 20,000 packages at once, into nothing and beside as
// many others.
func BenchmarkBulk(b *testing.B) {
	packages := many(20_000)
	full, err := NewSuite("kinectl", "stable").Apply(b.Context(), Change{Add: packages, Now: clock})
	if err != nil {
		b.Fatal(err)
	}
	f := func(name string, s *Suite, version string) {
		add := make([]Package, len(packages))
		for i, p := range packages {
			p.Entry.Version = version
			p.Entry.Filename = PoolPath(p.Entry.Name, version, p.Entry.Architecture)
			add[i] = p
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := s.Apply(b.Context(), Change{Add: add, Now: clock}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	f("new", NewSuite("kinectl", "stable"), "1.0.0")
	f("beside", full, "1.1.0")
	b.Run("Entries", func(b *testing.B) {
		for b.Loop() {
			if all, err := full.Entries(b.Context()); err != nil || len(all) != len(packages) {
				b.Fatal(len(all), err)
			}
		}
	})
}
