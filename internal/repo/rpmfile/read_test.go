package rpmfile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"runtime"
	"strings"
	"testing"

	"github.com/kinectl/kinectl/internal/needs"
)

// TestFieldsForRPM holds every field against what rpm itself reads.
func TestFieldsForRPM(t *testing.T) {
	needs.Program(t, "rpm", "packages were not compared with the real one")
	f := func(body []byte) {
		t.Helper()
		p, name, db := mustRead(t, body), write(t, body), t.TempDir()
		query := func(format string) string {
			return run(t, "rpm", "--dbpath", db, "-qp", "--qf", format, name)
		}
		q := func(format, got string) {
			t.Helper()
			if want := query(format); got != want {
				t.Errorf("%s: %s is\n%s\nwant\n%s", p.Name, format, got, want)
			}
		}
		or := func(s string) string {
			if s == "" {
				return "(none)"
			}
			return s
		}
		q("%{NAME}|%{EPOCHNUM}|%{EVR}|%{ARCH}", fmt.Sprintf("%s|%d|%s|%s", p.Name, p.Epoch, p.EVR(), p.Arch))
		q("%{SUMMARY}|%{DESCRIPTION}|%{LICENSE}|%{URL}", p.Summary+"|"+p.Description+"|"+p.License+"|"+or(p.URL))
		q("%{VENDOR}|%{GROUP}|%{PACKAGER}|%{BUILDHOST}|%{SOURCERPM}", or(p.Vendor)+"|"+or(p.Group)+"|"+or(p.Packager)+"|"+p.BuildHost+"|"+p.SourceRPM)
		q("%{BUILDTIME}|%{LONGSIZE}|%{LONGARCHIVESIZE}", fmt.Sprintf("%d|%d|%d", p.BuildTime.Unix(), p.InstalledSize, p.ArchiveSize))
		for kind, all := range map[string][]Dependency{
			"PROVIDE": p.Provides, "REQUIRE": p.Requires, "CONFLICT": p.Conflicts, "OBSOLETE": p.Obsoletes,
			"RECOMMEND": p.Recommends, "SUGGEST": p.Suggests, "SUPPLEMENT": p.Supplements, "ENHANCE": p.Enhances,
		} {
			var b strings.Builder
			for _, d := range all {
				fmt.Fprintln(&b, d)
			}
			want := query("[%{" + kind + "NEVRS}\n]")
			if got := b.String(); got != want && (got != "" || want != "(none)\n") {
				t.Errorf("%s: %s is\n%s\nwant\n%s", p.Name, kind, got, want)
			}
		}
		var got, want strings.Builder
		for _, d := range p.Requires {
			fmt.Fprintln(&got, d.Name, d.Pre)
		}
		for line := range strings.Lines(query("[%{REQUIRENAME}\t%{REQUIREFLAGS:deptype}\n]")) {
			name, kinds, _ := strings.Cut(strings.TrimSpace(line), "\t")
			fmt.Fprintln(&want, name, strings.Contains(","+kinds+",", ",pre,") || strings.Contains(","+kinds+",", ",post,"))
		}
		for _, file := range p.Files {
			fmt.Fprintln(&got, file.Path, file.Kind)
		}
		for line := range strings.Lines(query("[%{FILENAMES}\t%{FILEMODES:perms}\t%{FILEFLAGS:fflags}\n]")) {
			part := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
			switch {
			case part[1][0] == 'd':
				part[1] = "dir"
			case strings.Contains(part[2], "g"):
				part[1] = "ghost"
			default:
				part[1] = "file"
			}
			fmt.Fprintln(&want, part[0], part[1])
		}
		for _, c := range p.Changelogs {
			fmt.Fprintln(&got, c.Time.Unix(), c.Author, c.Text)
		}
		want.WriteString(query("[%{CHANGELOGTIME} %{CHANGELOGNAME} %{CHANGELOGTEXT}\n]"))
		if got.String() != strings.TrimSuffix(want.String(), "(none) (none) (none)\n") {
			t.Errorf("%s: got\n%s\nwant\n%s", p.Name, &got, &want)
		}
	}
	f(nfpmRPM(t))
	f(rpmbuild(t, "-bb"))
	f(rpmbuild(t, "-bb", "_binary_payload w9.gzdio", "_source_filedigest_algorithm 1", "_binary_filedigest_algorithm 1"))
	f(rpmbuild(t, "-bb", "_binary_payload w6.xzdio"))
}

