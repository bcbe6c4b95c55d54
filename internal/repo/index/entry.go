// Package index holds the lists of a package repository: one [Entry] a
// package, and [Text], a sorted list of records that is kept in blocks, each
// compressed on its own, so that a change costs one block and not the list.
package index

import "time"

// Entry is one package of a suite, as its indexes describe it.
type Entry struct {
	Format       string    `json:"format"` // "deb" or "rpm"
	Name         string    `json:"name"`
	Version      string    `json:"version"`      // deb: [epoch:]upstream[-revision]; rpm: [epoch:]version-release, epoch 0 left out
	Architecture string    `json:"architecture"` // in the format's own words: amd64 and all, x86_64 and noarch
	Filename     string    `json:"filename"`     // relative to the repository
	Size         int64     `json:"size"`         // bytes
	SHA256       string    `json:"sha256"`       // of the file, lower-case hexadecimal
	Published    time.Time `json:"published"`    // when it joined this suite; zero when not known
}

// Key orders records within an index, by plain byte order, and is unique in it.
func (e Entry) Key() string { return Key(e.Name, e.Version, e.Architecture) }

// Key is the key of a package. The parts hold no blank.
func Key(name, version, architecture string) string {
	return name + " " + version + " " + architecture
}
