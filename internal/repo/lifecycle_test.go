package repo

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kinectl/kinectl/internal/repo/signing"
)

// both makes a deb and an rpm of each version.
func both(t *testing.T, name string, versions ...string) (files []string) {
	t.Helper()
	for _, v := range versions {
		files = append(files, debFile(t, name, v, "amd64", v), rpmFile(t, name, v, "amd64", v))
	}
	return files
}

func TestPromote(t *testing.T) {
	dir, o := testRepo(t)
	testInit(t, dir, o.in("testing"))
	testPublish(t, dir, o.in("testing"), append(both(t, "hello", "1.0", "1.1"), rpmFile(t, "docs", "2", "all", ""))...)
	promote := func(selections ...string) ([]Published, error) {
		return Promote(t.Context(), dir, "testing", selections, o)
	}
	if _, err := promote("hello=1.0"); err != nil {
		t.Fatal(err)
	}
	if got, want := versions(t, dir, "stable"), "deb hello 1.0 amd64\nrpm hello 1.0-1 x86_64"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	again, err := promote("hello=1.0", "hello", "docs")
	if err != nil {
		t.Fatal(err)
	}
	var isNew []bool
	for _, p := range again {
		isNew = append(isNew, p.New)
	}
	if want := []bool{false, false, true, true, true}; !slices.Equal(isNew, want) {
		t.Errorf("new: %v, want %v", isNew, want)
	}
	if got, want := versions(t, dir, "stable"), versions(t, dir, "testing"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	a, errA := os.Stat(filepath.Join(dir, again[3].Filename))
	b, errB := os.Stat(filepath.Join(dir, strings.Replace(again[3].Filename, "/stable/", "/testing/", 1)))
	if errA != nil || errB != nil || !os.SameFile(a, b) {
		t.Errorf("the file was copied, not linked: %v, %v", errA, errB)
	}
	testVerify(t, dir, clock)

	if _, err := promote("hello=9", "other"); !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), "hello=9") || !strings.Contains(err.Error(), "other") {
		t.Errorf("versions that are not there: %v", err)
	}
	if _, err := Promote(t.Context(), dir, "stable", []string{"hello"}, o); !errors.Is(err, ErrUsage) {
		t.Errorf("into itself: %v", err)
	}
}

func TestRemove(t *testing.T) {
	dir, o := testRepo(t)
	testInit(t, dir, o.in("testing"))
	published := testPublish(t, dir, o, both(t, "hello", "1.0", "1.1")...)
	testPublish(t, dir, o.in("testing"), debFile(t, "hello", "1.0", "amd64", "1.0"))

	if _, err := Remove(t.Context(), dir, []string{"hello"}, o); !errors.Is(err, ErrUsage) {
		t.Errorf("without a version: %v", err)
	}
	if _, err := Remove(t.Context(), dir, []string{"hello=1.0", "hello=2.0"}, o); !errors.Is(err, ErrNotFound) {
		t.Errorf("a version that is not there: %v", err)
	}
	removed, err := Remove(t.Context(), dir, []string{"hello=1.0", "hello=1.1"}, o)
	if err != nil || len(removed) != 4 {
		t.Fatalf("removed %+v, %v", removed, err)
	}
	if got := versions(t, dir, "stable"); got != "" {
		t.Errorf("left: %s", got)
	}
	exists := func(p Published) bool {
		_, err := os.Stat(filepath.Join(dir, p.Filename))
		return err == nil
	}
	for _, p := range published {
		if !exists(p) {
			t.Errorf("%s is gone at once", p.Filename)
		}
	}
	if _, err := Publish(t.Context(), dir, []string{debFile(t, "hello", "1.1", "amd64", "other")}, o); !errors.Is(err, ErrRefused) {
		t.Errorf("other content in the name of what was just removed: %v", err)
	}
	// A day later, with the next change.
	later := o.at(clock.Add(keepPackages + time.Hour))
	testPublish(t, dir, later, both(t, "other", "1")...)
	for i, p := range published {
		if want := i == 0; exists(p) != want { // testing has the first
			t.Errorf("%s is there: %v", p.Filename, exists(p))
		}
	}
	v := testVerify(t, dir, clock.Add(keepPackages+time.Hour))
	if slices.ContainsFunc(v.Unnamed, func(name string) bool { return strings.HasSuffix(name, ".deb") || strings.HasSuffix(name, ".rpm") }) {
		t.Errorf("left behind: %v", v.Unnamed)
	}
}

