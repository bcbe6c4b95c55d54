package assets

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"path"
	"slices"
	"strings"
)

// rename gives every movable file its name, and writes the references anew. A file's name
// holds a hash of what is sent, references included, so those that it refers to
// come first. Files that refer to each other in a circle, as modules of
// JavaScript may, get theirs from the content of all of them.
func (s *site) rename() {
	for _, group := range s.circles() {
		sum := sha256.New()
		for _, name := range group {
			s.bodies[name] = s.rewrite(name) // those of the circle still have their own names in it
			sum.Write([]byte(name + "\x00"))
			content := sha256.Sum256(s.bodies[name])
			sum.Write(content[:])
		}
		whole := sum.Sum(nil)
		alone := len(group) == 1 && !slices.Contains(s.refers[group[0]], group[0])
		for _, name := range group {
			if !s.movable(name) {
				continue
			}
			content := sha256.Sum256(s.bodies[name])
			if !alone {
				content = sha256.Sum256(append(slices.Clone(whole), name...))
			}
			ending := path.Ext(name)
			s.names[name] = strings.TrimSuffix(name, ending) + "." + hex.EncodeToString(content[:6]) + ending
		}
		if !alone {
			for _, name := range group {
				s.bodies[name] = s.rewrite(name)
			}
		}
	}
	// Pages keep their names, and know all others now.
	for _, name := range s.sorted {
		if languageOf(name) == markup {
			s.bodies[name] = s.rewrite(name)
		}
	}
}

// circles returns all files but pages in groups: each group after those that it
// refers to. Most groups are one file. (Tarjan's algorithm.)
func (s *site) circles() [][]string {
	var groups [][]string
	var stack []string
	number, low := map[string]int{}, map[string]int{}
	placed := map[string]bool{}
	var visit func(name string)
	visit = func(name string) {
		number[name] = len(number) + 1
		low[name] = number[name]
		stack = append(stack, name)
		for _, to := range s.refers[name] {
			switch {
			case languageOf(to) == markup:
			case number[to] == 0:
				visit(to)
				low[name] = min(low[name], low[to])
			case !placed[to]:
				low[name] = min(low[name], number[to])
			}
		}
		if low[name] != number[name] {
			return
		}
		at := slices.Index(stack, name)
		group := slices.Sorted(slices.Values(stack[at:]))
		stack = stack[:at]
		for _, member := range group {
			placed[member] = true
		}
		groups = append(groups, group)
	}
	for _, name := range s.sorted {
		if languageOf(name) != markup && number[name] == 0 {
			visit(name)
		}
	}
	return groups
}

// digests makes the value of an integrity attribute anew (Subresource Integrity, section
// 3.5), where its digests are those of the source. One that was wrong stays wrong,
// and is told.
func (s *site) digests(name string, at int, target, value string) string {
	words := strings.Fields(value)
	for i, word := range words {
		algorithm, _, _ := strings.Cut(word, "-")
		before, known := digest(algorithm, s.tree[target])
		given, options, _ := strings.Cut(word, "?")
		switch {
		case !known:
		case given != before:
			s.find(name, at, "wrong-digest", "the digest is not that of "+target, "browsers refuse the file: make the digest anew")
			return value
		default:
			words[i], _ = digest(algorithm, s.bodies[target])
			if options != "" {
				words[i] += "?" + options
			}
		}
	}
	if got := strings.Join(words, " "); got != strings.Join(strings.Fields(value), " ") {
		return got
	}
	return value
}

// digest is what integrity says of a file.
func digest(algorithm string, body []byte) (string, bool) {
	var sum hash.Hash
	switch algorithm {
	case "sha256":
		sum = sha256.New()
	case "sha384":
		sum = sha512.New384()
	case "sha512":
		sum = sha512.New()
	default:
		return "", false
	}
	sum.Write(body)
	return algorithm + "-" + base64.StdEncoding.EncodeToString(sum.Sum(nil)), true
}
