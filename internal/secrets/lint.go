package secrets

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/kinectl/kinectl/internal/diag"
	"github.com/kinectl/kinectl/internal/lazyregexp"
	"github.com/kinectl/kinectl/internal/spec"
	"github.com/kinectl/kinectl/vault"
)

// The rules of Lint.
const (
	plainVault  = "plain-vault-variable" // vault_… without a vault text
	plainSecret = "plain-secret"         // as that of a spec
	damaged     = "damaged-vault-text"
	tagged      = "vault-tag"     // Ansible decrypts it
	passwords   = "password-file" // the key beside the lock
	unfinished  = "unfinished-rekey"
	badYAML     = "bad-yaml"
)

// Interrupted is the finding that [Unfinished] makes, if it does.
func Interrupted(dir string) diag.Findings {
	journal := Unfinished(dir)
	if journal == "" {
		return nil
	}
	return diag.Findings{{
		Rule: unfinished, Severity: diag.Error, File: journal,
		Message: "a rekey was interrupted: some files may have the old password and some the new one", Hint: "finish it with: kinectl vault rekey " + dir,
	}}
}

// Lint finds the secrets of the files that are there for all to read: vault_…
// variables that are not encrypted, values under names of secrets, tokens and
// keys by their form, password files of a vault. No finding shows a secret. A line is
// left out when the comment above it says `lint:ignore RULE reason`.
func Lint(files []File) diag.Findings {
	var all diag.Findings
	for _, f := range files {
		l := linter{file: f.Path, lines: strings.Split(string(f.Body), "\n"), found: map[int]bool{}}
		l.texts(f.Body)
		readable := l.variables(f.Body)
		l.forms()
		if !readable {
			l.add(badYAML, diag.Error, "", 1, 0, "the file is not valid YAML, so its variables were not looked at", "any program that reads YAML says where it breaks: ansible-inventory --list")
		}
		l.passwordFile(f.Body)
		all = append(all, l.all...)
	}
	all.Sort()
	return all
}

// linter looks at one file.
type linter struct {
	file  string
	lines []string
	found map[int]bool // lines with a finding, and those of vault texts: one is enough
	all   diag.Findings
}

// add notes a finding at a place, whose secret begins at the byte from of its line.
func (l *linter) add(rule string, severity diag.Severity, path string, line, from int, message, hint string) {
	if l.found[line] {
		return
	}
	l.found[line] = true
	if line > 1 {
		if words := strings.Fields(strings.TrimLeft(l.lines[line-2], " \t#;/")); len(words) > 2 && words[0] == "lint:ignore" && words[1] == rule {
			return
		}
	}
	text := strings.TrimRight(l.lines[line-1], "\r")
	from = min(max(from, 0), len(text))
	width := utf8.RuneCountInString(text[from:])
	l.all = append(l.all, diag.Finding{
		Rule: rule, Severity: severity, File: l.file, Path: path, Line: line, Column: utf8.RuneCountInString(text[:from]) + 1,
		Message: message, Hint: hint, Width: max(width, 1), Excerpt: text[:from] + strings.Repeat("*", min(width, 16)),
	})
}

// texts judges the form of vault texts, and leaves their lines out of the rest.
func (l *linter) texts(body []byte) {
	for _, t := range Find(body) {
		from := len(string([]rune(l.lines[t.Line-1])[:t.Column-1]))
		if _, err := vault.Check(body[t.From:t.To]); err != nil {
			l.add(damaged, diag.Error, t.Name, t.Line, from, orWhole(t.Name)+" is damaged: "+err.Error(), "take it from git again, or encrypt the secret anew")
		}
		if t.Tagged && strings.HasPrefix(t.Name, "vault_") {
			l.add(tagged, diag.Warning, t.Name, t.Line, from, "Ansible decrypts "+t.Name+" on its way, because of !vault: no release takes it",
				"a secret of a service is a variable of base64: kinectl vault encrypt --name "+t.Name)
		}
		for i := range bytes.Count(body[t.From:t.To], []byte("\n")) + 1 {
			l.found[t.Line+i] = true
		}
	}
}

