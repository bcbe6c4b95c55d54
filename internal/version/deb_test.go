package version

import (
	"errors"
	"math/rand/v2"
	"os/exec"
	"testing"
)

// debVersions holds the corners of deb-version(7): epochs, tildes, leading
// zeros, letters against punctuation, hyphens in the upstream part.
var debVersions = []string{
	"0", "1.0", "1.0-0", "1.00", "1.0-1", "1.0-1.1", "1.0~rc1", "1.0~rc1-1", "1.0~~", "1.0~", "1.0a", "1.0+b1",
	"1.0.1", "1.10", "1.9", "0:1.0", "1:0.1", "1.0-1~deb12", "1.2.3+4.gabc1234", "2.0-rc-1", "1.0.", "10000000000000000000001",
	"10000000000000000000000", "1a1", "1A1",
}

func TestCompareDeb(t *testing.T) {
	f := func(older, newer string, want int) {
		t.Helper()
		if got := CompareDeb(older, newer); got != want {
			t.Errorf("CompareDeb(%q, %q) = %d, want %d", older, newer, got, want)
		}
		if got := CompareDeb(newer, older); got != -want {
			t.Errorf("CompareDeb(%q, %q) = %d, want %d", newer, older, got, -want)
		}
	}
	f("1.0.0", "1.1.0", -1)
	f("1.9.0", "1.10.0", -1)
	f("1.0.0~rc1", "1.0.0", -1)
	f("1.0.0", "1.0.0+4.gabc", -1)
	f("1.0", "1.0-0", 0)
	f("1.007", "1.7", 0)
	f("9", "1:0", -1)
	f("", "0", 0)
	f("1~", "1", -1)
}

// TestCompareDebLikeDpkg asks the real program about every pair of corner
// cases and about pairs drawn from the alphabet of versions.
func TestCompareDebLikeDpkg(t *testing.T) {
	dpkg, err := exec.LookPath("dpkg")
	if err != nil {
		t.Skip("dpkg is not installed: the order is not compared with the real one")
	}
	is := func(a, relation, b string) bool {
		err := exec.Command(dpkg, "--force-bad-version", "--compare-versions", a, relation, b).Run()
		if exit := (*exec.ExitError)(nil); err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1) {
			t.Fatalf("dpkg --compare-versions %q %s %q: %v", a, relation, b, err)
		}
		return err == nil
	}
	f := func(a, b string) {
		relation := map[int]string{-1: "lt", 0: "eq", 1: "gt"}[CompareDeb(a, b)]
		if !is(a, relation, b) {
			t.Errorf("we say %q %s %q, dpkg says no", a, relation, b)
		}
	}
	for i, a := range debVersions {
		for _, b := range debVersions[i:] {
			f(a, b)
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	draw := func() string {
		const alphabet = "0012a~.+-z"
		v := []byte{'1'}
		for range random.IntN(6) {
			v = append(v, alphabet[random.IntN(len(alphabet))])
		}
		return string(v) + "-1"
	}
	for range 300 {
		f(draw(), draw())
	}
}

func FuzzCompareDeb(f *testing.F) {
	for i, v := range debVersions {
		f.Add(v, debVersions[len(debVersions)-1-i])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if CompareDeb(a, b) != -CompareDeb(b, a) {
			t.Errorf("%q and %q are not ordered one way", a, b)
		}
		if CompareDeb(a, a) != 0 {
			t.Errorf("%q differs from itself", a)
		}
	})
}
