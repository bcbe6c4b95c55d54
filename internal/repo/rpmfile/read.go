package rpmfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/kinectl/kinectl/internal/lazyregexp"
)

const leadSize = 96

var leadMagic = []byte{0xed, 0xab, 0xee, 0xdb}

// Read reads a package to its end and checks it: the structure of both
// headers, the digests of header and payload, and the fields that name it. A
// package whose payload no digest covers is refused, and so are source
// packages and the formats of rpm 3 and rpm 6.
//
// What nothing covers, in this format, is the lead and the signature header.
// Its signatures are not checked: that is the business of who has the key.
// [Package.Signed] writes lead and signatures anew.
func Read(r Source) (*Package, error) {
	if err := checkLead(r); err != nil {
		return nil, err
	}
	signature, err := readHeader(r, leadSize, tagSignatures, maxSignatureData)
	if err != nil {
		return nil, fmt.Errorf("signature header: %w", err)
	}
	start := aligned(leadSize + int64(len(signature.raw)))
	head, err := readHeader(r, start, tagImmutable, maxData)
	if err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	p := &Package{source: r, headerStart: start, headerEnd: start + int64(len(head.raw))}
	if err := p.check(&fields{header: signature}, &fields{header: head}); err != nil {
		return nil, err
	}
	f := &fields{header: head}
	p.fill(f)
	if f.err != nil {
		return nil, fmt.Errorf("header: %w", f.err)
	}
	p.ArchiveSize = int64((&fields{header: signature}).number(sigArchiveSize, sigLongArchiveSize))
	p.keep = keepFileSignatures(signature)
	if err := checkIdentity(p.Name, p.Version, p.Release, p.Arch); err != nil {
		return nil, err
	}
	return p, nil
}

// checkLead checks the first 96 bytes, the only ones that rpm still looks at:
// docs/manual/format_lead.md.
func checkLead(r Source) error {
	lead := make([]byte, leadSize)
	if n, _ := r.ReadAt(lead, 0); n < leadSize || !bytes.Equal(lead[:4], leadMagic) {
		return errors.New("not an rpm package")
	}
	if major := lead[4]; major < 3 || major > 4 {
		return fmt.Errorf("rpm format %d, only 3 and 4 are known", major)
	}
	if kind := binary.BigEndian.Uint16(lead[6:]); kind == 1 {
		return errSource
	} else if kind != 0 {
		return fmt.Errorf("rpm package of type %d, only 0 (binary) is known", kind)
	}
	return nil
}

var errSource = errors.New("this is a source package: hosts install binary ones only")

// aligned is the next multiple of 8, where the header starts.
func aligned(n int64) int64 { return (n + 7) &^ 7 }

func (p *Package) fill(f *fields) {
	if f.number(tagRPMFormat) >= 6 {
		f.err = errors.New("rpm package format 6, only 4 is known: build it with the macro _rpmformat set to 4")
		return
	}
	p.Name, p.Version, p.Release, p.Arch = f.text(tagName), f.text(tagVersion), f.text(tagRelease), f.text(tagArch)
	p.Epoch = uint32(f.number(tagEpoch))
	p.Summary, p.Description, p.License, p.URL = f.text(tagSummary), f.text(tagDescription), f.text(tagLicense), f.text(tagURL)
	p.Vendor, p.Group, p.Packager = f.text(tagVendor), f.text(tagGroup), f.text(tagPackager)
	p.BuildHost, p.SourceRPM = f.text(tagBuildHost), f.text(tagSourceRPM)
	p.BuildTime = time.Unix(int64(f.number(tagBuildTime)), 0).UTC()
	p.InstalledSize = int64(f.number(tagLongSize, tagSize))
	p.Provides, p.Requires = f.dependencies(provides), f.dependencies(requires)
	p.Conflicts, p.Obsoletes = f.dependencies(conflicts), f.dependencies(obsoletes)
	p.Recommends, p.Suggests = f.dependencies(recommends), f.dependencies(suggests)
	p.Supplements, p.Enhances = f.dependencies(supplements), f.dependencies(enhances)
	p.Files, p.Changelogs = f.files(), f.changelogs()
	// rpm takes a package that does not name its source for one itself.
	if f.err == nil && (p.SourceRPM == "" || f.number(tagSourcePackage) != 0) {
		f.err = errSource
	}
}

// The characters that rpm allows in these fields, build/parsePreamble.c, less
// the "%{}" of macros that were not expanded.
var (
	namePattern    = lazyregexp.New(`^[A-Za-z0-9_][A-Za-z0-9._+-]*$`)
	versionPattern = lazyregexp.New(`^[A-Za-z0-9._+~^]+$`)
	archPattern    = lazyregexp.New(`^[a-z0-9][A-Za-z0-9_]*$`)
)

// checkIdentity says every mistake in the fields that name a package. What it
// lets pass is safe as part of a file name.
func checkIdentity(name, version, release, arch string) error {
	var faults []error
	f := func(field, value string, pattern *lazyregexp.Regexp) {
		if !pattern.MatchString(value) || len(value) > 128 {
			faults = append(faults, fmt.Errorf("%s: %q cannot be in the name of a package", field, value))
		}
	}
	f("name", name, namePattern)
	f("version", version, versionPattern)
	f("release", release, versionPattern)
	f("architecture", arch, archPattern)
	return errors.Join(faults...)
}
