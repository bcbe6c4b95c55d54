package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/kinectl/kinectl/internal/atomicfile"
	"github.com/kinectl/kinectl/internal/build"
	"github.com/kinectl/kinectl/internal/diag"
	"github.com/kinectl/kinectl/internal/facts"
	"github.com/kinectl/kinectl/internal/packager"
	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/render/unit"
	"github.com/kinectl/kinectl/internal/sbom"
	"github.com/kinectl/kinectl/internal/spec"
)

// packed is what --json shows of one package.
type packed struct {
	Path         string  `json:"path"`
	Name         string  `json:"name"`
	Version      string  `json:"version"`
	Arch         string  `json:"arch"`
	Format       string  `json:"format"`
	Distribution string  `json:"distribution"` // "" for all
	Size         int64   `json:"size"`
	SHA256       string  `json:"sha256"`
	Seconds      float64 `json:"seconds"`
}

// packageWork makes the packages of one call.
type packageWork struct {
	options   packageOptions
	plan      plan.Plan
	facts     facts.Facts
	files     []packager.File
	passwords []byte // to be put into the program; nil for none
	line      *progressLine
}

// packageFiles finds the files of the spec. What is wrong with them is shown
// like any other mistake of the spec, with its place there.
func (a *app) packageFiles(specFile string, p plan.Plan) ([]packager.File, error) {
	sources, findings := build.Files(filepath.Dir(specFile), p.Package.Files)
	if len(findings) > 0 {
		s, _ := spec.Parse(specFile, p.Spec)
		lines := strings.Split(string(p.Spec), "\n")
		for i := range findings {
			f := &findings[i]
			f.File = specFile
			for n, file := range s.Files {
				if at := file.Source.At; f.Path == fmt.Sprintf("service.files[%d].src", n) && at.Line > 0 && at.Line <= len(lines) {
					f.Line, f.Column, f.Width, f.Excerpt = at.Line, at.Column, at.Width, strings.TrimSuffix(lines[at.Line-1], "\r")
				}
			}
		}
		return nil, a.refuse(specFile, findings)
	}
	var files []packager.File
	for i, f := range p.Package.Files {
		files = append(files, packager.File{Source: sources[i], Destination: f.Destination, Mode: f.Mode, Config: f.Config})
	}
	return files, nil
}

// refuse shows findings that end the verb.
func (a *app) refuse(specFile string, findings diag.Findings) error {
	if a.json {
		a.printJSON(newReport(findings))
		return exit(exitUsage)
	}
	_ = findings.Write(a.stderr, terminal(a.stderr))
	return usage(fmt.Errorf("%s has %s", specFile, counted(len(findings), "error")), "")
}

// built is the program for one architecture and the list of its parts. Both
// are empty for a package of files only.
type built struct {
	program string
	sbom    []byte
}

// run makes all packages aside and then moves them to their places, so that a
// package that cannot be made leaves all files of the build before.
func (w packageWork) run(ctx context.Context, jobs []packageJob) ([]packed, error) {
	if w.options.binary == "" {
		if err := build.Generate(ctx, w.plan, w.buildOptions("")); err != nil {
			return nil, err
		}
	}
	programs := map[string]built{} // by architecture
	for _, j := range jobs {
		if _, ok := programs[j.Arch]; ok {
			continue
		}
		b, cleanup, err := w.build(ctx, j.Arch)
		if err != nil {
			return nil, err
		}
		defer cleanup()
		programs[j.Arch] = b
	}
	if err := os.MkdirAll(w.options.out, 0o755); err != nil {
		return nil, err
	}
	aside, err := os.MkdirTemp(w.options.out, ".kinectl-package-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(aside)
	done, err := w.packAll(ctx, jobs, programs, aside)
	if err != nil {
		return nil, err
	}
	for _, one := range done { // before the first is moved
		if info, err := os.Lstat(one.Path); err == nil && info.IsDir() {
			return nil, fmt.Errorf("write %s: there is a folder of this name; move it away", one.Path)
		}
	}
	for _, one := range done {
		if err := os.Rename(filepath.Join(aside, filepath.Base(one.Path)), one.Path); err != nil {
			return nil, err
		}
	}
	return done, atomicfile.SyncDir(w.options.out)
}

// build gets the program for one architecture.
func (w packageWork) build(ctx context.Context, arch string) (b built, cleanup func(), err error) {
	b.program, cleanup = w.options.binary, func() {}
	if b.program == "" {
		b.program, cleanup, err = build.Program(ctx, w.plan, w.buildOptions(arch))
	}
	if err != nil || b.program == "" {
		return b, cleanup, err
	}
	b.sbom, err = sbom.Of(w.plan, b.program)
	if err != nil {
		cleanup()
	}
	return b, cleanup, err
}

func (w packageWork) buildOptions(arch string) build.Options {
	return build.Options{
		Dir: filepath.Dir(w.options.spec), Arch: arch, Revision: w.facts.Revision, LDFlags: w.options.ldflags, Passwords: w.passwords, Progress: w.line.event,
	}
}

// packAll packs two at a time: a format that compresses with one thread leaves
// the other processor to its neighbour. The first error by the order of the
// jobs is returned.
func (w packageWork) packAll(ctx context.Context, jobs []packageJob, programs map[string]built, dir string) ([]packed, error) {
	done, errs := make([]packed, len(jobs)), make([]error, len(jobs))
	var group sync.WaitGroup
	free := make(chan struct{}, 2)
	w.line.show("pack " + counted(len(jobs), "package"))
	for i, j := range jobs {
		free <- struct{}{}
		group.Go(func() {
			defer func() { <-free }()
			done[i], errs[i] = w.packOne(ctx, j, programs[j.Arch], dir)
		})
	}
	group.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return done, nil
}

// packOne writes one package into dir. Its Path is where it will be.
func (w packageWork) packOne(ctx context.Context, j packageJob, b built, dir string) (packed, error) {
	start := time.Now()
	name := packager.Name(w.plan, j.format, j.Options)
	out := packed{
		Path: filepath.Join(w.options.out, name), Name: w.plan.Name, Version: w.plan.Version.Label,
		Arch: j.Arch, Format: j.format, Distribution: j.Distribution,
	}
	sum := sha256.New()
	contents := packager.Contents{Plan: w.plan, Rendered: unit.Files(w.plan), Binary: b.program, Secret: w.passwords != nil, Files: w.files, SBOM: b.sbom}
	mode := os.FileMode(0o644)
	if contents.Secret {
		mode = 0o600
	}
	err := atomicfile.WriteFrom(filepath.Join(dir, name), mode, func(to io.Writer) error {
		return packager.Write(ctx, j.format, contents, j.Options, io.MultiWriter(to, sum, &counter{&out.Size}))
	})
	out.SHA256, out.Seconds = hex.EncodeToString(sum.Sum(nil)), time.Since(start).Seconds()
	return out, err
}

// counter is a writer that counts.
type counter struct{ n *int64 }

func (c *counter) Write(p []byte) (int, error) {
	*c.n += int64(len(p))
	return len(p), nil
}
