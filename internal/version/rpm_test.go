package version

import (
	"math/rand/v2"
	"testing"
)

// TestCompareRPMLikeRPM asks the real program about every pair of corner cases
// and about pairs drawn from the alphabet of versions.
func TestCompareRPMLikeRPM(t *testing.T) {
	corners := []string{
		"1", "1.0", "1.00", "1.0.", "1..0", "1.0.1", "1.10", "1.9", "1.0a", "1.0.a", "a", "a1", "1a1", "1A1", "1.0~rc1", "1.0~rc1~git", "1.0~", "1.0~~",
		"1.0^", "1.0^git1", "1.0^git1~pre", "1.0^20200101", "2_0", "2.0", "2_0_", "10000000000000000000001", "10000000000000000000000", "1.0+4", "1.2.3^4.gabc",
	}
	var pairs [][2]string
	for _, a := range corners {
		for _, b := range corners {
			pairs = append(pairs, [2]string{a, b})
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	word := func() string {
		b := make([]byte, 1+random.IntN(7))
		for i := range b {
			b[i] = "0019ab.~^+_"[random.IntN(11)]
		}
		return string(b)
	}
	for range 2000 {
		pairs = append(pairs, [2]string{word(), word()})
	}
	for i, want := range rpmOrder(t, pairs) {
		if got := compareRPMPart(pairs[i][0], pairs[i][1]); got != want {
			t.Errorf("%q against %q: %d, rpm says %d", pairs[i][0], pairs[i][1], got, want)
		}
	}
}

func TestCompareRPM(t *testing.T) {
	f := func(a, b string, want int) {
		t.Helper()
		if got := CompareRPM(a, b); got != want {
			t.Errorf("CompareRPM(%q, %q) = %d, want %d", a, b, got, want)
		}
		if got := CompareRPM(b, a); got != -want {
			t.Errorf("CompareRPM(%q, %q) = %d, want %d", b, a, got, -want)
		}
	}
	f("1.9-1", "1.10-1", -1)
	f("1.0-2", "1:0.1-1", -1)
	f("0:1.0-1", "1.0-1", 0)
	f("1.0", "1.0-7", 0)
	f("1.0-1", "1.0-1.el9", -1)
	f("1.2.0~rc1-1", "1.2.0-1", -1)
}
