package lab

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const defaultMirror = "http://deb.debian.org/debian"

// machineMirror is the mirror that this machine itself installs the image's
// distribution from, or Debian's own.
func machineMirror() string {
	files, _ := filepath.Glob("/etc/apt/sources.list.d/*") // in the order of their names
	for _, path := range append([]string{"/etc/apt/sources.list"}, files...) {
		body, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		var found string
		switch filepath.Ext(path) {
		case ".list":
			found = mirrorInList(string(body))
		case ".sources":
			found = mirrorInDeb822(string(body))
		}
		if found != "" {
			return found
		}
	}
	return defaultMirror
}

// mirrorInList reads the one-line form of sources.list(5).
func mirrorInList(text string) string {
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		if before, after, ok := strings.Cut(line, "["); ok { // options
			_, after, _ = strings.Cut(after, "]")
			line = before + after
		}
		f := strings.Fields(line)
		if len(f) >= 4 && f[0] == "deb" && usableMirror(f[1], f[2:3], f[3:]) {
			return strings.TrimRight(f[1], "/")
		}
	}
	return ""
}

// mirrorInDeb822 reads the stanza form of sources.list(5).
func mirrorInDeb822(text string) string {
	for stanza := range strings.SplitSeq(text, "\n\n") {
		fields := map[string][]string{}
		key := ""
		for line := range strings.Lines(stanza) {
			if strings.HasPrefix(line, "#") {
				continue
			}
			if name, value, ok := strings.Cut(line, ":"); ok && !strings.HasPrefix(line, " ") {
				key, line = strings.ToLower(name), value
			}
			fields[key] = append(fields[key], strings.Fields(line)...)
		}
		if slices.Contains(fields["enabled"], "no") || !slices.Contains(fields["types"], "deb") {
			continue
		}
		for _, uri := range fields["uris"] {
			if usableMirror(uri, fields["suites"], fields["components"]) {
				return strings.TrimRight(uri, "/")
			}
		}
	}
	return ""
}

func usableMirror(uri string, suites, components []string) bool {
	return (strings.HasPrefix(uri, "http://") || strings.HasPrefix(uri, "https://")) &&
		slices.Contains(suites, imageSuite) && slices.Contains(components, "main")
}
