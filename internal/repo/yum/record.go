package yum

import (
	"strings"

	"github.com/kinectl/kinectl/internal/repo/index"
	"github.com/kinectl/kinectl/internal/repo/rpmfile"
)

// changelogs is how many entries a record of other.xml has: the last ones, as
// createrepo_c has it unless it is told otherwise.
const changelogs = 10

// recordEnd is the end of a record, in all three lists.
const recordEnd = "</package>\n"

// primaryRecord describes a package in primary.xml: all that dnf resolves
// dependencies with.
func primaryRecord(p Package) []byte {
	r := p.RPM
	b := append(make([]byte, 0, 2048), "<package type=\"rpm\">\n"...)
	b = element(b, "name", p.Entry.Name)
	b = element(b, "arch", p.Entry.Architecture)
	b = versionElement(b, p.Entry.Version)
	b = append(escape(append(b, `<checksum type="sha256" pkgid="YES">`...), p.Entry.SHA256, false), "</checksum>\n"...)
	b = element(b, "summary", r.Summary)
	b = element(b, "description", r.Description)
	b = element(b, "packager", r.Packager)
	b = element(b, "url", r.URL)
	b = number(append(b, "<time"...), "file", unix(p.Entry.Published))
	b = append(number(b, "build", unix(r.BuildTime)), "/>\n"...)
	b = number(append(b, "<size"...), "package", p.Entry.Size)
	b = number(b, "installed", r.InstalledSize)
	b = append(number(b, "archive", r.ArchiveSize), "/>\n"...)
	b = append(attribute(append(b, "<location"...), "href", href(p.Entry.Filename)), "/>\n"...)
	b = append(b, "<format>\n"...)
	b = element(b, "rpm:license", r.License)
	b = element(b, "rpm:vendor", r.Vendor)
	b = element(b, "rpm:group", r.Group)
	b = element(b, "rpm:buildhost", r.BuildHost)
	b = element(b, "rpm:sourcerpm", r.SourceRPM)
	b = number(append(b, "<rpm:header-range"...), "start", p.HeaderStart)
	b = append(number(b, "end", p.HeaderEnd), "/>\n"...)
	for _, list := range []struct {
		name string
		of   []rpmfile.Dependency
	}{
		{"provides", r.Provides},
		{"requires", needed(r)},
		{"conflicts", r.Conflicts},
		{"obsoletes", r.Obsoletes},
		{"suggests", r.Suggests},
		{"enhances", r.Enhances},
		{"recommends", r.Recommends},
		{"supplements", r.Supplements},
	} {
		b = dependencies(b, list.name, list.of)
	}
	for _, f := range r.Files {
		if isPrimary(f.Path) {
			b = fileElement(b, f)
		}
	}
	return append(append(b, "</format>\n"...), recordEnd...)
}

// filelistsRecord names every file of a package.
func filelistsRecord(p Package) []byte {
	b := recordHead(p.Entry)
	for _, f := range p.RPM.Files {
		b = fileElement(b, f)
	}
	return append(b, recordEnd...)
}

// otherRecord has the changelog of a package, oldest entry first. Entries of
// one time get a second each, since readers sort by it.
func otherRecord(p Package) []byte {
	newest := p.RPM.Changelogs
	newest = newest[:min(len(newest), changelogs)]
	times := make([]int64, len(newest))
	b := recordHead(p.Entry)
	for i := len(newest) - 1; i >= 0; i-- {
		c := newest[i]
		times[i] = unix(c.Time)
		if i+1 < len(newest) && (c.Time.Equal(newest[i+1].Time) || times[i] == times[i+1]) {
			times[i] = times[i+1] + 1
		}
		b = attribute(append(b, "<changelog"...), "author", strings.TrimRight(c.Author, " "))
		b = append(number(b, "date", times[i]), '>')
		b = append(escape(b, c.Text, false), "</changelog>\n"...)
	}
	return append(b, recordEnd...)
}

// recordHead starts a record of filelists.xml and other.xml.
func recordHead(e index.Entry) []byte {
	b := attribute([]byte("<package"), "pkgid", e.SHA256)
	b = attribute(b, "name", e.Name)
	b = append(attribute(b, "arch", e.Architecture), ">\n"...)
	return versionElement(b, e.Version)
}

func versionElement(b []byte, version string) []byte {
	epoch, ver, rel := splitVersion(version)
	b = attribute(append(b, "<version"...), "epoch", epoch)
	b = attribute(b, "ver", ver)
	return append(attribute(b, "rel", rel), "/>\n"...)
}

func fileElement(b []byte, f rpmfile.File) []byte {
	b = append(b, "<file"...)
	if f.Kind != rpmfile.Regular {
		b = attribute(b, "type", f.Kind.String())
	}
	return append(escape(append(b, '>'), f.Path, false), "</file>\n"...)
}

// isPrimary tells whether primary.xml names a file, so that dnf can resolve a
// dependency on it without reading filelists.xml. The rule is as old as yum.
func isPrimary(path string) bool {
	return strings.HasPrefix(path, "/etc/") || strings.Contains(path, "bin/") || path == "/usr/lib/sendmail"
}

// href is a file name relative to yum/SUITE/ARCH/, where the baseurl points.
func href(filename string) string {
	const parts = 4 // yum, SUITE, ARCH and the rest
	split := strings.SplitN(filename, "/", parts)
	return split[len(split)-1]
}
