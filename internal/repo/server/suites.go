package server

import (
	"bufio"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

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

// suiteMetrics tell how old the roots are, and read them whenever somebody
// asks. They are moments, not ages: the one who asks knows the time.
type suiteMetrics struct {
	tree               fs.FS
	signed, validUntil *prometheus.Desc
}

func newSuiteMetrics(tree fs.FS) suiteMetrics {
	describe := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, []string{"format", "suite"}, nil)
	}
	return suiteMetrics{
		tree:       tree,
		signed:     describe("repository_signed_timestamp_seconds", "When the newest root of a suite was made."),
		validUntil: describe("repository_valid_until_timestamp_seconds", "When clients will refuse the root of a suite, if ever."),
	}
}

// Describe implements [prometheus.Collector].
func (m suiteMetrics) Describe(to chan<- *prometheus.Desc) { to <- m.signed; to <- m.validUntil }

// Collect implements [prometheus.Collector].
func (m suiteMetrics) Collect(to chan<- prometheus.Metric) {
	send := func(d *prometheus.Desc, at time.Time, r root) {
		if !at.IsZero() {
			to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(at.Unix()), r.format, r.suite)
		}
	}
	for _, r := range roots(m.tree) {
		send(m.signed, r.signed, r)
		send(m.validUntil, r.validUntil, r)
	}
}
