// Package packager turns a plan, its rendered files and a binary into a
// package that the package manager of a host installs. Start at [Deb].
//
// One file per format, all with the same signature. The same input gives the
// same bytes, on any machine and at any time. Nothing is written but to the
// writer that the caller hands over, and a temporary folder that is removed.
package packager

import (
	"fmt"
	"os"
	"path"
	"path/filepath"

	"github.com/goreleaser/nfpm/v2"
	"github.com/goreleaser/nfpm/v2/files"

	"github.com/kinectl/kinectl/internal/artifact"
	"github.com/kinectl/kinectl/internal/plan"
)

// stage is a temporary folder: nfpm reads all that it packs from files.
type stage struct {
	dir string
	n   int
}

func newStage() (*stage, error) {
	dir, err := os.MkdirTemp("", "kinectl-package-")
	return &stage{dir: dir}, err
}

func (s *stage) remove() { os.RemoveAll(s.dir) }

// put writes body to a file of the stage and returns its path.
func (s *stage) put(body []byte) (string, error) {
	s.n++
	name := filepath.Join(s.dir, fmt.Sprint(s.n))
	return name, os.WriteFile(name, body, 0o600)
}

// info describes the package as far as all formats agree. nfpm changes what
// it is given, so each build needs its own.
func (s *stage) info(p plan.Plan, rendered []artifact.File, binary, arch string) (*nfpm.Info, error) {
	contents := files.Contents{
		{Source: binary, Destination: "/usr/bin/" + p.Name, FileInfo: &files.ContentFileInfo{Mode: 0o755, MTime: p.BuildTime}},
		// The environment file comes with a release; the folder is ours.
		{Type: files.TypeDir, Destination: "/etc/" + p.Name, FileInfo: &files.ContentFileInfo{Mode: 0o755, MTime: p.BuildTime}},
	}
	for _, f := range rendered {
		if f.Install == "" {
			continue
		}
		if !path.IsAbs(f.Install) || path.Clean(f.Install) != f.Install {
			return nil, fmt.Errorf("%s would be installed as %q, which is no absolute path", f.Path, f.Install)
		}
		source, err := s.put(f.Body)
		if err != nil {
			return nil, err
		}
		contents = append(contents, &files.Content{
			Source: source, Destination: f.Install,
			FileInfo: &files.ContentFileInfo{Mode: f.Mode.Perm(), MTime: p.BuildTime},
		})
	}
	return &nfpm.Info{
		Name:            p.Name,
		Arch:            arch,
		Platform:        "linux",
		Version:         p.Version.Deb,
		VersionSchema:   "none", // the version is mapped by package version
		Section:         "misc",
		Priority:        "optional",
		Maintainer:      p.Group + " <root@localhost>",
		Description:     p.Description,
		MTime:           p.BuildTime,
		DisableGlobbing: true,
		Overridables:    nfpm.Overridables{Contents: contents, Umask: 0o022},
	}, nil
}
