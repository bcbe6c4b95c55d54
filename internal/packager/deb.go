package packager

import (
	"cmp"
	"fmt"

	"github.com/goreleaser/nfpm/v2"
	nfpmdeb "github.com/goreleaser/nfpm/v2/deb"
	"github.com/goreleaser/nfpm/v2/files"

	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/version"
)

// deb is Debian's format (deb(5)), with the scripts of Debian Policy, chapter 6.
func deb() format {
	return format{
		name:          "deb",
		distributions: []string{"debian", "ubuntu"},
		// zstd is read by dpkg of Debian since 12, and of Ubuntu since 18.04, which
		// patched it in. gzip, which all others read, takes about ten times as long
		// to write, and is no smaller.
		compressions: []string{debDefault, "gzip", "xz", "none"},
		levels:       debRPMLevels(),
		file: func(p plan.Plan, o Options) string { // dpkg-name(1)
			return fmt.Sprintf("%s_%s_%s.deb", p.Name, debVersion(p, o), o.Arch)
		},
		describe: describeDeb,
		packager: nfpmdeb.Default,
	}
}

const debDefault = "zstd:3"

func debVersion(p plan.Plan, o Options) string {
	return version.ForDistribution(p.Version.Deb, o.Distribution)
}

func describeDeb(j *job, info *nfpm.Info) (err error) {
	info.Version = debVersion(j.Plan, j.options)
	info.Section, info.Priority = "misc", "optional"
	info.Description = debDescription(j.Plan)
	info.Depends = j.relations("systemd", func(d plan.Dependency) string {
		if d.Relation == "" {
			return d.Name
		}
		// Debian Policy 7.1 has << and >> for what is not equal.
		relation := d.Relation
		if relation == "<" || relation == ">" {
			relation += relation
		}
		return fmt.Sprintf("%s (%s %s)", d.Name, relation, d.Version)
	})
	info.Deb.Compression = cmp.Or(j.options.Compression, debDefault)
	docs, err := debDocuments(j)
	if err != nil {
		return err
	}
	for _, f := range docs {
		if err := j.add(info, entry{kind: files.TypeFile, destination: f.Install, body: f.Body, mode: 0o644}); err != nil {
			return err
		}
	}
	if info.Scripts.PostInstall, err = j.script("deb/postinst"); err != nil {
		return err
	}
	if info.Scripts.PreRemove, err = j.script("deb/prerm"); err != nil {
		return err
	}
	info.Scripts.PostRemove, err = j.script("deb/postrm")
	return err
}