func TestReadRefuses(t *testing.T) {
	payload := []byte("payload")
	f := func(body []byte, want string) {
		t.Helper()
		_, err := Read(bytes.NewReader(body))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
	good := makeRPM(minimal(payload), payload)
	changed := func(values ...value) []byte {
		all := maps.Clone(minimal(payload))
		for _, v := range values {
			all[v.tag] = v
		}
		return makeRPM(all, payload)
	}
	without := func(t tag) []byte {
		all := maps.Clone(minimal(payload))
		delete(all, t)
		return makeRPM(all, payload)
	}
	patched := func(offset int, bytes ...byte) []byte {
		body := append([]byte(nil), good...)
		copy(body[offset:], bytes)
		return body
	}
	list := func(t tag, texts ...string) value {
		return value{t, kindStringArray, uint32(len(texts)), []byte(strings.Join(texts, "\x00") + "\x00")}
	}
	numbers := func(t tag, numbers ...uint32) value {
		v := value{tag: t, kind: kindInt32, count: uint32(len(numbers))}
		for _, n := range numbers {
			v.data = binary.BigEndian.AppendUint32(v.data, n)
		}
		return v
	}
	const start = leadSize + 48 // of the header: the signature header has its region only
	f(good, "")
	f(nil, "not an rpm package")
	f([]byte("MZ this is a program"), "not an rpm package")
	f(good[:leadSize+10], "signature header: cut off")
	f(good[:start+100], "header: cut off")
	f(good[:len(good)-1], "payload: damaged: its digest (algorithm 8)")
	f(append(good[:len(good):len(good)], 'x'), "payload: damaged")
	f(patched(4, 2), "rpm format 2")
	f(patched(7, 1), "source package")
	f(patched(7, 9), "type 9")
	f(patched(leadSize, 0), "signature header: no header at byte 96")
	f(patched(leadSize+8, 0xff, 0xff, 0xff, 0xff), "not plausible")
	f(patched(start+12, 0xff, 0xff, 0xff, 0xff), "not plausible")
	f(patched(start+12, 0x03), "header: cut off") // 50 MiB that are not there
	f(patched(start+introSize+3, 62), "made by rpm 3")
	f(without(tagName), `name: ""`)
	f(without(tagSourceRPM), "source package")
	f(without(tagPayloadDigest), "no digest of its payload")
	f(changed(numbers(tagPayloadDigestAlgo, 3)), "no digest of its payload")
	f(changed(numbers(tagSourcePackage, 1)), "source package")
	f(changed(numbers(tagRPMFormat, 6)), "rpm package format 6")
	f(changed(textValue(tagName, "../x")), `name: "../x"`)
	f(changed(textValue(tagVersion, "1-2")), `version: "1-2"`)
	f(changed(textValue(tagArch, "x/y")), `architecture: "x/y"`)
	f(changed(numbers(tagSummary, 1)), "tag 1004: not text")
	f(changed(textValue(tagSize, "x")), "tag 1009: not a number")
	f(changed(list(provides.names, "a", "b"), numbers(provides.flags, 1)), "2 names, 1 flags")
	f(changed(list(tagBasenames, "a"), list(tagDirNames, "/usr/"), numbers(tagDirIndexes, 1), numbers(tagFileModes, 0), numbers(tagFileFlags, 0)), "folder 1 of 1")
	f(changed(list(tagBasenames, "a"), list(tagDirNames, "usr/"), numbers(tagDirIndexes, 0), numbers(tagFileModes, 0), numbers(tagFileFlags, 0)), "not absolute")
	f(changed(list(tagBasenames, "a"), list(tagDirNames, "/"+strings.Repeat("x", maxPath)), numbers(tagDirIndexes, 0), numbers(tagFileModes, 0), numbers(tagFileFlags, 0)), "too long")
	f(changed(list(tagOldFilenames, "/a"), numbers(tagFileModes, 0), numbers(tagFileFlags, 0)), "")

	plain := minimal(payload)
	delete(plain, tagPayloadDigest)
	head := makeRPM(plain, nil)[start:]
	f(makeRPM(plain, payload, md5Value(head, payload)), "") // as rpm 4.0 to 4.13 made them
	f(makeRPM(plain, payload, md5Value(head, []byte("other"))), "header or payload: damaged: its MD5")
	f(makeRPM(plain, payload, textValue(sigMD5, "x")), "tag 1004: not bytes")
	f(makeRPM(minimal(payload), payload, textValue(sigSHA1, strings.Repeat("0", 40))), "header: damaged: its SHA-1")
	f(makeRPM(minimal(payload), payload, textValue(sigSHA256, "nonsense")), "header: damaged: its SHA-256")
	if body := rpmbuild(t, "-bs"); body != nil {
		f(body, "source package")
	}
}

// TestPathsAreBounded: a small header cannot name terabytes of paths.
func TestPathsAreBounded(t *testing.T) {
	const count = 20_000
	payload := []byte("x")
	values := minimal(payload)
	for _, v := range []value{
		{tagBasenames, kindStringArray, count, bytes.Repeat([]byte("a\x00"), count)},
		{tagDirNames, kindStringArray, 1, []byte("/" + strings.Repeat("d", maxPath-2) + "\x00")},
		{tagDirIndexes, kindInt32, count, make([]byte, 4*count)},
		{tagFileModes, kindInt16, count, make([]byte, 2*count)},
		{tagFileFlags, kindInt32, count, make([]byte, 4*count)},
	} {
		values[v.tag] = v
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := Read(bytes.NewReader(makeRPM(values, payload)))
	runtime.ReadMemStats(&after)
	if err == nil || !strings.Contains(err.Error(), "too long") {
		t.Errorf("got %v", err)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 2*maxPaths {
		t.Errorf("%d bytes were allocated", used)
	}
}

func TestLatin1(t *testing.T) {
	payload := []byte("x")
	values := minimal(payload)
	values[tagSummary] = textValue(tagSummary, "Gr\xfcn")
	values[tagVendor] = textValue(tagVendor, "Grün")
	if p := mustRead(t, makeRPM(values, payload)); p.Summary != "Grün" || p.Vendor != "Grün" {
		t.Errorf("got %q and %q", p.Summary, p.Vendor)
	}
}

func FuzzRead(f *testing.F) {
	payload := []byte("x")
	f.Add(nfpmRPM(f))
	f.Add(makeRPM(minimal(payload), payload, textValue(sigSHA1, strings.Repeat("0", 40))))
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := Read(bytes.NewReader(body))
		if err != nil {
			return
		}
		if err := checkIdentity(p.Name, p.Version, p.Release, p.Arch); err != nil {
			t.Errorf("accepted, but %v", err)
		}
		if start, end := p.HeaderRange(); start < leadSize || end <= start || end > p.Size() {
			t.Errorf("header at %d to %d of %d", start, end, p.Size())
		}
	})
}

// FuzzHeader leaves out the digests, which stop most of what FuzzRead tries.
func FuzzHeader(f *testing.F) {
	payload := []byte("x")
	f.Add(makeRPM(minimal(payload), payload)[leadSize+48:])
	f.Add(nfpmRPM(f)[leadSize:])
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, region := range []tag{tagImmutable, tagSignatures} {
			h, err := readHeader(bytes.NewReader(body), 0, region, maxData)
			if err != nil {
				continue
			}
			new(Package).fill(&fields{header: h})
			keepFileSignatures(h)
		}
	})
}
