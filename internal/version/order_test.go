package version

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/kinectl/kinectl/internal/needs"
)

// ordered are labels of one service, each older than all that follow.
func ordered() []string {
	return strings.Fields(`
		v0.0.0 v0.0.1-rc1 v0.0.9 v0.0.10 v0.9.0-dirty
		v1.2.3-alpha v1.2.3-alpha-dirty v1.2.3-alpha-3-gabc1234 v1.2.3-alpha.1 v1.2.3-alpha.2 v1.2.3-alpha.10
		v1.2.3-beta2 v1.2.3-beta2-9-gfff0 v1.2.3-beta2-10-g0000 v1.2.3-beta10 v1.2.3-pre1
		v1.2.3-rc1 v1.2.3-rc1-dirty v1.2.3-rc1-4-gabc1234 v1.2.3-rc1-4-gabc1234-dirty v1.2.3-rc1-12-g1234567 v1.2.3-rc2 v1.2.3-rc10
		v1.2.3 v1.2.3-dirty v1.2.3-1-gffff v1.2.3-1-gffff-dirty v1.2.3-9-g0000 v1.2.3-10-g0000 v1.2.3-100-g1e10
		v1.2.4-rc1 v1.2.4 v1.2.10 v1.10.0 v2.0.0-rc.1 v2.0.0-rc.9 v2.0.0-rc.10 v2.0.0 v10.0.0 v20.11.300`)
}

// TestOrder asks every package manager, and us, about every pair of labels in
// the form that is its own.
func TestOrder(t *testing.T) {
	var versions []Version
	for _, s := range ordered() {
		v, err := Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		versions = append(versions, v)
	}
	// f compares the forms that of returns: each with as many of those that
	// follow.
	f := func(name string, of func(Version) string, following int, compare func(*testing.T, [][2]string) []int) {
		t.Run(name, func(t *testing.T) {
			var pairs [][2]string
			for i, a := range versions {
				for _, b := range versions[i+1 : min(len(versions), i+1+following)] {
					pairs = append(pairs, [2]string{of(a), of(b)})
				}
			}
			if len(pairs) < 200 {
				t.Fatalf("%d pairs only", len(pairs))
			}
			for i, got := range compare(t, pairs) {
				if got != -1 {
					t.Errorf("%s and %s: %d, want -1", pairs[i][0], pairs[i][1], got)
				}
			}
		})
	}
	all := len(versions)
	deb := func(v Version) string { return v.Deb }
	rpm := func(v Version) string { return v.RPM }
	f("ours", deb, all, each(CompareDeb))
	f("dpkg", deb, all, dpkgOrder)
	for _, d := range []string{"debian12", "ubuntu22.04"} {
		marked := func(v Version) string { return ForDistribution(v.Deb, d) }
		f("ours for "+d, marked, all, each(CompareDeb))
		f("dpkg for "+d, marked, 6, dpkgOrder)
	}
	f("rpm", rpm, all, rpmOrder)
	f("apk's rules", func(v Version) string { return v.APK }, all, each(compareAPK))
	f("vercmp", func(v Version) string { return v.Arch }, all, vercmpOrder)
}

// TestOrderWithoutCare shows what the forms are for: the plainer ones are
// ordered wrongly by the real programs, which is also what this file would see.
func TestOrderWithoutCare(t *testing.T) {
	if got := dpkgOrder(t, [][2]string{{"1.2.0~rc1~deb12", "1.2.0~deb12"}}); got[0] != 1 {
		t.Errorf("dpkg: %v", got)
	}
	if got := rpmOrder(t, [][2]string{{"1.2.0~rc+4.gabc1234", "1.2.0~rc.1"}}); got[0] != 1 {
		t.Errorf("rpm: %v", got)
	}
}

// TestOrderOfDistributions: a newer release of a distribution has the newer
// package, so that an upgrade of the host takes it.
func TestOrderOfDistributions(t *testing.T) {
	pairs := [][2]string{
		{ForDistribution("1.2.0", "debian12"), ForDistribution("1.2.0", "debian13")},
		{ForDistribution("1.2.0", "ubuntu22.04"), ForDistribution("1.2.0", "ubuntu24.04")},
		{ForDistribution("1.2.0", "debian13"), ForDistribution("1.2.1", "debian12")},
	}
	for i, got := range dpkgOrder(t, pairs) {
		if got != -1 || CompareDeb(pairs[i][0], pairs[i][1]) != -1 {
			t.Errorf("%s is not older than %s", pairs[i][0], pairs[i][1])
		}
	}
	releases := [][2]string{{RPMRelease("rhel8"), RPMRelease("rhel9")}, {RPMRelease("rhel9"), RPMRelease("rhel10")}, {RPMRelease("fedora40"), RPMRelease("fedora41")}}
	for i, got := range rpmOrder(t, releases) {
		if got != -1 {
			t.Errorf("%s is not older than %s", releases[i][0], releases[i][1])
		}
	}
}

func each(compare func(a, b string) int) func(*testing.T, [][2]string) []int {
	return func(_ *testing.T, pairs [][2]string) []int {
		var all []int
		for _, p := range pairs {
			all = append(all, compare(p[0], p[1]))
		}
		return all
	}
}

