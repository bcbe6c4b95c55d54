package packager

import (
	"fmt"

	"github.com/goreleaser/nfpm/v2"
	nfpmarch "github.com/goreleaser/nfpm/v2/arch"

	"github.com/kinectl/kinectl/internal/plan"
)

// archlinux is the format of pacman (PKGBUILD(5), alpm-install-scriptlet(5)).
func archlinux() format {
	return format{
		name:          "archlinux",
		distributions: []string{"arch"},
		compressions:  []string{"zstd"}, // what makepkg(8) of Arch writes
		file: func(p plan.Plan, o Options) string {
			return fmt.Sprintf("%s-%s-%s-%s.pkg.tar.zst", p.Name, p.Version.Arch, archRelease, machine(o.Arch))
		},
		describe: describeArch,
		packager: nfpmarch.Default,
	}
}

const archRelease = "1"

func describeArch(j *job, info *nfpm.Info) (err error) {
	info.Version, info.Release = j.Plan.Version.Arch, archRelease
	info.Depends = j.relations("systemd", joined)
	info.ArchLinux.Packager = j.Plan.Package.Maintainer
	if info.ArchLinux.Scripts.PostUpgrade, err = j.script("archlinux/post_upgrade"); err != nil {
		return err
	}
	if info.Scripts.PreRemove, err = j.script("archlinux/pre_remove"); err != nil {
		return err
	}
	info.Scripts.PostRemove, err = j.script("archlinux/post_remove")
	return err
}
