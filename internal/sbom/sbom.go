// Package sbom says what a program is made of: a software bill of materials
// in CycloneDX 1.6 (cyclonedx.org/docs/1.6/json), for the people and programs
// that look for known holes in what runs on a host. Start at [Of].
package sbom

import (
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"

	"github.com/kinectl/kinectl/internal/plan"
)

// Of returns the bill, in JSON, of the program of p, which is the file at
// path. Of a program that Go has built it lists all modules in it, with their
// versions and checksums; of any other there is no more than its name, version
// and SHA-256. The same program and plan give the same bytes: the time is
// that of the build, and the serial number comes from the content.
func Of(p plan.Plan, path string) ([]byte, error) {
	fault := func(err error) error { return fmt.Errorf("list the parts of %s: %w", path, err) }
	f, err := os.Open(path)
	if err != nil {
		return nil, fault(err)
	}
	defer f.Close()
	program, bom := component(p), cdx.NewBOM()
	bom.Metadata = &cdx.Metadata{Timestamp: p.BuildTime.UTC().Format(time.RFC3339), Component: program}
	if info, err := buildinfo.Read(f); err == nil {
		describe(bom, program, p, info)
	} else { // Go has not built this
		sum := sha256.New()
		if _, err := io.Copy(sum, f); err != nil {
			return nil, fault(err)
		}
		program.Hashes = &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(sum.Sum(nil))}}
	}
	body, err := encode(bom)
	if err != nil {
		return nil, fault(err)
	}
	bom.SerialNumber = serial(body)
	if body, err = encode(bom); err != nil {
		return nil, fault(err)
	}
	return body, nil
}

// component is the program itself.
func component(p plan.Plan) *cdx.Component {
	c := &cdx.Component{
		Type:        cdx.ComponentTypeApplication,
		BOMRef:      "pkg:generic/" + p.Name + "@" + p.Version.Label,
		PackageURL:  "pkg:generic/" + p.Name + "@" + p.Version.Label,
		Name:        p.Name,
		Version:     p.Version.Label,
		Description: p.Description,
	}
	if l := p.Package.License; l != "" {
		// A name takes any text; an id only what SPDX lists.
		c.Licenses = &cdx.Licenses{{License: &cdx.License{Name: l}}}
	}
	if url := p.Package.Homepage; url != "" {
		c.ExternalReferences = &[]cdx.ExternalReference{{Type: cdx.ERTypeWebsite, URL: url}}
	}
	return c
}

// describe adds what Go knows of its build. It tells modules, but not which
// of them asked for which.
func describe(bom *cdx.BOM, program *cdx.Component, p plan.Plan, info *debug.BuildInfo) {
	if info.Main.Path != "" {
		program.PackageURL = purl(info.Main.Path, "v"+p.Version.Label)
		if inside := strings.TrimPrefix(strings.TrimPrefix(info.Path, info.Main.Path), "/"); inside != "" && inside != info.Path {
			program.PackageURL += "#" + inside
		}
		program.BOMRef = program.PackageURL
	}
	// What else the build was told, such as flags for the linker, may be secret.
	var settings []cdx.Property
	for _, s := range info.Settings {
		if slices.Contains([]string{"CGO_ENABLED", "GOARCH", "GOOS", "vcs.revision", "vcs.time"}, s.Key) {
			settings = append(settings, cdx.Property{Name: "go:build:" + s.Key, Value: s.Value})
		}
	}
	if settings != nil {
		program.Properties = &settings
	}
	number := strings.TrimPrefix(info.GoVersion, "go")
	parts := []cdx.Component{{Type: cdx.ComponentTypeLibrary, BOMRef: purl("std", number), PackageURL: purl("std", number), Name: "std", Version: number}}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		parts = append(parts, module(m))
	}
	slices.SortFunc(parts, func(a, b cdx.Component) int { return strings.Compare(a.BOMRef, b.BOMRef) })
	parts = slices.CompactFunc(parts, func(a, b cdx.Component) bool { return a.BOMRef == b.BOMRef })
	var refs []string
	for _, c := range parts {
		refs = append(refs, c.BOMRef)
	}
	bom.Components = &parts
	bom.Dependencies = &[]cdx.Dependency{{Ref: program.BOMRef, Dependencies: &refs}}
}

func module(m *debug.Module) cdx.Component {
	c := cdx.Component{
		Type: cdx.ComponentTypeLibrary, Name: m.Path, Version: m.Version,
		BOMRef: purl(m.Path, m.Version), PackageURL: purl(m.Path, m.Version),
	}
	// The sum of a module is a SHA-256 of the sums of its files
	// (golang.org/x/mod/sumdb/dirhash).
	if sum, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(m.Sum, "h1:")); err == nil && len(sum) == sha256.Size {
		c.Hashes = &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(sum)}}
	}
	return c
}

// purl names a Go module as the package URL specification does
// (github.com/package-url/purl-spec).
func purl(path, version string) string {
	path = strings.ToLower(strings.NewReplacer("%", "%25", "@", "%40", "#", "%23", "?", "%3F", " ", "%20").Replace(path))
	if version == "" {
		return "pkg:golang/" + path
	}
	return "pkg:golang/" + path + "@" + strings.NewReplacer("+", "%2B", " ", "%20").Replace(version)
}

func encode(bom *cdx.BOM) ([]byte, error) {
	var b bytes.Buffer
	err := cdx.NewBOMEncoder(&b, cdx.BOMFileFormatJSON).SetPretty(true).SetEscapeHTML(false).Encode(bom)
	return b.Bytes(), err
}

// serial is a UUID of the kind that each may make in its own way (RFC 9562,
// section 5.8).
func serial(content []byte) string {
	u := sha256.Sum256(content)
	u[6] = u[6]&0x0f | 0x80
	u[8] = u[8]&0x3f | 0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", u[0:4], u[4:6], u[6:8], u[8:10], u[10:16])
}
