package spec

import (
	"regexp"
	"slices"
	"strings"
	"sync"
)

// build checks where the program comes from.
func (p *parser) build() {
	b := &p.spec.Build
	for _, other := range []struct {
		key  string
		path Value[string]
	}{{"binary", b.Binary}, {"archive", b.Archive}} {
		if b.Main.Set && other.path.Set {
			p.fault("contradiction", "service.build.main", b.Main.At, "keep build.main to build the program, or build."+other.key+" for one built already", "main and %s exclude each other", other.key)
			break
		}
	}
	if b.Generate.V && (b.Binary.Set || b.Archive.Set) {
		p.fault("contradiction", "service.build.generate", b.Generate.At, "remove it, or build the program with build.main", "go generate belongs to a program that is built here")
	}
	p.inside("service.build.main", b.Main)
	p.inside("service.build.binary", b.Binary, "version", "arch")
	if !strings.HasPrefix(b.Archive.V, "https://") {
		p.inside("service.build.archive", b.Archive, "version", "arch")
	} else {
		p.placeholders("service.build.archive", b.Archive, "version", "arch")
	}
	p.checksums()
}

// checksums wants one for every file that will be fetched, and none besides.
func (p *parser) checksums() {
	b := &p.spec.Build
	archs := []string{"amd64"}
	if len(b.Arch) > 0 {
		archs = nil
		for _, a := range b.Arch {
			archs = append(archs, a.V)
		}
	}
	for _, sum := range b.SHA256 {
		switch {
		case !b.Archive.Set && p.spec.keys["service.build.archive"] != (Pos{}):
			return // what is there could not be read
		case !b.Archive.Set:
			p.fault("unused-key", "service.build.sha256", sum.Sum.At, "remove it; git has the history of what is built here", "sha256 is that of build.archive, which is not given")
			return
		case sum.Arch != "" && !slices.Contains(archs, sum.Arch):
			p.fault("unused-key", "service.build.sha256."+sum.Arch, sum.Sum.At, "remove it, or add "+sum.Arch+" to build.arch", "nothing is built for %s", sum.Arch)
		case sum.Arch == "" && len(archs) > 1 && strings.Contains(b.Archive.V, "{arch}"):
			p.fault("missing-checksum", "service.build.sha256", sum.Sum.At, "write one for each: sha256: {amd64: …, arm64: …}", "one checksum cannot be that of the archives of %s", strings.Join(archs, " and "))
			return
		}
	}
	if !b.Archive.Set || p.spec.keys["service.build.sha256"] != (Pos{}) && len(b.SHA256) == 0 {
		return // what is there could not be read
	}
	for _, arch := range archs {
		if !slices.ContainsFunc(b.SHA256, func(c Checksum) bool { return c.Arch == arch || c.Arch == "" }) {
			p.fault("missing-checksum", "service.build.sha256", b.Archive.At, "add sha256: {"+arch+": …}, as upstream publishes it or sha256sum(1) tells", "there is no checksum of the archive for %s", arch)
		}
	}
}

// inside wants a relative path to stay inside of its folder.
func (p *parser) inside(path string, v Value[string], fill ...string) {
	if slices.Contains(strings.Split(v.V, "/"), "..") {
		p.fault("bad-path", path, v.At, "a path inside of the folder, without ..", "%s leaves its folder", quoted(v.V))
		return
	}
	p.placeholders(path, v, fill...)
}

var placeholderPattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\{[^{}]*\}|[{}]`) })

// placeholders refuses those that nobody fills.
func (p *parser) placeholders(path string, v Value[string], fill ...string) {
	hint := "this path has no placeholders"
	if len(fill) > 0 {
		hint = "known are {" + strings.Join(fill, "} and {") + "}"
	}
	for _, found := range placeholderPattern().FindAllString(v.V, -1) {
		if name := strings.Trim(found, "{}"); !slices.Contains(fill, name) || len(found) < 3 {
			p.fault("bad-path", path, v.At, hint, "nobody fills the placeholder %s", found)
			return
		}
	}
}
