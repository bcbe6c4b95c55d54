package packager

import (
	"bytes"
	"embed"
	"fmt"
	"io"
	"text/template"

	"github.com/goreleaser/nfpm/v2/deb"

	"github.com/kinectl/kinectl/internal/artifact"
	"github.com/kinectl/kinectl/internal/plan"
)

// Maintainer scripts (Debian Policy, chapter 6).
//
//go:embed deb/*.sh
var scripts embed.FS

// debCompression is read by dpkg of Debian 12 and Ubuntu 22.04 and later, and
// many times faster to write than gzip or xz.
const debCompression = "zstd:3"

// Deb writes the Debian package of p to w: the file binary as /usr/bin/NAME,
// and those of rendered that say where they are installed. arch is Debian's
// name of the architecture. When it returns an error, what w has got so far is
// no package.
func Deb(p plan.Plan, rendered []artifact.File, binary, arch string, w io.Writer) error {
	fault := func(err error) error {
		return fmt.Errorf("package %s %s for %s: %w", p.Name, p.Version, arch, err)
	}
	s, err := newStage()
	if err != nil {
		return fault(err)
	}
	defer s.remove()
	info, err := s.info(p, rendered, binary, arch)
	if err != nil {
		return fault(err)
	}
	info.Deb.Compression = debCompression
	info.Depends = []string{"systemd"} // its tools are called by the scripts
	for name, to := range map[string]*string{
		"deb/postinst.sh": &info.Scripts.PostInstall,
		"deb/prerm.sh":    &info.Scripts.PreRemove,
		"deb/postrm.sh":   &info.Scripts.PostRemove,
	} {
		script, err := debScript(name, p)
		if err != nil {
			return fault(err)
		}
		if *to, err = s.put(script); err != nil {
			return fault(err)
		}
	}
	if err := deb.Default.Package(info, w); err != nil {
		return fault(err)
	}
	return nil
}

// DebName is the name of the package's file, by dpkg-name(1).
func DebName(p plan.Plan, arch string) string {
	return fmt.Sprintf("%s_%s_%s.deb", p.Name, p.Version.Deb, arch)
}

// debScript returns a maintainer script with the service's name in it.
func debScript(name string, p plan.Plan) ([]byte, error) {
	t, err := template.ParseFS(scripts, name)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.Execute(&b, p)
	return b.Bytes(), err
}
