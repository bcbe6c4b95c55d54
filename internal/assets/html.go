package assets

import (
	"html"
	"slices"
	"strings"

	tokens "golang.org/x/net/html"
)

// rewriteHTML visits what a page loads. Where tags, comments and scripts begin and
// end is what golang.org/x/net/html says; the bytes are taken from src, since
// only a value that changes may be written anew.
func rewriteHTML(src string, v *visitor) string {
	p := page{v: v}
	z := tokens.NewTokenizer(strings.NewReader(src))
	at := 0
	for {
		kind := z.Next()
		if kind == tokens.ErrorToken {
			break // the end: reading a string does not fail
		}
		raw := src[at : at+len(z.Raw())]
		switch kind {
		case tokens.StartTagToken, tokens.SelfClosingTagToken:
			p.tag(at, raw)
		case tokens.TextToken:
			p.text(at, raw)
		default:
			p.out.WriteString(raw)
		}
		at += len(raw)
		if kind == tokens.EndTagToken {
			p.element = ""
		}
	}
	p.out.WriteString(src[at:])
	return p.out.String()
}

// page is the state of a scan.
type page struct {
	v       *visitor
	out     strings.Builder
	element string // the last start tag, for the text after it
	kind    string // its type
	based   bool
}

// text is what stands between tags: also a whole script or style.
func (p *page) text(at int, raw string) {
	inner := p.v.below(at)
	got := raw
	switch p.element {
	case "style":
		got = rewriteCSS(raw, inner)
	case "script":
		if script(p.kind) {
			got = rewriteScript(raw, inner)
		} else {
			p.v.mention(raw) // an import map, JSON, a template
			if strings.EqualFold(p.kind, "importmap") && strings.Contains(raw, `"integrity"`) {
				p.v.frozen(at, "import map")
			}
		}
	case "noscript":
		got = rewriteHTML(raw, inner)
	}
	if got != raw && p.element != "noscript" {
		p.v.frozen(at, "inline "+p.element)
	}
	p.out.WriteString(got)
}

// tag visits the attributes of a start tag.
func (p *page) tag(at int, raw string) {
	all := attributes(raw)
	get := func(name string) string {
		for _, a := range all {
			if a.name == name {
				return html.UnescapeString(a.value)
			}
		}
		return ""
	}
	end := strings.IndexAny(raw[1:], " \t\r\n\f/>") + 1
	p.element, p.kind = strings.ToLower(raw[1:max(end, 1)]), get("type")
	if p.element == "base" && !p.based && get("href") != "" {
		p.based = true
		p.v.base(get("href"))
	}
	loads := loading(p.element, get("rel"))
	ref := get(map[string]string{"link": "href", "script": "src"}[p.element])
	copied := 0
	for _, a := range all {
		value := html.UnescapeString(a.value)
		inner := p.v.within(at + a.at)
		got := value
		switch {
		case slices.Contains(loads, a.name):
			got = inner.reference(0, value)
		case a.name == "srcset" || a.name == "imagesrcset":
			got = rewriteSrcset(value, inner)
		case a.name == "style":
			got = rewriteCSS(value, inner)
		case a.name == "integrity" && ref != "":
			got = p.v.integrity(at+a.at, ref, value)
		case p.element != "base" && a.name != "alt" && a.name != "title":
			p.v.mention(value)
		}
		if got != value {
			p.out.WriteString(raw[copied:a.start] + `"` + html.EscapeString(got) + `"`)
			copied = a.end
		}
	}
	p.out.WriteString(raw[copied:])
}

// loading names the attributes of an element with which a page loads a file, in
// contrast to those that lead elsewhere.
func loading(element, rel string) []string {
	switch element {
	case "link":
		for _, word := range strings.Fields(strings.ToLower(rel)) {
			switch word {
			case "stylesheet", "icon", "apple-touch-icon", "apple-touch-icon-precomposed", "mask-icon", "preload", "modulepreload", "prefetch", "manifest":
				return []string{"href"}
			}
		}
	case "script", "img", "source", "audio", "track", "input", "embed", "iframe", "frame":
		return []string{"src"}
	case "video":
		return []string{"src", "poster"}
	case "object":
		return []string{"data"}
	case "body", "table", "td", "th":
		return []string{"background"}
	case "image", "use", "feimage": // of SVG
		return []string{"href", "xlink:href"}
	}
	return nil
}

// script tells whether a script element of this type is JavaScript (HTML
// standard, section 4.12.1).
func script(kind string) bool {
	switch strings.ToLower(strings.TrimSpace(kind)) {
	case "", "module", "text/javascript", "application/javascript", "text/ecmascript", "application/ecmascript", "application/x-javascript":
		return true
	}
	return false
}

// rewriteSrcset visits the URLs of a list of images (HTML standard, section
// 4.8.4.2.3, "parse a srcset attribute").
func rewriteSrcset(src string, v *visitor) string {
	const blank = " \t\r\n\f"
	var out strings.Builder
	for at := 0; at < len(src); {
		start := at
		for at < len(src) && strings.IndexByte(blank+",", src[at]) >= 0 {
			at++
		}
		out.WriteString(src[start:at])
		start = at
		for at < len(src) && strings.IndexByte(blank, src[at]) < 0 {
			at++
		}
		url := strings.TrimRight(src[start:at], ",")
		if url != "" {
			out.WriteString(v.reference(start, url))
		}
		rest := start + len(url)
		if rest == at { // no comma ends it: a width or density follows
			for depth := 0; at < len(src) && (depth > 0 || src[at] != ','); at++ {
				switch src[at] {
				case '(':
					depth++
				case ')':
					depth--
				}
			}
		}
		out.WriteString(src[rest:at])
	}
	return out.String()
}
