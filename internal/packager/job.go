package packager

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"

	"github.com/goreleaser/nfpm/v2"
	"github.com/goreleaser/nfpm/v2/files"
)

// job is one package in the making. Its folder is temporary: nfpm reads all
// that it packs from files.
type job struct {
	Contents
	options Options
	entries []entry
	units   units
	dir     string
	n       int
}

func newJob(c Contents, o Options) (*job, error) {
	entries, err := settle(c)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "kinectl-package-")
	if err != nil {
		return nil, fmt.Errorf("make a temporary folder: %w; TMPDIR names another place for it", err)
	}
	return &job{Contents: c, options: o, entries: entries, units: unitsOf(entries), dir: dir}, nil
}

func (j *job) remove() { os.RemoveAll(j.dir) }

// put writes body to a file of the job's folder and returns its path. Its time
// is that of the build, since some formats look at it.
func (j *job) put(body []byte) (string, error) {
	j.n++
	name := filepath.Join(j.dir, fmt.Sprint(j.n))
	err := os.WriteFile(name, body, 0o600)
	if err == nil {
		err = os.Chtimes(name, j.Plan.BuildTime, j.Plan.BuildTime)
	}
	if err != nil {
		err = fmt.Errorf("%w; TMPDIR names another folder for what is temporary", err)
	}
	return name, err
}

// info describes the package as far as all formats agree. nfpm changes what
// it is given, so each package needs its own.
func (j *job) info() (*nfpm.Info, error) {
	p := j.Plan
	info := &nfpm.Info{
		Name:            p.Name,
		Arch:            j.options.Arch,
		Platform:        "linux",
		VersionSchema:   "none", // the version is mapped by package version
		Maintainer:      p.Package.Maintainer,
		Homepage:        p.Package.Homepage,
		License:         p.Package.License,
		Description:     p.Description,
		MTime:           p.BuildTime,
		DisableGlobbing: true,
		Overridables:    nfpm.Overridables{Umask: 0o022},
	}
	for _, e := range j.entries {
		if err := j.add(info, e); err != nil {
			return nil, err
		}
	}
	return info, nil
}

// add adds an entry to the package.
func (j *job) add(info *nfpm.Info, e entry) error {
	source := e.source
	if e.body != nil {
		var err error
		if source, err = j.put(e.body); err != nil {
			return err
		}
	}
	info.Contents = append(info.Contents, &files.Content{
		Type: e.kind, Source: source, Destination: e.destination,
		FileInfo: &files.ContentFileInfo{Mode: e.mode, MTime: j.Plan.BuildTime, Owner: "root", Group: cmp.Or(e.group, "root")},
	})
	return nil
}

// script puts a script of the package where nfpm finds it. It returns "" for
// one that has nothing to do.
func (j *job) script(name string) (string, error) {
	body, err := script(name, j.Plan, j.units)
	if err != nil || body == nil {
		return "", err
	}
	return j.put(body)
}
