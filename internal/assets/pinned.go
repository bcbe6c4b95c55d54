package assets

import (
	"net/url"
	"path"
	"strings"
)

// hashable are the endings of files that a page loads, in contrast to those that
// people and other programs go to by name.
func hashable(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".css", ".js", ".mjs", ".wasm",
		".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif", ".svg", ".ico", ".bmp",
		".woff", ".woff2", ".ttf", ".otf", ".eot",
		".mp4", ".webm", ".mp3", ".ogg", ".opus", ".m4a":
		return true
	}
	return false
}

// fixed says why a file keeps its name whoever refers to it; "" when it need not.
func fixed(name string, keep []string) string {
	base := path.Base(name)
	switch {
	case name == "favicon.ico" || strings.HasPrefix(name, "apple-touch-icon"):
		return "browsers look for this name"
	case base == "sw.js" || base == "service-worker.js" || base == "serviceworker.js":
		return "the name of a service worker must stay"
	case strings.HasPrefix(name, ".well-known/"):
		return "below .well-known"
	}
	for _, pattern := range keep {
		if ok, _ := path.Match(pattern, name); ok || strings.HasSuffix(pattern, "/") && strings.HasPrefix(name, pattern) {
			return "kept by " + pattern
		}
	}
	return ""
}

// pins collects what is mentioned where it cannot be rewritten.
type pins struct {
	byBase map[string][]string // names of the tree by their last element
	by     map[string]string   // which file mentions a name
}

func newPins(names []string) *pins {
	p := &pins{map[string][]string{}, map[string]string{}}
	for _, name := range names {
		if hashable(name) {
			p.byBase[path.Base(name)] = append(p.byBase[path.Base(name)], name)
		}
	}
	return p
}

// mention pins the files that a text, in the file from, may mean. It would
// rather pin one too many: a file with its own name is only asked for again more often.
func (p *pins) mention(from, text string) {
	for _, spot := range spots(text) {
		if _, rest, ok := strings.Cut(spot, "://"); ok {
			spot = rest
		}
		if end := strings.IndexAny(spot, "?#"); end >= 0 {
			spot = spot[:end]
		}
		if plain, err := url.PathUnescape(spot); err == nil {
			spot = plain
		}
		for _, prefix := range []string{"./", "../", "/"} {
			for strings.HasPrefix(spot, prefix) {
				spot = spot[len(prefix):]
			}
		}
		for _, name := range p.byBase[path.Base(spot)] {
			if (tail(spot, name) || tail(name, spot)) && p.by[name] == "" {
				p.by[name] = from
			}
		}
	}
}

// tail tells whether the last elements of a path are those of another.
func tail(name, end string) bool { return name == end || strings.HasSuffix(name, "/"+end) }
