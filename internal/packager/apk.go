package packager

import (
	"fmt"

	"github.com/goreleaser/nfpm/v2"
	nfpmapk "github.com/goreleaser/nfpm/v2/apk"

	"github.com/kinectl/kinectl/internal/plan"
)

// apk is Alpine's format, version 2 (apk-package(5)).
func apk() format {
	return format{
		name:          "apk",
		distributions: []string{"alpine"},
		compressions:  []string{"gzip"}, // the format has no other
		// Alpine tells architectures apart by folders. Ours can lie in one.
		file: func(p plan.Plan, o Options) string {
			return fmt.Sprintf("%s_%s-%s_%s.apk", p.Name, p.Version.APK, apkRelease, machine(o.Arch))
		},
		describe: describeAPK,
		packager: nfpmapk.Default,
	}
}

const apkRelease = "r0"

func describeAPK(j *job, info *nfpm.Info) (err error) {
	if j.Plan.Version.APK == "" {
		return fmt.Errorf("apk has no form of the version %s; it knows alpha, beta, pre and rc", j.Plan.Version)
	}
	info.Version, info.Release = j.Plan.Version.APK, apkRelease
	info.Depends = j.relations("", joined)
	if info.Scripts.PostInstall, err = j.script("apk/post-install"); err != nil {
		return err
	}
	info.APK.Scripts.PostUpgrade = info.Scripts.PostInstall
	if info.Scripts.PreRemove, err = j.script("apk/pre-deinstall"); err != nil {
		return err
	}
	info.Scripts.PostRemove, err = j.script("apk/post-deinstall")
	return err
}