// variables looks at the values of a YAML file by their names. It is false for
// a file of variables that cannot be read; of templates forms is all there is.
func (l *linter) variables(body []byte) bool {
	folder := path.Base(path.Dir(l.file))
	if ext := path.Ext(l.file); ext != ".yml" && ext != ".yaml" && !slices.Contains([]string{"group_vars", "host_vars"}, folder) {
		return true
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(body, &doc); err != nil {
		return folder == "templates"
	}
	l.walk(&doc, "", 0)
	return true
}

// walk goes through all mappings; path is where a node is.
func (l *linter) walk(n *yaml.Node, path string, depth int) {
	if depth > 100 {
		return
	}
	for i, child := range n.Content {
		if n.Kind != yaml.MappingNode {
			l.walk(child, path, depth+1)
			continue
		}
		if i%2 == 1 {
			key := n.Content[i-1]
			at := strings.TrimPrefix(path+"."+key.Value, ".")
			l.variable(at, key, child)
			l.walk(child, at, depth+1)
		}
	}
}

// whole tells whether a value is a vault text from its beginning to its end.
func whole(text string) bool {
	_, err := vault.Check([]byte(text))
	return err == nil
}

// expression is a value that Ansible takes from elsewhere.
var expression = lazyregexp.New(`(?s)^\s*\{\{.*\}\}\s*$`)

func (l *linter) variable(path string, key, value *yaml.Node) {
	line, from := value.Line, 0
	if line < 1 || line > len(l.lines) {
		return
	}
	from = len(string([]rune(l.lines[line-1])[:min(max(value.Column-1, 0), utf8.RuneCountInString(l.lines[line-1]))]))
	text := value.Value
	switch encrypt := "kinectl vault encrypt --name "; {
	case value.Kind == yaml.ScalarNode && (whole(text) || expression.MatchString(text)):
	case strings.HasPrefix(key.Value, "vault_") && vault.LooksEncrypted(text):
		l.add(damaged, diag.Error, path, line, from, key.Value+" is damaged", "take it from git again, or encrypt the secret anew")
	case strings.HasPrefix(key.Value, "vault_"):
		l.add(plainVault, diag.Error, path, line, from, key.Value+" is not encrypted", "write the line that this prints: "+encrypt+key.Value)
	case value.Kind != yaml.ScalarNode || strings.Contains(text, "{{") || value.Tag == "!!bool" || value.Tag == "!!null":
	case key.Value == "update_password": // of Ansible's modules
	case spec.IsSecret(key.Value, text):
		l.add(plainSecret, diag.Error, path, line, from, key.Value+" looks like a secret in plain text", "write "+key.Value+": \"{{ vault_"+key.Value+" }}\", and encrypt it: "+encrypt+"vault_"+key.Value)
	}
}

// forms looks at every line by itself. In files of configuration names count too.
func (l *linter) forms() {
	named := slices.Contains([]string{".ini", ".env", ".conf", ".cfg", ".json", ".toml", ".properties", ""}, path.Ext(l.file))
	key := false // inside of a private key
	for i, line := range l.lines {
		if key {
			key = !strings.Contains(line, "-----END ")
			continue
		}
		if len(line) > 1<<16 {
			continue // nobody wrote this by hand
		}
		for _, leak := range spec.Leaks(line, named) {
			if vault.IsEncrypted([]byte(strings.Trim(line[leak.From:leak.To], `"'`))) {
				continue
			}
			key = leak.What == "a private key"
			l.add(plainSecret, diag.Error, "", i+1, leak.From, "here is "+leak.What+" in plain text", "encrypt it: kinectl vault encrypt; what was in git is known, so make a new one")
		}
	}
}

var passwordName = lazyregexp.New(`(?i)(^|[._-])vault[._-]?pass(word|phrase|wd)?s?([._-]|$)|\.passw(or)?d$`)

// passwordFile finds a password file by its name, if it has a line or two.
func (l *linter) passwordFile(body []byte) {
	if lines := bytes.Fields(body); passwordName.MatchString(path.Base(l.file)) && len(lines) > 0 && len(lines) < 4 && !vault.IsEncrypted(body) {
		l.add(passwords, diag.Error, "", 1, 0, fmt.Sprintf("%s looks like the password itself", path.Base(l.file)), "keep it out of the repository (.gitignore), and change the password if it was ever in git: kinectl vault rekey")
	}
}
