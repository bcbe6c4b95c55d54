package packager

import (
	"fmt"
	"strings"

	"github.com/kinectl/kinectl/internal/artifact"
)

// documents are what every package says of itself, in /usr/share/doc/NAME.
func documents(c Contents) []artifact.File {
	dir := "/usr/share/doc/" + c.Plan.Name + "/"
	all := []artifact.File{{Path: "copyright", Install: dir + "copyright", Body: copyright(c)}}
	if c.SBOM != nil {
		all = append(all, artifact.File{Path: "SBOM", Install: dir + "sbom.cdx.json", Body: c.SBOM})
	}
	return all
}

// copyright writes the machine-readable format 1.0 of Debian (DEP-5).
func copyright(c Contents) []byte {
	p := c.Plan
	var b strings.Builder
	fmt.Fprintln(&b, "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/")
	fmt.Fprintf(&b, "Upstream-Name: %s\nUpstream-Contact: %s\n", p.Name, p.Package.Maintainer)
	if p.Package.Homepage != "" {
		fmt.Fprintf(&b, "Source: %s\n", p.Package.Homepage)
	}
	holder, _, _ := strings.Cut(p.Package.Maintainer, " <")
	fmt.Fprintf(&b, "\nFiles: *\nCopyright: %d %s\nLicense: %s\n %s\n", p.BuildTime.Year(), holder, p.Package.License, licenseText(p.Package.License))
	return []byte(b.String())
}

// licenseText says where the text of a license is. Debian has those that many
// use in one folder, and wants them named there (Debian Policy 12.5).
func licenseText(license string) string {
	if license == "proprietary" {
		return "All rights reserved. For use by its owner and whom its owner permits."
	}
	for _, l := range []struct{ begins, file string }{
		{"Apache-2.0", "Apache-2.0"},
		{"GPL-1.0", "GPL-1"},
		{"GPL-2.0", "GPL-2"},
		{"GPL-3.0", "GPL-3"},
		{"LGPL-2.0", "LGPL-2"},
		{"LGPL-2.1", "LGPL-2.1"},
		{"LGPL-3.0", "LGPL-3"},
		{"GFDL-1.2", "GFDL-1.2"},
		{"GFDL-1.3", "GFDL-1.3"},
		{"MPL-1.1", "MPL-1.1"},
		{"MPL-2.0", "MPL-2.0"},
		{"CC0-1.0", "CC0-1.0"},
		{"Artistic-1.0", "Artistic"},
	} {
		if strings.HasPrefix(license, l.begins) && !strings.Contains(license, " ") {
			return "On Debian systems its text is in /usr/share/common-licenses/" + l.file + "."
		}
	}
	return "Its text is at https://spdx.org/licenses/."
}
