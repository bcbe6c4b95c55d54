package assets

import (
	"net/url"
	"path"
	"regexp"
	"strings"
)

// visitor is told what a scanner finds. Scanners return the text with what
// reference has returned in the place of each reference, and everything else byte for byte,
// so one scanner serves to look and to rewrite.
type visitor struct {
	// reference gets a URL that a browser loads, at a byte of the text.
	reference func(at int, ref string) string
	// mention gets text that may name files, and that nobody can rewrite.
	mention func(text string)
	// integrity gets the digests that HTML gives for a reference.
	integrity func(at int, ref, digests string) string
	// base gets the href of HTML's element base, which holds from there on.
	base func(href string)
	// frozen gets a place whose bytes are vouched for by something that is not rewritten.
	frozen func(at int, what string)
}

// below is a visitor for a text that starts at a byte of this one's.
func (v *visitor) below(start int) *visitor {
	inner := *v
	inner.reference = func(at int, ref string) string { return v.reference(start+at, ref) }
	inner.integrity = func(at int, ref, digests string) string { return v.integrity(start+at, ref, digests) }
	inner.frozen = func(at int, what string) { v.frozen(start+at, what) }
	return &inner
}

// within is a visitor for the value of an attribute: its places are those of the
// attribute, since a value is unescaped before it is read.
func (v *visitor) within(start int) *visitor {
	inner := *v
	inner.reference = func(_ int, ref string) string { return v.reference(start, ref) }
	return &inner
}

// split takes a reference apart: a path that this site can have, and what
// follows it. Not ok for other hosts, data: URLs, and the page itself.
func split(ref string) (file, rest string, ok bool) {
	ref = strings.Trim(ref, " \t\r\n\f")
	end := strings.IndexAny(ref, "?#")
	if end < 0 {
		end = len(ref)
	}
	file, rest = ref[:end], ref[end:]
	if file == "" || strings.HasPrefix(file, "//") || strings.ContainsAny(file, "\\\t\r\n") || scheme(file) {
		return "", "", false
	}
	return file, rest, true
}

// scheme tells whether a URL starts with one (RFC 3986, section 3.1).
func scheme(ref string) bool {
	return regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9+.-]*:`).MatchString(ref)
}

// resolve returns the name in the tree that a path means in a document whose
// folder is dir ("" for the root). A path cannot leave the root, as in browsers.
func resolve(dir, file string) (string, bool) {
	plain, err := url.PathUnescape(file)
	if err != nil {
		return "", false
	}
	if !strings.HasPrefix(plain, "/") {
		plain = dir + "/" + plain
	}
	name := strings.TrimPrefix(path.Join("/", plain), "/")
	if strings.HasSuffix(plain, "/") {
		name = path.Join(name, "index.html")
	}
	return name, true
}

// renamed is a reference with another last element, and all else as it was.
func renamed(ref, base string) string {
	file, rest, _ := split(ref)
	return file[:strings.LastIndexByte(file, '/')+1] + url.PathEscape(base) + rest
}
