package packager

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/goreleaser/nfpm/v2"
	"github.com/goreleaser/nfpm/v2/files"
	nfpmrpm "github.com/goreleaser/nfpm/v2/rpm"

	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/version"
)

// rpm is the format of RHEL, Fedora and SUSE (rpm.org/documentation).
func rpm() format {
	return format{
		name:          "rpm",
		distributions: []string{"rhel", "fedora"},
		// zstd is read by RHEL 8 and later.
		compressions: []string{"zstd:3", "gzip", "xz"},
		levels:       debRPMLevels(),
		file: func(p plan.Plan, o Options) string { // name-version-release.architecture
			return fmt.Sprintf("%s-%s-%s.%s.rpm", p.Name, p.Version.RPM, version.RPMRelease(o.Distribution), machine(o.Arch))
		},
		describe: describeRPM,
		packager: nfpmrpm.DefaultRPM,
	}
}

func describeRPM(j *job, info *nfpm.Info) (err error) {
	info.Version, info.Release = j.Plan.Version.RPM, version.RPMRelease(j.options.Distribution)
	info.Depends = j.relations("systemd", spaced)
	info.RPM.Compression = cmp.Or(j.options.Compression, "zstd:3")
	info.RPM.BuildHost = "localhost" // or it would be that of this machine
	info.RPM.Group = "Unspecified"
	for _, dir := range ownFolders(j.Plan.Name, j.entries) {
		if err := j.add(info, entry{kind: files.TypeDir, destination: dir, mode: 0o755}); err != nil {
			return err
		}
	}
	if info.Scripts.PostInstall, err = j.script("rpm/post"); err != nil {
		return err
	}
	if info.Scripts.PreRemove, err = j.script("rpm/preun"); err != nil {
		return err
	}
	info.Scripts.PostRemove, err = j.script("rpm/postun")
	return err
}

// ownFolders are the folders that entries lie in and that are ours by their
// name: rpm leaves behind what no package says to own.
func ownFolders(name string, entries []entry) []string {
	given := map[string]bool{}
	for _, e := range entries {
		given[e.destination] = true
	}
	var all []string
	for _, e := range entries {
		for dir := path.Dir(e.destination); dir != "/"; dir = path.Dir(dir) {
			parts := strings.Split(dir, "/")
			if !given[dir] && (slices.Contains(parts, name) || slices.Contains(parts, "kinectl")) {
				all, given[dir] = append(all, dir), true
			}
		}
	}
	return all
}

// machine is what rpm, apk and pacman call an architecture of Go, by uname(1).
func machine(arch string) string {
	switch arch {
	case "amd64":
		return "x86_64"
	case "arm64":
		return "aarch64"
	}
	return arch
}