// TestContents: the lists of files follow the newest version, also when it is
// removed.
func TestContents(t *testing.T) {
	dir, o := testRepo(t)
	testPublish(t, dir, o, debFile(t, "hello", "1.0", "amd64", ""), debFile(t, "hello", "2.0", "amd64", ""))
	want := gunzip(t, filepath.Join(dir, "dists/stable/main/Contents-amd64.gz"))
	if !strings.Contains(want, "usr/share/kinectl/hello/spec.yml") {
		t.Errorf("Contents: %q", want)
	}
	if _, err := Remove(t.Context(), dir, []string{"hello=2.0"}, o); err != nil {
		t.Fatal(err)
	}
	if got := gunzip(t, filepath.Join(dir, "dists/stable/main/Contents-amd64.gz")); got != want {
		t.Errorf("after removing the newest: %q", got)
	}
	if _, err := Remove(t.Context(), dir, []string{"hello=1.0"}, o); err != nil {
		t.Fatal(err)
	}
	if got := gunzip(t, filepath.Join(dir, "dists/stable/main/Contents-amd64.gz")); got != "" {
		t.Errorf("after removing the last: %q", got)
	}
}

func TestPrune(t *testing.T) {
	dir, o := testRepo(t)
	testInit(t, dir, o.in("testing"))
	day := 24 * time.Hour
	for i := range 8 {
		testPublish(t, dir, o.at(clock.Add(time.Duration(i)*day)), both(t, "hello", fmt.Sprintf("1.%d", i))...)
	}
	testPublish(t, dir, o.at(clock.Add(8*day)).in("testing"), both(t, "worker", "1.0", "2.0", "3.0")...)
	orphan := filepath.Join(dir, "pool/main/l/lost/lost_1_amd64.deb")
	if err := errors.Join(os.MkdirAll(filepath.Dir(orphan), 0o755), os.WriteFile(orphan, nil, 0o644)); err != nil {
		t.Fatal(err)
	}
	prune := func(at time.Duration, dryRun bool) *Pruned {
		t.Helper()
		p, err := Prune(t.Context(), dir, PruneOptions{
			Options: Options{KeyDir: o.KeyDir}.at(clock.Add(at)), DryRun: dryRun, AllowMissing: true,
			Retention: Retention{Newest: 2, Younger: 5 * day, InUse: []InUse{{"hello", "1.1"}, {"hello", "0.9"}, {"worker", "1.0-1"}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	missing := PruneOptions{Options: Options{KeyDir: o.KeyDir}.at(clock.Add(9 * day)), Retention: Retention{Newest: 1, InUse: []InUse{{"hello", "0.9"}, {"nobody", "1"}}}}
	if _, err := Prune(t.Context(), dir, missing); !errors.Is(err, ErrMissing) || !strings.Contains(err.Error(), "hello 0.9") || strings.Contains(err.Error(), "nobody") {
		t.Errorf("a version in use that is not there: %v", err)
	}
	missing.DryRun = true
	if p, err := Prune(t.Context(), dir, missing); !errors.Is(err, ErrMissing) || len(p.Removed) == 0 || len(p.Missing) != 1 {
		t.Errorf("a dry run of that: %+v, %v", p, err)
	}
	alone := PruneOptions{Options: Options{KeyDir: o.KeyDir, Suite: "stable"}.at(clock.Add(9 * day)), Retention: Retention{Newest: 99, InUse: []InUse{{"worker", "1.0"}}}}
	if _, err := Prune(t.Context(), dir, alone); err != nil { // testing has it
		t.Error(err)
	}
	before := snapshot(t, dir)
	dry := prune(9*day, true)
	if after := snapshot(t, dir); !slices.Equal(before, after) {
		t.Error("a dry run has changed the repository")
	}
	p := prune(9*day, false)
	if fmt.Sprint(dry) != fmt.Sprint(p) {
		t.Errorf("the dry run said %+v, it was %+v", dry, p)
	}
	// 1.6 and 1.7 are the newest, 1.5 is younger than five days, 1.1 is in use.
	stay := "deb hello 1.1 amd64\ndeb hello 1.5 amd64\ndeb hello 1.6 amd64\ndeb hello 1.7 amd64\n"
	if got := versions(t, dir, "stable"); !strings.HasPrefix(got, stay) || strings.Count(got, "\n") != 7 {
		t.Errorf("stable has\n%s", got)
	}
	if len(p.Removed) != 8 || p.Kept != 14 || len(p.Orphans) != 1 || fmt.Sprint(p.Missing) != "[{hello 0.9}]" {
		t.Errorf("pruned %+v", p)
	}
	// In use as an rpm, so the deb of that version may go when its time has come.
	if p = prune(30*day, false); len(p.Removed) != 3 {
		t.Errorf("a month later: %+v", p.Removed)
	}
	prune(32*day, false)
	v := testVerify(t, dir, clock.Add(32*day))
	for _, name := range v.Unnamed {
		if strings.HasSuffix(name, ".deb") || strings.HasSuffix(name, ".rpm") {
			t.Errorf("%s is left", name)
		}
	}
	if _, err := Prune(t.Context(), dir, PruneOptions{Options: o}); !errors.Is(err, ErrUsage) {
		t.Errorf("keeping nothing: %v", err)
	}
}

func TestResign(t *testing.T) {
	base := t.TempDir()
	dir, o := filepath.Join(base, "r"), Options{KeyDir: filepath.Join(base, "k")}.at(clock)
	day := 24 * time.Hour
	if _, err := Init(t.Context(), dir, InitOptions{Options: o, KeyType: signing.Ed25519, ValidFor: 10 * day}); err != nil {
		t.Fatal(err)
	}
	until := func() string {
		t.Helper()
		if u := testOpen(t, dir, WithClock(func() time.Time { return clock.Add(100 * day) })).ValidUntil(); !u.IsZero() {
			return fmt.Sprint(u.Sub(clock))
		}
		return "ever"
	}
	f := func(want time.Duration) {
		t.Helper()
		if got := until(); got != fmt.Sprint(want) {
			t.Errorf("valid for %s, want %s", got, want)
		}
	}
	f(10 * day)
	testPublish(t, dir, o.at(clock.Add(day)), both(t, "hello", "1.0")...)
	f(11 * day) // every publication starts it anew
	v, err := Verify(t.Context(), dir, VerifyOptions{Now: func() time.Time { return clock.Add(12 * day) }})
	if err != nil || len(v.Problems) != 1 || !strings.Contains(v.Problems[0].Error, "was valid until") {
		t.Errorf("after its time: %+v, %v", v, err)
	}
	resign := func(at time.Duration, validFor *time.Duration) {
		t.Helper()
		if _, err := Resign(t.Context(), dir, ResignOptions{Options: Options{KeyDir: o.KeyDir}.at(clock.Add(at)), ValidFor: validFor}); err != nil {
			t.Fatal(err)
		}
	}
	resign(12*day, nil)
	f(22 * day)
	week, ever := 7*day, time.Duration(0)
	resign(13*day, &week)
	f(20 * day)
	resign(14*day, &ever)
	if got := until(); got != "ever" {
		t.Errorf("valid for %s", got)
	}
	testVerify(t, dir, clock.Add(14*day))
}

func TestRotate(t *testing.T) {
	dir, o := testRepo(t)
	testPublish(t, dir, o, both(t, "hello", "1.0")...)
	oldKeys, err := os.ReadFile(filepath.Join(dir, keyName))
	if err != nil {
		t.Fatal(err)
	}
	rotate := func(r RotateOptions) *Rotated {
		t.Helper()
		r.Options, r.KeyType = o, signing.Ed25519
		rotated, err := Rotate(t.Context(), dir, r)
		if err != nil {
			t.Fatal(err)
		}
		return rotated
	}
	trusts := func(key []byte) error {
		t.Helper()
		r, err := Open(t.Context(), dir, WithKey(key), WithClock(o.Now))
		if err != nil {
			return err
		}
		if entries := testEntries(t, r); len(entries) < 2 {
			t.Errorf("%d packages", len(entries))
		}
		return nil
	}
	added := rotate(RotateOptions{})
	if len(added.Fingerprints) != 2 || added.Added != added.Fingerprints[1] {
		t.Fatalf("added %+v", added)
	}
	ring, err := readKeyring(t.Context(), testOpen(t, dir).place)
	if err != nil {
		t.Fatal(err)
	}
	newKeys := ring.Without(added.Fingerprints[0]).Armored()
	testPublish(t, dir, o, both(t, "hello", "1.1")...) // with both keys
	if err := trusts(oldKeys); err != nil {
		t.Errorf("with the old key: %v", err)
	}
	if _, err := Open(t.Context(), dir, WithKey(newKeys), WithClock(o.Now)); err != nil { // for apt; the roots for dnf have one signature
		t.Errorf("with the new key: %v", err)
	}
	again := RotateOptions{Options: o, KeyType: signing.Ed25519}
	if _, err := Rotate(t.Context(), dir, again); !errors.Is(err, ErrRefused) {
		t.Errorf("a third key: %v", err)
	}
	testVerify(t, dir, clock)

	dropped := rotate(RotateOptions{Drop: added.Fingerprints[0]})
	if dropped.Resigned != 2 || len(dropped.Fingerprints) != 1 {
		t.Errorf("dropped %+v", dropped)
	}
	if err := trusts(oldKeys); !errors.Is(err, ErrSignature) {
		t.Errorf("with the old key: %v", err)
	}
	if err := trusts(newKeys); err != nil {
		t.Errorf("with the new key: %v", err)
	}
	testVerify(t, dir, clock)
	if _, err := Rotate(t.Context(), dir, RotateOptions{Options: o, Drop: added.Added}); !errors.Is(err, ErrRefused) {
		t.Errorf("the last key: %v", err)
	}
	if _, err := Rotate(t.Context(), dir, RotateOptions{Options: o, Drop: strings.Repeat("A", 40)}); !errors.Is(err, ErrUsage) {
		t.Errorf("a key of nobody: %v", err)
	}

	// The private key is gone.
	if err := os.Remove(signing.KeyFile(o.KeyDir, added.Added)); err != nil {
		t.Fatal(err)
	}
	if _, err := Publish(t.Context(), dir, both(t, "hello", "1.2"), o); !errors.Is(err, ErrNoKey) {
		t.Errorf("without the key: %v", err)
	}
	lost := rotate(RotateOptions{Lost: added.Added})
	if lost.Added == "" || lost.Resigned != 2 || len(lost.Fingerprints) != 1 {
		t.Errorf("lost: %+v", lost)
	}
	testPublish(t, dir, o, both(t, "hello", "1.2")...)
	testVerify(t, dir, clock)
}

// TestVerifyFinds changes a byte in every file, and takes every file away.
func TestVerifyFinds(t *testing.T) {
	dir, o := testRepo(t)
	testPublish(t, dir, o, append(both(t, "hello", "1.0"), debFile(t, "hello", "1.0", "arm64", ""), rpmFile(t, "docs", "1", "all", ""))...)
	seen := 0
	var superseded []string // nobody reads those any more
	if body, err := os.ReadFile(filepath.Join(dir, expiredName)); err == nil {
		old, err := parseExpired(body)
		if err != nil {
			t.Fatal(err)
		}
		superseded = old.due(clock.AddDate(1, 0, 0))
	}
	if unnamed := testVerify(t, dir, clock).Unnamed; len(unnamed) != 0 {
		t.Errorf("what is about to go was called a leftover: %q", unnamed)
	}
	for _, line := range snapshot(t, dir) {
		file := strings.Fields(line)[0]
		name, _ := filepath.Rel(dir, file)
		if strings.HasPrefix(name, ".") || name == keyName || slices.Contains(superseded, name) || strings.Contains(name, "-repomd.xml") {
			continue
		}
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		finds := func(what string) {
			t.Helper()
			v, err := Verify(t.Context(), dir, VerifyOptions{Now: o.Now})
			if err == nil && len(v.Problems) == 0 {
				t.Errorf("%s %s: nothing was found", name, what)
			}
		}
		if len(body) > 0 {
			changed := slices.Clone(body)
			changed[len(body)/2] ^= 1
			replace(t, file, changed)
			finds("changed")
		}
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		finds("taken away")
		replace(t, file, body)
		seen++
	}
	testVerify(t, dir, clock)
	if seen < 30 {
		t.Errorf("%d files only", seen)
	}
}

// replace writes a file anew: one that is linked to another leaves that alone.
func replace(t *testing.T, file string, body []byte) {
	t.Helper()
	_ = os.Remove(file)
	if err := os.WriteFile(file, body, 0o644); err != nil {
		t.Fatal(err)
	}
}
