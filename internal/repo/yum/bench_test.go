package yum

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/kinectl/kinectl/internal/repo/rpmfile"
	"github.com/kinectl/kinectl/internal/repo/signing"
)

// benchmarkPackages are n packages, 100 versions of each name, that say about
// as much of themselves as a service of ours: 20,000 of them have 28 MB in
// primary.xml, 16 in filelists.xml and 5 in other.xml.
func benchmarkPackages(n int) []Package {
	packages := make([]Package, n)
	for i := range packages {
		name := fmt.Sprintf("service-%03d", i/100)
		p := testPackage(name, fmt.Sprintf("1.%d.%d-1.el9", i%100, i%7), "x86_64")
		r := p.RPM
		r.Summary, r.License, r.URL = "Serves requests of the kind "+name, "Apache-2.0", "https://git.example.com/team/"+name
		r.Description = "This service answers requests of one kind and keeps its data in PostgreSQL.\nIt is one of several, and they are built alike."
		r.Packager, r.Vendor, r.BuildHost = "Team <team@example.com>", "Example", "builder.example.com"
		r.SourceRPM = name + "-1.el9.src.rpm"
		r.BuildTime, r.InstalledSize, r.ArchiveSize = clock.Add(-time.Duration(i)*time.Minute), 20_000_000+int64(i), 20_001_000+int64(i)
		r.Provides = []rpmfile.Dependency{{Name: name, Compare: rpmfile.Equal, Version: r.Version, Release: r.Release}}
		r.Requires = []rpmfile.Dependency{{Name: "/bin/sh", Pre: true}, {Name: "systemd"}, {Name: "ca-certificates"}, {Name: "tzdata", Compare: rpmfile.GreaterEqual, Version: "2024"}}
		r.Files = []rpmfile.File{{Path: "/etc/" + name + "/" + name + ".conf"}, {Path: "/usr/bin/" + name}}
		for _, unit := range []string{".service", "-next.service", ".socket", "-probe.service", "-cleanup.timer", "-cleanup.service"} {
			r.Files = append(r.Files, rpmfile.File{Path: "/usr/lib/systemd/system/" + name + unit})
		}
		for _, file := range []string{"spec.yml", "environment.j2", "sbom.json"} {
			r.Files = append(r.Files, rpmfile.File{Path: "/usr/share/kinectl/" + name + "/" + file})
		}
		r.Changelogs = []rpmfile.Changelog{{Time: r.BuildTime, Author: "Team <team@example.com>", Text: "- release " + r.Version}}
		packages[i] = p
	}
	return packages
}

// BenchmarkAdd is what the yum half of adding one package costs: the root and
// the lists are read and checked, changed, packed, summed and signed.
func BenchmarkAdd(b *testing.B) {
	for _, n := range []int{200, 2_000, 20_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			store := tree{}
			store.publish(b, New("stable", "x86_64"), testKey(), Change{Add: benchmarkPackages(n)})
			added := benchmarkPackages(n/2 + 1)[n/2]
			added = renamed(added, "1.1000.0-1.el9")
			runtime.GC()
			b.ReportAllocs()
			for b.Loop() {
				r := store.load(b)
				next, err := r.Apply(b.Context(), Change{Add: []Package{added}, Now: clock})
				if err != nil {
					b.Fatal(err)
				}
				if _, err := next.IndexFiles(b.Context(), false); err != nil {
					b.Fatal(err)
				}
				if _, _, err := next.Sign(b.Context(), signing.Signers{testKey()}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// renamed is p in another version.
func renamed(p Package, version string) Package {
	r := *p.RPM
	_, r.Version, r.Release = splitVersion(version)
	other := testPackage(p.Entry.Name, version, p.Entry.Architecture)
	return Package{Entry: other.Entry, RPM: &r, HeaderStart: p.HeaderStart, HeaderEnd: p.HeaderEnd}
}

// BenchmarkBulk is a repository of 20,000 packages that is made at once.
func BenchmarkBulk(b *testing.B) {
	packages := benchmarkPackages(20_000)
	for b.Loop() {
		if _, err := New("stable", "x86_64").Apply(b.Context(), Change{Add: packages, Now: clock}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRead is what readers ask of a repository of 20,000 packages that
// they have just opened.
func BenchmarkRead(b *testing.B) {
	store := tree{}
	store.publish(b, New("stable", "x86_64"), testKey(), Change{Add: benchmarkPackages(20_000)})
	for name, read := range map[string]func(*Repository) (int, error){
		"find": func(r *Repository) (int, error) {
			_, found, err := r.Find(b.Context(), "service-100", "1.50.5-1.el9", "x86_64")
			if !found {
				return 0, err
			}
			return 1, err
		},
		"versions": func(r *Repository) (int, error) {
			list, err := r.Versions(b.Context(), "service-100")
			return len(list), err
		},
		"entries": func(r *Repository) (int, error) {
			list, err := r.Entries(b.Context())
			return len(list), err
		},
	} {
		want := map[string]int{"find": 1, "versions": 100, "entries": 20_000}[name]
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if n, err := read(store.load(b)); err != nil || n != want {
					b.Fatal(n, err)
				}
			}
		})
	}
}
