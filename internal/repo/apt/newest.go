package apt

import (
	"cmp"
	"iter"

	"github.com/kinectl/kinectl/internal/repo/index"
	"github.com/kinectl/kinectl/internal/version"
)

// holder is the newest version of a name in one architecture, and how Contents
// names it; without a label it is nothing.
type holder struct {
	entry index.Entry
	label string
}

// newest finds the newest version of each of the names, or of all when names is
// nil, in the text of a Packages index.
func newest(text *index.Text, names map[string]bool) (map[string]holder, error) {
	found := map[string]holder{}
	collect := func(stanzas iter.Seq2[[]byte, error]) error {
		for stanza, err := range stanzas {
			if err != nil {
				return err
			}
			e, section, err := parseStanza(stanza)
			if err != nil {
				return err
			}
			if old, exists := found[e.Name]; (names == nil || names[e.Name]) && (!exists || compareVersions(e, old.entry) > 0) {
				found[e.Name] = holder{e, label(section, e.Name)}
			}
		}
		return nil
	}
	const few = 64 // names; more are found sooner by reading the whole index
	if names == nil || len(names) > few {
		return found, collect(text.All())
	}
	for name := range names {
		if err := collect(versionsOf(text, name)); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// versionsOf yields the stanzas of one name.
func versionsOf(text *index.Text, name string) iter.Seq2[[]byte, error] {
	return text.Range(name+" ", name+"!") // "!" follows the blank
}

// compareVersions orders entries of one name, oldest first.
func compareVersions(a, b index.Entry) int {
	return cmp.Or(
		version.CompareDeb(a.Version, b.Version),
		cmp.Compare(a.Version, b.Version),
		cmp.Compare(a.Architecture, b.Architecture),
	)
}

// compareEntries orders by name, then by version, oldest first.
func compareEntries(a, b index.Entry) int {
	return cmp.Or(cmp.Compare(a.Name, b.Name), compareVersions(a, b))
}
