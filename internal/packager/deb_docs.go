package packager

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/kinectl/kinectl/internal/artifact"
	"github.com/kinectl/kinectl/internal/plan"
)

// debDocuments are what Debian wants in a package besides.
func debDocuments(j *job) ([]artifact.File, error) {
	name := j.Plan.Name
	log, err := changelog(j.Plan, j.options)
	return []artifact.File{
		{Install: "/usr/share/doc/" + name + "/changelog.gz", Body: log},
		{Install: "/usr/share/lintian/overrides/" + name, Body: overrides(j)},
	}, err
}

// debDescription is the control field (Debian Policy 5.6.13): a synopsis of
// less than 80 characters, which is no sentence, and more in lines below.
func debDescription(p plan.Plan) string {
	whole := strings.TrimSpace(p.Description)
	synopsis := strings.TrimRight(whole, ". ")
	for _, article := range []string{"A ", "An ", "The ", "a ", "an ", "the "} {
		synopsis = strings.TrimPrefix(synopsis, article)
	}
	more := ""
	if !strings.ContainsFunc(synopsis, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }) {
		synopsis = "service " + p.Name // "..." says nothing, and an empty field is none
	}
	if runes := []rune(synopsis); len(runes) >= 80 {
		synopsis = string(runes[:75])
		if i := strings.LastIndexByte(synopsis, ' '); i > 0 {
			synopsis = synopsis[:i]
		}
		synopsis = strings.TrimRight(synopsis, ".,;: ") + " ..."
		more = wrapped("In full: "+whole, 75) + "\n.\n"
	}
	return fmt.Sprintf("%s\n%sPacked by kinectl for the hosts of the group %s.", synopsis, more, p.Group)
}

// wrapped breaks text into lines of so many characters, where there are blanks.
func wrapped(text string, width int) string {
	var b strings.Builder
	column := 0
	for i, word := range strings.Fields(text) {
		length := utf8.RuneCountInString(word)
		switch {
		case i > 0 && column+1+length > width:
			b.WriteByte('\n')
			column = 0
		case i > 0:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += length
	}
	return b.String()
}

// changelog is Debian's (deb-changelog(5)), with the one entry of this version.
func changelog(p plan.Plan, o Options) ([]byte, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(z, "%s (%s) stable; urgency=medium\n\n  * Version %s.\n\n -- %s  %s\n",
		p.Name, debVersion(p, o), p.Version.Label, p.Package.Maintainer, p.BuildTime.UTC().Format(time.RFC1123Z))
	err = z.Close()
	return b.Bytes(), err
}

// overrides say why what lintian(1) of Debian 12 takes for a mistake is none.
func overrides(j *job) []byte {
	var b strings.Builder
	tag := func(why, tag string) { fmt.Fprintf(&b, "# %s\n%s: %s\n", why, j.Plan.Name, tag) }
	if strings.HasPrefix(cmp.Or(j.options.Compression, debDefault), "zstd") {
		tag("dpkg of Debian 12 reads zstd; only Debian's own archive does not take it.", "malformed-deb-archive third (official) member data.tar.zst *")
	}
	if j.Binary != "" {
		tag("Go links statically, so that one program runs on every distribution.", "statically-linked-binary *usr/bin/*")
	}
	if j.units.Any() {
		tag("The scripts of debhelper would start the service when it is installed.", "maintainer-script-calls-systemctl *")
	}
	return []byte(b.String())
}
