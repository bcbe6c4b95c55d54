package assets

import (
	"slices"
	"strings"
)

// rewriteScript visits the references of a script: those of import, export … from and
// import(), where they start with a dot or slash, and new URL("…", import.meta.url). A browser resolves
// these, and only these, against the script's own place. All other strings are
// mentions, and in a script that is not understood everything is.
func rewriteScript(src string, v *visitor) string {
	tokens, err := scanScript(src)
	if err != nil {
		v.mention(src)
		return src
	}
	var out strings.Builder
	copied := 0
	for i, t := range tokens {
		if t.kind != quoted && t.kind != fragment {
			continue
		}
		text := src[t.start+1 : t.end-1]
		if t.kind == quoted && !strings.Contains(text, `\`) && loaded(src, tokens, i, text) {
			if got := v.reference(t.start+1, text); got != text {
				out.WriteString(src[copied:t.start+1] + escapeScript(got))
				copied = t.end - 1
			}
			continue
		}
		v.mention(unescapeScript(text))
	}
	out.WriteString(src[copied:])
	return out.String()
}

// loaded tells whether the string at tokens[i] is a reference of the script.
func loaded(src string, tokens []token, i int, text string) bool {
	// around compares the tokens from i+first on.
	around := func(first int, texts ...string) bool {
		for n, want := range texts {
			at := i + first + n
			if at < 0 || at >= len(tokens) || src[tokens[at].start:tokens[at].end] != want {
				return false
			}
		}
		return true
	}
	relative := strings.HasPrefix(text, "./") || strings.HasPrefix(text, "../") || strings.HasPrefix(text, "/")
	switch {
	case around(-3, "new", "URL", "(") && around(1, ",", "import", ".", "meta", ".", "url", ")"):
		return true
	case !relative: // a bare name: an import map says what it means
		return false
	case around(-2, "import", "(") && !around(-3, "."):
		return around(1, ")") || around(1, ",")
	}
	return (around(-1, "import") || around(-1, "from")) && !around(-2, ".") && src[tokens[i].start] != '`'
}

// unescapeScript takes the backslashes out that a file name may have before it:
// "\/img\/a.png".
func unescapeScript(s string) string { return strings.ReplaceAll(s, `\`, "") }

// escapeScript writes a URL, which is percent-encoded already, into a string of any quotes.
func escapeScript(s string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, `'`, `\'`, "`", "\\`", "$", `\$`, "\n", `\n`, "\r", `\r`).Replace(s)
}

// spots finds what may be names of files in a text: runs of the characters that paths
// are made of, and the whole of it.
func spots(text string) []string {
	all := strings.FieldsFunc(text, func(r rune) bool {
		return !(r >= 0x80 || '0' <= r && r <= '9' || 'a' <= r|0x20 && r|0x20 <= 'z' || strings.ContainsRune("-._~%/@+$!", r))
	})
	return append(slices.DeleteFunc(all, func(s string) bool { return !strings.Contains(s, ".") }), strings.TrimSpace(text))
}
