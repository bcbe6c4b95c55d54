package version

import "strings"

// distributionWords are what a distribution is called inside of a Debian
// version. They cannot be pre-releases.
func distributionWords() []string { return []string{"deb", "ubuntu"} }

// ForDistribution marks a Debian version as that of the package for one
// distribution, by its name in required_packages: 1.2.0 becomes 1.2.0~deb12
// for debian12, and 1.2.0~ubuntu22.04 for ubuntu22.04. So that a pre-release
// stays older than its release, its "~" is doubled: 1.2.0~rc1 becomes
// 1.2.0~~rc1~deb12, since 1.2.0~rc1~deb12 would be newer than 1.2.0~deb12.
// For "", and for distributions without dpkg, it returns the version as it is.
func ForDistribution(deb, distribution string) string {
	mark := ""
	if number, ok := strings.CutPrefix(distribution, "debian"); ok {
		mark = "~deb" + number
	} else if strings.HasPrefix(distribution, "ubuntu") {
		mark = "~" + distribution
	}
	if mark == "" {
		return deb
	}
	return strings.Replace(deb, "~", "~~", 1) + mark
}

// cutDistribution is the way back: the version without its mark, and the
// distribution that it is for. Without a mark, or with one that is not ours,
// the distribution is "".
func cutDistribution(s string) (deb, distribution string) {
	i := strings.LastIndexByte(s, '~')
	if i < 0 {
		return s, ""
	}
	deb = strings.Replace(s[:i], "~~", "~", 1)
	mark := s[i+1:]
	if number, ok := strings.CutPrefix(mark, "deb"); ok && isRelease(number) {
		return deb, "debian" + number
	}
	if number, ok := strings.CutPrefix(mark, "ubuntu"); ok && isRelease(number) {
		return deb, mark
	}
	return s, ""
}

// isRelease reports whether s numbers a release of a distribution: "12",
// "22.04", or "" for any.
func isRelease(s string) bool {
	return strings.Trim(s, ".0123456789") == "" && strings.Trim(s, ".") == s
}

// RPMRelease is the release of an rpm, the part after the last "-", for one
// distribution by its name in required_packages: "1.el9" for rhel9, "1.fc40"
// for fedora40, as the dist tag of their own packages is; "1" for any other.
func RPMRelease(distribution string) string {
	if number, ok := strings.CutPrefix(distribution, "rhel"); ok {
		return "1.el" + number
	}
	if number, ok := strings.CutPrefix(distribution, "fedora"); ok {
		return "1.fc" + number
	}
	return "1"
}
