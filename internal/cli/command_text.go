package cli

import (
	"path/filepath"
	"strings"
)

// commandLine is a command as a person could type it into a shell.
func commandLine(words ...string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = shellWord(w)
	}
	return strings.Join(quoted, " ")
}

// shellWord quotes what the POSIX shell would take apart or put something in for
// (XCU 2.2).
func shellWord(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:,=@%+", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// words are the flags that name the same service, environment and hosts again.
// What the environment of the process says is written out.
func (f *fleet) words() []string {
	var all []string
	if f.spec != "spec.yml" {
		all = append(all, "--file", f.spec)
	}
	if f.infra != "." {
		all = append(all, "--infra", filepath.Clean(f.infra))
	}
	all = append(all, "--env", f.env)
	if f.limit != "" {
		all = append(all, "--limit", f.limit)
	}
	return all
}
