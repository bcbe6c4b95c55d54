package yum

import (
	"encoding/xml"
	"testing"
)

// The three lists as encoding/xml reads them: the judge of what is written
// here, and the same for what createrepo_c writes.
type (
	decodedPrimary struct {
		XMLName  xml.Name         `xml:"http://linux.duke.edu/metadata/common metadata"`
		Count    int              `xml:"packages,attr"`
		Packages []decodedPackage `xml:"package"`
	}
	decodedPackage struct {
		Type        string         `xml:"type,attr"`
		Name        string         `xml:"name"`
		Arch        string         `xml:"arch"`
		Version     decodedVersion `xml:"version"`
		Checksum    decodedSum     `xml:"checksum"`
		Summary     string         `xml:"summary"`
		Description string         `xml:"description"`
		Packager    string         `xml:"packager"`
		URL         string         `xml:"url"`
		Time        struct {
			File  int64 `xml:"file,attr"`
			Build int64 `xml:"build,attr"`
		} `xml:"time"`
		Size struct {
			Package   int64 `xml:"package,attr"`
			Installed int64 `xml:"installed,attr"`
			Archive   int64 `xml:"archive,attr"`
		} `xml:"size"`
		Location struct {
			Href string `xml:"href,attr"`
		} `xml:"location"`
		Format struct {
			License     string `xml:"http://linux.duke.edu/metadata/rpm license"`
			Vendor      string `xml:"http://linux.duke.edu/metadata/rpm vendor"`
			Group       string `xml:"http://linux.duke.edu/metadata/rpm group"`
			BuildHost   string `xml:"http://linux.duke.edu/metadata/rpm buildhost"`
			SourceRPM   string `xml:"http://linux.duke.edu/metadata/rpm sourcerpm"`
			HeaderRange struct {
				Start int64 `xml:"start,attr"`
				End   int64 `xml:"end,attr"`
			} `xml:"http://linux.duke.edu/metadata/rpm header-range"`
			Provides    []decodedEntry `xml:"http://linux.duke.edu/metadata/rpm provides>entry"`
			Requires    []decodedEntry `xml:"http://linux.duke.edu/metadata/rpm requires>entry"`
			Conflicts   []decodedEntry `xml:"http://linux.duke.edu/metadata/rpm conflicts>entry"`
			Obsoletes   []decodedEntry `xml:"http://linux.duke.edu/metadata/rpm obsoletes>entry"`
			Suggests    []decodedEntry `xml:"http://linux.duke.edu/metadata/rpm suggests>entry"`
			Enhances    []decodedEntry `xml:"http://linux.duke.edu/metadata/rpm enhances>entry"`
			Recommends  []decodedEntry `xml:"http://linux.duke.edu/metadata/rpm recommends>entry"`
			Supplements []decodedEntry `xml:"http://linux.duke.edu/metadata/rpm supplements>entry"`
			Files       []decodedFile  `xml:"http://linux.duke.edu/metadata/common file"`
		} `xml:"format"`
	}
	decodedVersion struct {
		Epoch string `xml:"epoch,attr"`
		Ver   string `xml:"ver,attr"`
		Rel   string `xml:"rel,attr"`
	}
	decodedSum struct {
		Type  string `xml:"type,attr"`
		PkgID string `xml:"pkgid,attr"`
		Value string `xml:",chardata"`
	}
	decodedEntry struct {
		Name  string `xml:"name,attr"`
		Flags string `xml:"flags,attr"`
		Epoch string `xml:"epoch,attr"`
		Ver   string `xml:"ver,attr"`
		Rel   string `xml:"rel,attr"`
		Pre   string `xml:"pre,attr"`
	}
	decodedFile struct {
		Type string `xml:"type,attr"`
		Path string `xml:",chardata"`
	}
	// decodedList is filelists.xml and other.xml.
	decodedList struct {
		XMLName  xml.Name
		Count    int `xml:"packages,attr"`
		Packages []struct {
			PkgID      string         `xml:"pkgid,attr"`
			Name       string         `xml:"name,attr"`
			Arch       string         `xml:"arch,attr"`
			Version    decodedVersion `xml:"version"`
			Files      []decodedFile  `xml:"file"`
			Changelogs []struct {
				Author string `xml:"author,attr"`
				Date   int64  `xml:"date,attr"`
				Text   string `xml:",chardata"`
			} `xml:"changelog"`
		} `xml:"package"`
	}
)

func decodeXML(t testing.TB, body []byte, to any) {
	t.Helper()
	if err := xml.Unmarshal(body, to); err != nil {
		t.Fatalf("%v in\n%s", err, body)
	}
}

// document is the plain list of these packages.
func document(kind int, packages ...Package) []byte {
	l := layout(kind)
	body := l.Head(len(packages))
	for _, p := range packages {
		body = append(body, record(kind, p)...)
	}
	return append(body, l.Foot(len(packages))...)
}
