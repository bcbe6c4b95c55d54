package spec

import "strings"

// Leak is a secret in plain text: the bytes From to To of a line.
type Leak struct {
	From, To int
	What     string // "a GitHub token", or the name that it stands under
}

// Leaks finds the secrets of one line of any file by their form: tokens,
// private keys, passwords in a URL. With named it finds those too that stand under
// the name of a secret, as in password=word. What is inside of {{ }} is not looked at.
func Leaks(line string, named bool) []Leak {
	text := expressions().ReplaceAllStringFunc(line, func(e string) string { return strings.Repeat(resolved, len(e)) })
	found := leaks(text)
	if named {
		found = append(found, pairs(text)...)
	}
	var all []Leak
	for _, l := range found {
		all = append(all, Leak{l.from, l.to, l.what})
	}
	return all
}

// IsSecret reports whether a value of that name is a secret in plain text, by
// the name and by how the value looks.
func IsSecret(name, value string) bool { return isSecret(name, value) }
