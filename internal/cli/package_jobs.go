package cli

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kinectl/kinectl/internal/build"
	"github.com/kinectl/kinectl/internal/facts"
	"github.com/kinectl/kinectl/internal/packager"
	"github.com/kinectl/kinectl/internal/plan"
)

// packageJob is one package to be made.
type packageJob struct {
	format string
	packager.Options
}

// check refuses what can be seen without the spec.
func (o *packageOptions) check() error {
	known := strings.Join(packager.Formats(), ", ")
	for _, format := range slices.Concat(o.formats, slices.Sorted(maps.Keys(o.compression))) {
		if !slices.Contains(packager.Formats(), format) {
			return usage(fmt.Errorf("there is no package format %q", format), "one of "+known)
		}
	}
	for _, format := range slices.Sorted(maps.Keys(o.compression)) {
		if err := packager.CheckCompression(format, o.compression[format]); err != nil {
			return usage(err, "--compression "+format+"=X with X one of "+strings.Join(packager.Compressions(format), ", "))
		}
	}
	for _, arch := range o.archs {
		if arch != "amd64" && arch != "arm64" {
			return usage(fmt.Errorf("there is no architecture %q", arch), "--arch amd64, arm64 or both")
		}
	}
	return nil
}

// jobs settles which packages there are to be: for each architecture, each
// format, each distribution, in this order.
func (o *packageOptions) jobs(p plan.Plan) ([]packageJob, error) {
	archs, err := o.architectures(p)
	if err != nil {
		return nil, err
	}
	formats := []string{"deb", "rpm"}
	if o.formats != nil {
		formats = nil
	}
	for _, format := range o.formats {
		if !slices.Contains(formats, format) {
			formats = append(formats, format)
		}
	}
	var jobs []packageJob
	for _, arch := range archs {
		for _, format := range formats {
			of := distributions(p, format)
			if len(of) == 0 && o.formats != nil {
				return nil, usage(fmt.Errorf("required_packages names no distribution of %s packages", format), "add one, with an empty list where nothing is required, or leave the format out")
			}
			for _, d := range of {
				jobs = append(jobs, packageJob{format, packager.Options{Arch: arch, Distribution: d, Compression: o.compression[format]}})
			}
		}
	}
	if len(jobs) == 0 {
		return nil, usage(fmt.Errorf("required_packages names no distribution of %s packages", strings.Join(formats, " and ")), "say with --format which packages to build")
	}
	return jobs, nil
}

// distributions are those that need a package of their own in a format: "" for
// one that suits all.
func distributions(p plan.Plan, format string) []string {
	if len(p.Package.ByDistribution) == 0 {
		return []string{""}
	}
	var all []string
	for _, d := range slices.Sorted(maps.Keys(p.Package.ByDistribution)) {
		if packager.Suits(format, d) {
			all = append(all, d)
		}
	}
	return all
}

// architectures settles for what to build.
func (o *packageOptions) architectures(p plan.Plan) ([]string, error) {
	given := slices.Compact(slices.Sorted(slices.Values(o.archs)))
	if o.binary == "" {
		if len(given) == 0 {
			given = p.Program.Archs
		}
		return given, nil
	}
	of, err := facts.Binary(o.binary)
	switch {
	case err != nil:
		return nil, usage(err, "--binary names a program for Linux; without it, build of the spec says where the program comes from")
	case of == "" && len(given) == 0:
		return p.Program.Archs, nil
	case len(given) == 0:
		return []string{of}, nil
	case of != "" && !slices.Equal(given, []string{of}):
		return nil, usage(fmt.Errorf("%s is a program for %s", o.binary, of), "--arch "+of+", or leave it out")
	}
	return given, nil
}

// passwords reads what is to be put into the program, nil for nothing.
func (o *packageOptions) passwords(p plan.Plan) ([]byte, error) {
	if o.passwordFile == "" {
		return nil, nil
	}
	if o.binary != "" || p.Program.Main == "" {
		return nil, usage(errors.New("--vault-password-file goes into a program that is built here"),
			"leave it out, and give the service the password as a credential: security: {credentials: [vault-password]}")
	}
	if slices.Contains(o.formats, "archlinux") {
		return nil, usage(errors.New("an archlinux package cannot keep the program from the eyes of others"), "give the service the password as a credential: security: {credentials: [vault-password]}")
	}
	text, err := readPasswordFile(o.passwordFile)
	if err != nil {
		return nil, err
	}
	if err := build.CheckPassword(text); err != nil {
		return nil, usage(fmt.Errorf("read the passwords in %s: %w", o.passwordFile, err), "a password a line")
	}
	return text, nil
}
