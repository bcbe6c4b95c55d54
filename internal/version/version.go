// Package version maps one version of a service to its forms. Start at
// [Parse]; docs/versions.md shows the mapping as a table. [ForDistribution] and
// [RPMRelease] tell apart the packages of one version for several distributions.
package version

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Version is a parsed version in all its forms. Each package manager orders
// its own form as the labels are meant. The zero value is no version.
type Version struct {
	Label string // what build_info and people say: "1.2.0-rc1"
	Deb   string // for dpkg, by deb-version(7): "1.2.0~rc1"
	RPM   string // for rpm, without a release, by rpm-version(7): "1.2.0~rc1"
	APK   string // for apk, by apk-package(5): "1.2.0_rc1"; "" when apk has no word for this pre-release
	Arch  string // for pacman, by vercmp(8): "1.2.0rc1"
}

// String returns the label.
func (v Version) String() string { return v.Label }

const (
	numbers = `(?:0|[1-9][0-9]*)\.(?:0|[1-9][0-9]*)\.(?:0|[1-9][0-9]*)`
	early   = `[a-z]+(?:\.?(?:0|[1-9][0-9]*))?`
)

// Parse reads a version in the forms that people and git write:
//
//	1.2.3  v1.2.3          a release (semver.org 2.0.0, section 2)
//	1.2.3-rc1  1.2.3-rc.1  before that release
//	v1.2.3-4-gabc1234      git describe: four commits after it
//	…-dirty                git describe: with changes not committed
//
// The leading v is dropped from the label. A pre-release is a word in lower
// case, and perhaps a number: so it can be told from git's count of commits
// and is ordered by every package manager alike.
func Parse(s string) (Version, error) {
	text, dirty := strings.CutSuffix(strings.TrimPrefix(s, "v"), "-dirty")
	m := regexp.MustCompile(`^(` + numbers + `)(?:-(` + early + `))?(?:-([1-9][0-9]*)-g([0-9a-f]{4,40}))?$`).FindStringSubmatch(text)
	if m == nil || len(s) > 100 {
		return Version{}, fmt.Errorf("version %.100q is not like 1.2.3, 1.2.3-rc1 or what git describe prints", s)
	}
	c := components{release: m[1], pre: m[2], commits: m[3], hash: m[4], dirty: dirty}
	if word := strings.TrimRight(c.pre, ".0123456789"); slices.Contains(distributionWords(), word) {
		return Version{}, fmt.Errorf("version %.100q: %s is no pre-release but the mark of a distribution", s, word)
	}
	return Version{Label: strings.TrimPrefix(s, "v"), Deb: c.deb(), RPM: c.rpm(), APK: c.apk(), Arch: c.arch()}, nil
}

// FromDeb is the way back: it reads the form that [Parse] gave to Deb, as
// dpkg and the repository know a version. The mark of a distribution that
// [ForDistribution] has put on it is dropped.
func FromDeb(s string) (Version, error) {
	wrong := fmt.Errorf("version %.100q is not a Debian version that kinectl makes", s)
	plain, distribution := cutDistribution(s)
	m := regexp.MustCompile(`^(` + numbers + `)(?:~(` + early + `))?(?:\+([0-9]+)(?:\.g([0-9a-f]{4,40}))?(\.dirty)?)?$`).FindStringSubmatch(plain)
	if m == nil {
		return Version{}, wrong
	}
	label := m[1]
	if m[2] != "" {
		label += "-" + m[2]
	}
	if m[4] != "" {
		label += "-" + m[3] + "-g" + m[4]
	}
	if m[5] != "" {
		label += "-dirty"
	}
	v, err := Parse(label)
	if err != nil || v.Deb != plain || ForDistribution(v.Deb, distribution) != s {
		return Version{}, wrong
	}
	return v, nil
}

// components are what a label is made of. All but release may be empty.
type components struct {
	release string // "1.2.3"
	pre     string // "rc1", "rc.1"
	commits string // after the tag
	hash    string
	dirty   bool
}

// deb uses that "~" sorts before the end of a version and "+" after it.
func (c components) deb() string { return c.separated("~", "+") }

// rpm uses "^" for what comes after a tag: rpm takes "+" for no more than a
// gap between two numbers, and 1.2.3~rc+4 would be newer than 1.2.3~rc.1.
func (c components) rpm() string { return c.separated("~", "^") }

func (c components) separated(before, after string) string {
	out := c.release
	if c.pre != "" {
		out += before + c.pre
	}
	switch {
	case c.commits != "":
		out += after + c.commits + ".g" + c.hash
	case c.dirty:
		out += after + "0"
	}
	if c.dirty {
		out += ".dirty"
	}
	return out
}

// apk has four words for what comes before a release, and suffixes with
// numbers for what comes after; a commit's hash has no place among them.
func (c components) apk() string {
	out := c.release
	if c.pre != "" {
		word, number := c.early()
		if !slices.Contains([]string{"alpha", "beta", "pre", "rc"}, word) {
			return ""
		}
		out += "_" + word + number
	}
	if c.commits != "" || c.dirty {
		out += "_git" + cmp.Or(c.commits, "0")
	}
	if c.dirty {
		out += "_p1"
	}
	return out
}

// arch puts the word of a pre-release right behind the numbers, which vercmp
// takes for older, and always a number behind that word: what comes after a
// bare word would be newer than the first number.
func (c components) arch() string {
	out := c.release
	if c.pre != "" {
		word, number := c.early()
		out += word + number
	}
	switch {
	case c.commits != "":
		out += "+" + c.commits + ".g" + c.hash
	case c.dirty:
		out += "+0"
	}
	if c.dirty {
		out += ".dirty"
	}
	return out
}

// early returns the word and the number of a pre-release; no number is 0.
func (c components) early() (word, number string) {
	word = strings.TrimRight(c.pre, ".0123456789")
	return word, cmp.Or(strings.TrimPrefix(c.pre[len(word):], "."), "0")
}