func dpkgOrder(t *testing.T, pairs [][2]string) []int {
	dpkg := needs.Program(t, "dpkg", "the order is not compared with the real one")
	var all []int
	for _, p := range pairs {
		got := 1
		for _, relation := range []string{"lt", "eq"} {
			err := exec.Command(dpkg, "--compare-versions", p[0], relation, p[1]).Run()
			if exit := (*exec.ExitError)(nil); err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1) {
				t.Fatalf("dpkg --compare-versions %s %s %s: %v", p[0], relation, p[1], err)
			}
			if err == nil {
				got = map[string]int{"lt": -1, "eq": 0}[relation]
				break
			}
		}
		all = append(all, got)
	}
	return all
}

// rpmOrder asks rpm's own rpmvercmp, through the Lua that is built into rpm.
func rpmOrder(t *testing.T, pairs [][2]string) []int {
	rpm := needs.Program(t, "rpm", "the order is not compared with the real one")
	var script strings.Builder
	for _, p := range pairs {
		fmt.Fprintf(&script, "print(rpm.vercmp('%s','%s')..' ')", p[0], p[1])
	}
	out, err := exec.Command(rpm, "--eval", "%{lua:"+script.String()+"}").Output()
	if err != nil {
		t.Fatal(err)
	}
	return numbersOf(t, string(out), len(pairs))
}

func vercmpOrder(t *testing.T, pairs [][2]string) []int {
	// Not among the programs that must be there: Debian has it, but our hosts
	// and CI have no other use for it.
	vercmp, err := exec.LookPath("vercmp")
	if err != nil {
		t.Skip("vercmp (Debian: makepkg) is not installed: the order is not compared with pacman's")
	}
	var out strings.Builder
	for _, p := range pairs {
		body, err := exec.Command(vercmp, p[0], p[1]).Output()
		if err != nil {
			t.Fatalf("vercmp %s %s: %v", p[0], p[1], err)
		}
		out.Write(body)
	}
	return numbersOf(t, out.String(), len(pairs))
}

func numbersOf(t *testing.T, text string, want int) []int {
	t.Helper()
	var all []int
	for _, word := range strings.Fields(text) {
		n, err := strconv.Atoi(word)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, n)
	}
	if len(all) != want {
		t.Fatalf("%d answers, want %d", len(all), want)
	}
	return all
}

// compareAPK orders two versions by the rules of apk-package(5) and the
// version.c of apk-tools 2.14: numbers with dots; then suffixes, of which
// alpha, beta, pre and rc are before the end, and cvs, svn, git, hg and p are
// after it. It takes only what we make of that.
func compareAPK(a, b string) int {
	parse := func(s string) []int {
		m := regexp.MustCompile(`^([0-9]+)\.([0-9]+)\.([0-9]+)((?:_[a-z]+[0-9]+)*)$`).FindStringSubmatch(s)
		if m == nil {
			panic("no version of apk: " + s)
		}
		var all []int
		for _, number := range m[1:4] {
			n, _ := strconv.Atoi(number)
			all = append(all, n)
		}
		order := []string{"alpha", "beta", "pre", "rc", "", "cvs", "svn", "git", "hg", "p"}
		for _, suffix := range regexp.MustCompile(`_([a-z]+)([0-9]+)`).FindAllStringSubmatch(m[4], -1) {
			rank := slices.Index(order, suffix[1])
			if rank < 0 {
				panic("no suffix of apk: " + suffix[1])
			}
			n, _ := strconv.Atoi(suffix[2])
			all = append(all, rank, n)
		}
		return append(all, slices.Index(order, "")) // the end
	}
	return slices.Compare(parse(a), parse(b))
}

// TestTable holds docs/versions.md against the code.
func TestTable(t *testing.T) {
	page, err := os.ReadFile("../../docs/versions.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for line := range strings.Lines(string(page)) {
		cells := regexp.MustCompile("`([^`]+)`|—").FindAllStringSubmatch(line, -1)
		if !strings.HasPrefix(line, "| `") || len(cells) != 6 {
			continue
		}
		rows++
		v, err := Parse(cells[0][1])
		want := Version{cells[1][1], cells[2][1], cells[3][1], cells[4][1], cells[5][1]}
		if err != nil || v != want {
			t.Errorf("%s is %+v, %v; the table says %+v", cells[0][1], v, err, want)
		}
	}
	if rows < 7 {
		t.Errorf("found %d rows only", rows)
	}
	for line := range strings.Lines(string(page)) {
		m := regexp.MustCompile("^\\| `([a-z]{3,}[0-9.]+)` \\| `([^`]+)` \\| `([^`]+)` \\| `([^`]+)` \\|").FindStringSubmatch(line)
		if m == nil {
			continue
		}
		rows++
		if m[2] != ForDistribution("1.2.0", m[1]) || m[3] != ForDistribution("1.2.0~rc1", m[1]) || m[4] != "1.2.0-"+RPMRelease(m[1]) {
			t.Errorf("the row of %s is not what the code says", m[1])
		}
	}
	if rows < 11 {
		t.Errorf("found %d rows only", rows)
	}
}
