package assets

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/kinectl/kinectl/internal/diag"
)

// site is a website on its way.
type site struct {
	tree     map[string][]byte
	sorted   []string // names of the tree
	options  Options
	pins     *pins
	refers   map[string][]string // the files that a file refers to, each once, sorted
	wanted   map[string]bool     // files that one refers to
	names    map[string]string   // new names of the renamed
	bodies   map[string][]byte   // what is rewritten already
	findings diag.Findings
}

func newSite(tree map[string][]byte, o Options) *site {
	sorted := slices.Sorted(maps.Keys(tree))
	return &site{
		tree: tree, sorted: sorted, options: o, pins: newPins(sorted),
		refers: map[string][]string{}, wanted: map[string]bool{},
		names: map[string]string{}, bodies: map[string][]byte{},
	}
}

// scan finds out who refers to whom.
func (s *site) scan() {
	for _, name := range s.sorted {
		seen := map[string]bool{}
		s.visit(name, &visitor{
			mention:   func(text string) { s.pins.mention(name, text) },
			integrity: func(_ int, _, digests string) string { return digests },
			frozen:    func(int, string) {},
		}, func(at int, ref, target string) string {
			if _, ok := s.tree[target]; ok {
				seen[target], s.wanted[target] = true, true
			} else if _, folder := s.tree[target+"/index.html"]; !folder && languageOf(name) != javascript {
				s.find(name, at, "missing-file", fmt.Sprintf("there is no %s", target), "put it there, or take the reference away")
			}
			return ref
		})
		s.refers[name] = slices.Sorted(maps.Keys(seen))
	}
}

// visit runs the scanner of a file, and tells target what each reference to this site
// means. What is no reference to this site is mentioned. v.integrity gets the file that is
// meant, and v.reference is not called.
func (s *site) visit(name string, v *visitor, target func(at int, ref, target string) string) string {
	body := string(s.tree[name])
	dir, local := path.Dir(name), true
	inner := *v
	inner.base = func(href string) {
		file, _, ok := split(href)
		if local = ok; ok {
			// The base is a document: its folder is what is before the last slash.
			resolved, _ := resolve(dir, file+"x")
			dir = path.Dir(resolved)
		}
	}
	find := func(ref string) (string, bool) {
		file, _, ok := split(ref)
		if !ok || !local {
			return "", false
		}
		return resolve(dir, file)
	}
	inner.reference = func(at int, ref string) string {
		if to, ok := find(ref); ok {
			return target(at, ref, to)
		}
		v.mention(ref)
		return ref
	}
	inner.integrity = func(at int, ref, digests string) string {
		if to, ok := find(ref); ok && s.tree[to] != nil {
			return v.integrity(at, to, digests)
		}
		return digests
	}
	switch languageOf(name) {
	case markup:
		return rewriteHTML(body, &inner)
	case sheet:
		return rewriteCSS(body, &inner)
	case javascript:
		return rewriteScript(body, &inner)
	case mentioning:
		v.mention(body)
	}
	return body
}

// rewrite returns a file with the new names that are known by now.
func (s *site) rewrite(name string) []byte {
	frozen := strings.Contains(string(s.tree[name]), "'sha") // Content-Security-Policy by digest
	return []byte(s.visit(name, &visitor{
		mention:   func(string) {},
		integrity: func(at int, target, digests string) string { return s.digests(name, at, target, digests) },
		frozen: func(at int, what string) {
			if frozen || what == "import map" {
				s.find(name, at, "stale-digest", "the "+what+" has digests that are not made anew", "take the digests out, or put the "+what+" into a file")
			}
		},
	}, func(_ int, ref, target string) string {
		if to := s.names[target]; to != "" {
			return renamed(ref, path.Base(to))
		}
		return ref
	}))
}

// kept says why a file that is referred to has its own name.
func (s *site) kept(name string) string {
	if why := fixed(name, s.options.Keep); why != "" {
		return why
	}
	if by := s.pins.by[name]; by != "" {
		return "named in " + by + " where it cannot be rewritten"
	}
	return ""
}

// movable tells whether a file gets a new name.
func (s *site) movable(name string) bool {
	return s.wanted[name] && hashable(name) && s.kept(name) == ""
}

// files lists what is to be written.
func (s *site) files() []File {
	var all []File
	for _, name := range s.sorted {
		f := File{Path: name, Source: name, body: s.bodies[name], Bytes: len(s.bodies[name]), forms: map[string][]byte{}, Compressed: map[string]int{}}
		if to := s.names[name]; to != "" {
			f.Path = to
		} else if s.wanted[name] && hashable(name) {
			f.Kept = s.kept(name)
		}
		all = append(all, f)
	}
	slices.SortFunc(all, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return all
}

// manifestName is the file that tells a server which names hold a hash: the
// package service/site reads it.
const manifestName = "kinectl-assets.json"

// manifest is that file. encoding/json sorts its names.
func (s *site) manifest() []byte {
	body, _ := json.MarshalIndent(map[string]map[string]string{"hashed": s.names}, "", "  ") // strings marshal
	return append(body, '\n')
}

// find adds a warning at a byte of a file.
func (s *site) find(name string, at int, rule, message, hint string) {
	body := s.tree[name]
	at = min(at, len(body))
	start := bytes.LastIndexByte(body[:at], '\n') + 1
	line, _, _ := bytes.Cut(body[start:], []byte("\n"))
	s.findings = append(s.findings, diag.Finding{
		Rule: rule, Severity: diag.Warning, File: name, Line: bytes.Count(body[:at], []byte("\n")) + 1,
		Column: utf8.RuneCount(body[start:at]) + 1, Message: message, Hint: hint, Excerpt: string(line),
	})
}
