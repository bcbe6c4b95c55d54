package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/internal/atomicfile"
	"github.com/kinectl/kinectl/internal/facts"
	"github.com/kinectl/kinectl/internal/packager"
	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/render/unit"
)

// packageOptions are the flags of `kinectl package`.
type packageOptions struct {
	spec, version, binary, out string
	formats, archs             []string
	ldflags                    []string
}

// packed is what --json shows of one package.
type packed struct {
	Path    string  `json:"path"`
	Name    string  `json:"name"`
	Version string  `json:"version"`
	Arch    string  `json:"arch"`
	Format  string  `json:"format"`
	Size    int64   `json:"size"`
	SHA256  string  `json:"sha256"`
	Seconds float64 `json:"seconds"`
}

// packageCommand is `kinectl package`.
func (a *app) packageCommand() *cobra.Command {
	var o packageOptions
	cmd := &cobra.Command{
		Use:   "package --version V -o DIR",
		Short: "Build the packages of a service",
		Long: `Builds the Go program beside the spec, or takes the one given with --binary, and
packs it with its systemd unit, the entry for its user and the spec itself.

The same source gives the same bytes, wherever and whenever it is built: all times
are that of the commit, or of SOURCE_DATE_EPOCH. At link time the program gets
main.version, main.name, main.revision and main.buildTime. A package that cannot
be built leaves the file of the build before as it was.`,
		Example: `  kinectl package --version 1.2.0 -o dist
  kinectl package -f api/spec.yml --arch amd64,arm64 -o dist
  kinectl deb --version 1.2.0 --binary ./my-api -o dist`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.pack(cmd.Context(), o) },
	}
	o.flags(cmd)
	cmd.Flags().StringSliceVar(&o.formats, "format", []string{"deb"}, "package formats: deb")
	return cmd
}

// debCommand is `kinectl deb`, short for `kinectl package --format deb`.
func (a *app) debCommand() *cobra.Command {
	o := packageOptions{formats: []string{"deb"}}
	cmd := &cobra.Command{
		Use:     "deb --version V -o DIR",
		Short:   "Build the Debian package of a service",
		Long:    "Short for `kinectl package --format deb`; see there.",
		Example: "  kinectl deb --version 1.2.0 -o dist",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.pack(cmd.Context(), o) },
	}
	o.flags(cmd)
	return cmd
}

func (o *packageOptions) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVarP(&o.spec, "file", "f", "spec.yml", "spec of the service")
	f.StringVar(&o.version, "version", "", "version to build (default: git describe)")
	f.StringVar(&o.binary, "binary", "", "program built already (default: build the Go package beside the spec)")
	f.StringSliceVar(&o.archs, "arch", nil, "architectures: amd64, arm64 (default: that of --binary, else amd64)")
	f.StringArrayVar(&o.ldflags, "ldflags", nil, "more flags for the Go linker; may be repeated")
	f.StringVarP(&o.out, "output", "o", "", "folder for the packages; made if needed")
	_ = cmd.MarkFlagRequired("output")
	_ = cmd.MarkFlagDirname("output")
}

// pack checks everything before it writes anything.
func (a *app) pack(ctx context.Context, o packageOptions) error {
	for _, format := range o.formats {
		if format != "deb" {
			return usage(fmt.Errorf("there is no package format %q", format), "--format deb")
		}
	}
	archs, err := o.architectures()
	if err != nil {
		return err
	}
	p, f, err := a.plan(o.spec, o.version)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return failed(err, "")
	}
	all := []packed{}
	for _, arch := range archs {
		done, err := a.packOne(ctx, o, p, f, arch)
		if err != nil {
			return err
		}
		all = append(all, done)
	}
	if a.json {
		a.printJSON(map[string][]packed{"packages": all})
	}
	return nil
}

// architectures settles for what to build.
func (o *packageOptions) architectures() ([]string, error) {
	for _, arch := range o.archs {
		if arch != "amd64" && arch != "arm64" {
			return nil, usage(fmt.Errorf("there is no architecture %q", arch), "--arch amd64, arm64 or both")
		}
	}
	given := slices.Compact(slices.Sorted(slices.Values(o.archs)))
	if o.binary == "" {
		if len(given) == 0 {
			given = []string{"amd64"}
		}
		return given, nil
	}
	of, err := facts.Binary(o.binary)
	switch {
	case err != nil:
		return nil, usage(err, "--binary names a program for Linux; without it, the Go package beside the spec is built")
	case of == "" && len(given) == 0:
		return []string{"amd64"}, nil
	case len(given) == 0:
		return []string{of}, nil
	case of != "" && !slices.Equal(given, []string{of}):
		return nil, usage(fmt.Errorf("%s is a program for %s", o.binary, of), "--arch "+of+", or leave it out")
	}
	return given, nil
}

// packOne builds and packs for one architecture.
func (a *app) packOne(ctx context.Context, o packageOptions, p plan.Plan, f facts.Facts, arch string) (packed, error) {
	start := time.Now()
	binary := o.binary
	if binary == "" {
		dir, err := os.MkdirTemp("", "kinectl-build-")
		if err != nil {
			return packed{}, failed(err, "")
		}
		defer os.RemoveAll(dir)
		binary = filepath.Join(dir, p.Name)
		build := packager.GoBuild{Dir: filepath.Dir(o.spec), Out: binary, Arch: arch, Revision: f.Revision, LDFlags: o.ldflags}
		if err := build.Run(ctx, p); err != nil {
			if ctx.Err() != nil {
				return packed{}, failed(errors.New("interrupted; nothing was written"), "")
			}
			return packed{}, failed(err, "the Go package beside the spec must build; --binary takes a program built already")
		}
	}
	out := packed{Path: filepath.Join(o.out, packager.DebName(p, arch)), Name: p.Name, Version: p.Version.Label, Arch: arch, Format: "deb"}
	sum := sha256.New()
	err := atomicfile.WriteFrom(out.Path, 0o644, func(w io.Writer) error {
		return packager.Deb(p, unit.Files(p), binary, arch, io.MultiWriter(w, sum))
	})
	if err != nil {
		return packed{}, failed(err, "")
	}
	info, err := os.Stat(out.Path)
	if err != nil {
		return packed{}, failed(err, "")
	}
	out.Size, out.SHA256, out.Seconds = info.Size(), hex.EncodeToString(sum.Sum(nil)), time.Since(start).Seconds()
	if !a.json {
		fmt.Fprintf(a.stdout, "wrote %s (%s, %.1f s)\n", out.Path, byteSize(out.Size), out.Seconds)
	}
	return out, nil
}
