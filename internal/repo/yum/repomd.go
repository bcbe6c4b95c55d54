package yum

import (
	"encoding/xml"
	"errors"
	"fmt"
	"strings"
)

// repomd is the root of a repository: repomd.xml, which is signed and vouches
// for the three lists.
type repomd struct {
	revision int64  // seconds since 1970 of the last change; grows with every one
	repo     string // SUITE/ARCH, so that a signed root is taken for no other
	data     [kinds]data
}

// data is what repomd.xml says of a list.
type data struct {
	sha256    string // of the file
	size      int64
	timestamp int64 // the revision that it is from
}

// name is the file's below the repository's directory.
func (d data) name(kind int) string {
	return "repodata/" + d.sha256 + "-" + kindNames[kind] + ".xml.gz"
}

// render writes repomd.xml. The format is createrepo_c's; nothing else
// describes it. open-checksum and open-size, which that has too, are left out:
// dnf does not ask for them, and to know them is to unpack every list at every
// publication.
func (m repomd) render() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, `<?xml version="1.0" encoding="UTF-8"?>
<repomd xmlns="http://linux.duke.edu/metadata/repo" xmlns:rpm="http://linux.duke.edu/metadata/rpm">
  <revision>%d</revision>
  <tags>
    <repo>%s</repo>
  </tags>
`, m.revision, m.repo)
	for kind, d := range m.data {
		fmt.Fprintf(&b, `  <data type="%s">
    <checksum type="sha256">%s</checksum>
    <location href="%s"/>
    <timestamp>%d</timestamp>
    <size>%d</size>
  </data>
`, kindNames[kind], d.sha256, d.name(kind), d.timestamp, d.size)
	}
	b.WriteString("</repomd>\n")
	return []byte(b.String())
}

// parseRepomd reads what render wrote.
func parseRepomd(body []byte) (repomd, error) {
	var read struct {
		Revision int64  `xml:"revision"`
		Repo     string `xml:"tags>repo"`
		Data     []struct {
			Type     string `xml:"type,attr"`
			Checksum string `xml:"checksum"`
			Location struct {
				Href string `xml:"href,attr"`
			} `xml:"location"`
			Timestamp int64 `xml:"timestamp"`
			Size      int64 `xml:"size"`
		} `xml:"data"`
	}
	if err := xml.Unmarshal(body, &read); err != nil {
		return repomd{}, err
	}
	m := repomd{revision: read.Revision, repo: read.Repo}
	if len(read.Data) != kinds || read.Revision <= 0 {
		return m, errors.New("not a repomd.xml as it is written here")
	}
	for kind, d := range read.Data {
		m.data[kind] = data{d.Checksum, d.Size, d.Timestamp}
		if d.Type != kindNames[kind] || !sha256Pattern.MatchString(d.Checksum) || d.Size <= 0 || d.Location.Href != m.data[kind].name(kind) {
			return m, fmt.Errorf("list %q is not described as it is here", d.Type)
		}
	}
	return m, nil
}
