package site

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"
)

// entry is what stands under one path.
type entry struct {
	redirect string // where to go instead
	kind     []string
	cache    []string
	forms    []form // the smallest first, the file as it is last
}

// form is a file as it is, or compressed.
type form struct {
	*file
	coding []string // of Content-Encoding; nil for the file as it is
}

// codings are the endings of compressed files and the names that HTTP has for
// them (RFC 9110, RFC 7932, RFC 8878).
func codings() [3]struct{ ending, name string } {
	return [3]struct{ ending, name string }{{".br", "br"}, {".zst", "zstd"}, {".gz", "gzip"}}
}

// newEntry finds the forms of a file among files. One that is not smaller
// than the file itself is of no use to anybody.
func newEntry(name string, f *file, files map[string]*file, immutable bool) *entry {
	e := &entry{kind: []string{contentType(name, f)}, cache: []string{"no-cache"}}
	if immutable {
		e.cache = []string{"public, max-age=31536000, immutable"}
	}
	for _, c := range codings() {
		if other := files[name+c.ending]; other != nil && other.size < f.size {
			e.forms = append(e.forms, form{other, []string{c.name}})
		}
	}
	slices.SortStableFunc(e.forms, func(a, b form) int { return cmp.Compare(a.size, b.size) })
	e.forms = append(e.forms, form{f, nil})
	return e
}

// Manifest is the file in which `kinectl assets` says which names hold a hash
// of their content. It is not served.
const Manifest = "kinectl-assets.json"

// manifest reads the names with a hash, by the name before; none when the folder
// was not written by kinectl assets.
func manifest(pages fs.FS, files map[string]*file) (map[string]string, error) {
	body, err := fs.ReadFile(pages, Manifest)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var list struct {
		Hashed map[string]string `json:"hashed"`
	}
	if err == nil {
		err = json.Unmarshal(body, &list)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", Manifest, err)
	}
	for _, name := range list.Hashed {
		if files[name] == nil {
			return nil, fmt.Errorf("%s names %s, which is not there: make the folder again", Manifest, name)
		}
	}
	return list.Hashed, nil
}

// contentType is by the ending of the name, and never by what the host has in its
// tables, so that all hosts answer alike; unknown endings by the content.
func contentType(name string, f *file) string {
	switch strings.ToLower(path.Ext(name)) {
	case ".html", ".htm":
		return "text/html; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8" // RFC 9239
	case ".json", ".map":
		return "application/json"
	case ".webmanifest":
		return "application/manifest+json"
	case ".xml":
		return "text/xml; charset=utf-8"
	case ".txt":
		return "text/plain; charset=utf-8"
	case ".md":
		return "text/markdown; charset=utf-8"
	case ".csv":
		return "text/csv; charset=utf-8"
	case ".vtt":
		return "text/vtt; charset=utf-8"
	case ".ics":
		return "text/calendar; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".avif":
		return "image/avif"
	case ".ico":
		return "image/vnd.microsoft.icon"
	case ".woff":
		return "font/woff"
	case ".woff2":
		return "font/woff2"
	case ".ttf":
		return "font/ttf"
	case ".otf":
		return "font/otf"
	case ".wasm":
		return "application/wasm"
	case ".m3u8":
		return "application/vnd.apple.mpegurl"
	case ".mpd":
		return "application/dash+xml"
	case ".ts":
		return "video/mp2t"
	case ".m4s", ".mp4":
		return "video/mp4"
	case ".mp3":
		return "audio/mpeg"
	case ".gz":
		return "application/gzip"
	case ".zst":
		return "application/zstd"
	}
	return http.DetectContentType(f.beginning)
}
