// Package version maps one version of a service to its forms. Start at
// [Parse]; docs/versions.md shows the mapping as a table.
package version

import (
	"fmt"
	"regexp"
	"strings"
)

// Version is a parsed version. The zero value is no version.
type Version struct {
	Label string // what build_info and people say: "1.2.0"
	Deb   string // Debian's form, ordered by dpkg as Label is meant: "1.2.0"
}

// String returns the label.
func (v Version) String() string { return v.Label }

const (
	numbers = `(?:0|[1-9][0-9]*)\.(?:0|[1-9][0-9]*)\.(?:0|[1-9][0-9]*)`
	early   = `[a-z][0-9a-z]*(?:\.[0-9a-z]+)*`
)

// Parse reads a version in the forms that people and git write:
//
//	1.2.3  v1.2.3          a release (semver.org 2.0.0, section 2)
//	1.2.3-rc1  1.2.3-rc.1  before that release
//	v1.2.3-4-gabc1234      git describe: four commits after it
//	…-dirty                git describe: with changes not committed
//
// The leading v is dropped from the label. A pre-release starts with a letter
// and is in lower case, so that it can be told from git's count of commits and
// is ordered by every package manager alike.
func Parse(s string) (Version, error) {
	text, dirty := strings.CutSuffix(strings.TrimPrefix(s, "v"), "-dirty")
	m := regexp.MustCompile(`^(` + numbers + `)(?:-(` + early + `))?(?:-([1-9][0-9]*)-g([0-9a-f]{4,40}))?$`).FindStringSubmatch(text)
	if m == nil || len(s) > 100 {
		return Version{}, fmt.Errorf("version %.100q is not like 1.2.3, 1.2.3-rc1 or what git describe prints", s)
	}
	release, pre, commits, hash := m[1], m[2], m[3], m[4]
	v := Version{Label: strings.TrimPrefix(s, "v"), Deb: release}
	if pre != "" {
		v.Deb += "~" + pre // "~" sorts before the end: deb-version(7)
	}
	switch {
	case commits != "":
		v.Deb += "+" + commits + ".g" + hash
	case dirty:
		v.Deb += "+0"
	}
	if dirty {
		v.Deb += ".dirty"
	}
	return v, nil
}

// FromDeb is the way back: it reads the form that [Parse] gave to Deb, as
// dpkg and the repository know a version.
func FromDeb(s string) (Version, error) {
	m := regexp.MustCompile(`^(` + numbers + `)(?:~(` + early + `))?(?:\+([0-9]+)(?:\.g([0-9a-f]{4,40}))?(\.dirty)?)?$`).FindStringSubmatch(s)
	if m == nil {
		return Version{}, fmt.Errorf("version %.100q is not a Debian version that kinectl makes", s)
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
	if err == nil && v.Deb != s {
		err = fmt.Errorf("version %.100q is not a Debian version that kinectl makes", s)
	}
	return v, err
}
