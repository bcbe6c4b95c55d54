package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/internal/build"
	"github.com/kinectl/kinectl/internal/packager"
)

// packageOptions are the flags of `kinectl package`.
type packageOptions struct {
	spec, version, binary, out string
	passwordFile               string
	formats, archs             []string // nil for the default
	compression                map[string]string
	ldflags                    []string
}

// packageCommand is `kinectl package`.
func (a *app) packageCommand() *cobra.Command {
	var o packageOptions
	cmd := &cobra.Command{
		Use:   "package --version V -o DIR",
		Short: "Build the packages of a service",
		Long: `Gets the program and packs it with its systemd units, the entry for its user,
the files of the spec, a list of what the program is made of (SBOM) and the spec
itself.

The program is what build of the spec says: a Go package, built here, a program
built already, or one out of an archive that upstream publishes, which is taken
only when its SHA-256 is right. --binary names one in its place.

Where required_packages is a map, there is one package for each distribution in
it. The same source gives the same bytes, wherever and whenever it is built: all
times are that of the commit, or of SOURCE_DATE_EPOCH. At link time a Go program
gets main.version, main.name, main.revision and main.buildTime. When one of the
packages cannot be built, none is written: the files of the build before stay as
they were.

With --json it prints {"packages": [...]}; a package has path, name, version,
arch, format, distribution, size, sha256 and seconds.`,
		Example: `  kinectl package --version 1.2.0 -o dist
  kinectl package -f api/spec.yml --format deb,rpm,apk,archlinux --arch amd64,arm64 -o dist
  kinectl package --version 1.2.0 --compression deb=gzip,rpm=zstd:19 -o dist
  kinectl deb --version 1.2.0 --binary ./my-api -o dist`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.pack(cmd.Context(), o) },
	}
	o.flags(cmd)
	cmd.Flags().StringSliceVar(&o.formats, "format", nil, "package formats: "+strings.Join(packager.Formats(), ", ")+" (default deb,rpm)")
	_ = cmd.RegisterFlagCompletionFunc("format", listed(packager.Formats()...))
	return cmd
}

// debCommand and rpmCommand are short for `kinectl package --format …`.
func (a *app) debCommand() *cobra.Command { return a.packageShortCommand("deb", "Debian package") }
func (a *app) rpmCommand() *cobra.Command { return a.packageShortCommand("rpm", "rpm package") }

func (a *app) packageShortCommand(format, what string) *cobra.Command {
	o := packageOptions{formats: []string{format}}
	cmd := &cobra.Command{
		Use:     format + " --version V -o DIR",
		Short:   "Build the " + what + " of a service",
		Long:    "Short for `kinectl package --format " + format + "`; see there.",
		Example: "  kinectl " + format + " --version 1.2.0 -o dist",
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
	f.StringVar(&o.binary, "binary", "", "program built already (default: what build of the spec says)")
	f.StringSliceVar(&o.archs, "arch", nil, "architectures: amd64, arm64 (default: that of --binary, else build.arch of the spec)")
	f.StringToStringVar(&o.compression, "compression", nil, "compression of a format, with a level or not: deb=gzip,rpm=zstd:19")
	f.StringVar(&o.passwordFile, "vault-password-file", "", "password file to put into the program, which then reads its secrets without any other; see docs/vault.md first")
	f.StringArrayVar(&o.ldflags, "ldflags", nil, "more flags for the Go linker; may be repeated")
	f.StringVarP(&o.out, "output", "o", "", "folder for the packages; made if needed")
	_ = cmd.MarkFlagRequired("output")
	_ = cmd.MarkFlagDirname("output")
	_ = cmd.MarkFlagFilename("file", "yml", "yaml")
	_ = cmd.MarkFlagFilename("vault-password-file")
	_ = cmd.RegisterFlagCompletionFunc("arch", listed("amd64", "arm64"))
	_ = cmd.RegisterFlagCompletionFunc("compression", listed(compressions()...))
}

// compressions are all values of --compression, but for levels.
func compressions() []string {
	var all []string
	for _, format := range packager.Formats() {
		for _, c := range packager.Compressions(format) {
			all = append(all, format+"="+c)
		}
	}
	return all
}

// listed completes a flag that takes a list: the word after the last comma.
func listed(words ...string) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		before := typed[:strings.LastIndexByte(typed, ',')+1]
		var all []string
		for _, w := range words {
			if !strings.Contains(","+before, ","+w+",") {
				all = append(all, before+w)
			}
		}
		return all, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
}

// pack checks everything before it builds anything, and builds everything
// before it writes anything.
func (a *app) pack(ctx context.Context, o packageOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	p, f, err := a.plan(o.spec, o.version)
	if err != nil {
		return err
	}
	passwords, err := o.passwords(p)
	if err != nil {
		return err
	}
	jobs, err := o.jobs(p)
	if err != nil {
		return err
	}
	files, err := a.packageFiles(o.spec, p)
	if err != nil {
		return err
	}
	w := packageWork{options: o, plan: p, facts: f, files: files, passwords: passwords, line: newProgressLine(a.progress())}
	done, err := w.run(ctx, jobs)
	w.line.clear()
	switch {
	case err != nil && ctx.Err() != nil:
		return failed(errors.New("interrupted; nothing was written"), "")
	case errors.Is(err, build.ErrNoReader):
		return usage(err, "leave --vault-password-file out, or let the program run on the package service, or call vault.DecryptEnv")
	case err != nil:
		return failed(err, "")
	}
	if a.json {
		a.printJSON(map[string][]packed{"packages": done})
		return nil
	}
	for _, one := range done {
		fmt.Fprintf(a.stdout, "wrote %s (%s, %.1f s)\n", one.Path, byteSize(one.Size), one.Seconds)
	}
	return nil
}
