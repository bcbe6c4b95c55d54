package server

import (
	"bufio"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/kinectl/kinectl/internal/lazyregexp"
)

// root is what the root of a suite says of its age.
type root struct {
	format, suite string    // format is deb or rpm
	signed        time.Time // deb: the field Date; rpm: when the newest repomd.xml was put in its place
	validUntil    time.Time // deb only; zero: for ever
}

var suiteName = lazyregexp.New(`^[a-z][a-z0-9.-]*$`)

// roots reads the roots of all suites, at most a hundred of each format. What
// cannot be read is left out: its series end, which an alert can ask for.
func roots(tree fs.FS) []root {
	var all []root
	for _, suite := range names(tree, "dists") {
		if r, ok := debRoot(tree, suite); ok {
			all = append(all, r)
		}
	}
	for _, suite := range names(tree, "yum") {
		newest := root{format: "rpm", suite: suite}
		for _, arch := range names(tree, path.Join("yum", suite)) {
			info, err := fs.Stat(tree, path.Join("yum", suite, arch, "repodata", rootName))
			if err == nil && info.ModTime().After(newest.signed) {
				newest.signed = info.ModTime()
			}
		}
		if !newest.signed.IsZero() {
			all = append(all, newest)
		}
	}
	return all
}

// names are the folders in dir, sorted.
func names(tree fs.FS, dir string) []string {
	entries, err := fs.ReadDir(tree, dir)
	if err != nil {
		return nil
	}
	var all []string
	for _, e := range entries {
		if e.IsDir() && len(all) < 100 && (dir != "dists" && dir != "yum" || suiteName.MatchString(e.Name())) {
			all = append(all, e.Name())
		}
	}
	return slices.Sorted(slices.Values(all))
}

// debRoot reads the fields of an InRelease that stand before its long lists.
// The signature is the client's to check.
func debRoot(tree fs.FS, suite string) (root, bool) {
	file, err := tree.Open(path.Join("dists", suite, "InRelease"))
	if err != nil {
		return root{}, false
	}
	defer file.Close()
	r := root{format: "deb", suite: suite}
	lines := bufio.NewScanner(io.LimitReader(file, 64<<10))
	for lines.Scan() {
		field, value, _ := strings.Cut(lines.Text(), ":")
		switch field {
		case "Date":
			r.signed = date(value)
		case "Valid-Until":
			r.validUntil = date(value)
		case "SHA256":
			return r, !r.signed.IsZero()
		}
	}
	return r, !r.signed.IsZero()
}

// date reads a date of a Release file, which is in UTC (RepositoryFormat,
// "Date, Valid-Until"); zero when it is none.
func date(value string) time.Time {
	for _, layout := range []string{"Mon, 02 Jan 2006 15:04:05 UTC", time.RFC1123Z} {
		if t, err := time.Parse(layout, strings.TrimSpace(value)); err == nil {
			return t
		}
	}
	return time.Time{}
}

// suites writes moments, not ages: the one who reads knows the time.
func suites(t text, all []root) {
	t.family("repository_signed_timestamp_seconds", "gauge", "When the newest root of a suite was made.")
	for _, r := range all {
		t.sample("repository_signed_timestamp_seconds", labels("format", r.format, "suite", r.suite), float64(r.signed.Unix()))
	}
	t.family("repository_valid_until_timestamp_seconds", "gauge", "When clients will refuse the root of a suite, if ever.")
	for _, r := range all {
		if !r.validUntil.IsZero() {
			t.sample("repository_valid_until_timestamp_seconds", labels("format", r.format, "suite", r.suite), float64(r.validUntil.Unix()))
		}
	}
}
