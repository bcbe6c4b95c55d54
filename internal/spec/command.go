package spec

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/kinectl/kinectl/internal/lazyregexp"
)

// command is a command line, in one line of text:
//
//	/usr/bin/films --listen=${HTTP_ADDRESS} "two words" 5\$
//
// Blanks separate words. A backslash, outside of single quotes, takes the
// character after it as it is. $NAME and ${NAME}, outside of single quotes, are
// variables of the process's environment and stay one word whatever they hold.
// No shell reads it.
type command struct {
	to   *Value[Command]
	none *bool // not nil where the word none is allowed in its place
}

func (c command) read(p *parser, n *yaml.Node, path string) {
	line, at, ok := p.oneLine(n, path, "a command line", 1000)
	if !ok {
		return
	}
	if c.none != nil && line == "none" {
		*c.none = true
		return
	}
	if words, ok := p.command(line, at, path); ok {
		*c.to = Value[Command]{words, true, at}
	}
}

// oneLine returns a scalar's text without the blanks around it, unless it is
// no text, empty, too long or more than a line.
func (p *parser) oneLine(n *yaml.Node, path, want string, longest int) (string, Pos, bool) {
	var v Value[string]
	if n.Kind != yaml.ScalarNode || n.Tag != "!!str" {
		p.wrongType(n, path, want, "")
		return "", Pos{}, false
	}
	text{to: &v, max: longest}.read(p, n, path)
	return v.V, v.At, v.Set
}

// command splits a line into words.
func (p *parser) command(line string, at Pos, path string) (Command, bool) {
	words, message := split(line)
	hint := "like /usr/bin/films --listen=${HTTP_ADDRESS}; write \\$ for the character itself"
	if strings.HasPrefix(message, noShell) {
		hint = "leave it out, as output goes to the journal; or write /bin/sh -c '…', or quotes when the program is to get it"
	}
	if message == "" && (len(words) == 0 || len(words[0]) != 1 || !absolutePattern.MatchString(words[0][0].Literal)) {
		message, hint = "the program of a command must be an absolute path", "like /usr/bin/films"
	}
	if message != "" {
		p.fault("bad-command", path, at, hint, "%s", message)
		return nil, false
	}
	return words, true
}

var variableAhead = lazyregexp.New(`^\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\})`)

// noShell begins what is said of a word that only a shell understands.
const noShell = "no shell reads this command: "

func shellWords() []string {
	return []string{">", ">>", "<", "|", "||", "&&", "&", ";", "2>", "2>&1", "1>", "&>"}
}

// split returns the words of a command line, or what is wrong with it.
func split(line string) (words Command, fault string) {
	var word Word
	var text strings.Builder
	inWord, quote, start := false, byte(0), 0
	flush := func() {
		if text.Len() > 0 {
			word = append(word, WordPart{Literal: text.String()})
			text.Reset()
		}
	}
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case quote == 0 && c == ' ':
			if slices.Contains(shellWords(), line[start:i]) {
				return nil, noShell + "the program would get " + line[start:i] + " as a word"
			}
			if flush(); inWord {
				words = append(words, word)
			}
			word, inWord, start = nil, false, i+1
			continue
		case quote == 0 && (c == '\'' || c == '"'):
			quote = c
		case quote == c:
			quote = 0
		case c == '\\' && quote != '\'':
			if i++; i == len(line) {
				return nil, "a command must not end in a backslash"
			}
			_, size := utf8.DecodeRuneInString(line[i:])
			text.WriteString(line[i : i+size])
			i += size - 1
		case c == '$' && quote != '\'':
			m := variableAhead.FindStringSubmatch(line[i:])
			if m == nil {
				return nil, "this $ is no variable"
			}
			flush()
			word = append(word, WordPart{Variable: m[1] + m[2]})
			i += len(m[0]) - 1
		default:
			text.WriteByte(c)
		}
		inWord = true
	}
	if quote != 0 {
		return nil, "a quote of the command is never closed"
	}
	if slices.Contains(shellWords(), line[start:]) {
		return nil, noShell + "the program would get " + line[start:] + " as a word"
	}
	if flush(); inWord {
		words = append(words, word)
	}
	return words, ""
}

// literal returns the text of a word, and whether all of it is literal.
func (w Word) literal() (string, bool) {
	var b strings.Builder
	for _, part := range w {
		if part.Variable != "" {
			return "", false
		}
		b.WriteString(part.Literal)
	}
	return b.String(), true
}

// variables returns the variables that a command uses.
func (c Command) variables() []string {
	var all []string
	for _, word := range c {
		for _, part := range word {
			if part.Variable != "" {
				all = append(all, part.Variable)
			}
		}
	}
	return all
}

// placed is a command of the spec and its key.
type placed struct {
	path    string
	line    Value[Command]
	signals bool // to the main process, which there is one of then
}

// commands returns all commands of the spec.
func (s *Spec) commands() []placed {
	ofSignal := func(v Value[Signal]) Value[Command] { return Value[Command]{v.V.Command, v.Set, v.At} }
	all := []placed{
		{"service.exec.start", s.Exec.Start, false},
		{"service.exec.stop", ofSignal(s.Exec.Stop), true},
		{"service.exec.reload", ofSignal(s.Exec.Reload), true},
		{"service.deploy.before", s.Deploy.Before, false},
		{"service.deploy.probe.command", s.Deploy.Probe.Command, false},
	}
	for i, t := range s.Timers {
		all = append(all, placed{fmt.Sprintf("service.timers[%d].exec", i), t.Exec, false})
	}
	return all
}

// signal is the name of a signal, or a command.
type signal struct{ to *Value[Signal] }

// Signals returns those of signal(7) that a service is told things by.
func Signals() []string {
	return []string{"SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGKILL"}
}

// killPattern is a command that only sends a signal to the main process.
// systemd sends it better: after a command of its own it would send another.
var killPattern = lazyregexp.New(`^(?:/usr)?/bin/kill (?:-s ?|-)(?:SIG)?([A-Z0-9]+) (?:\$MAINPID|\$\{MAINPID\})$`)

func (s signal) read(p *parser, n *yaml.Node, path string) {
	line, at, ok := p.oneLine(n, path, "a signal or a command line", 1000)
	if !ok {
		return
	}
	name := line
	if m := killPattern.FindStringSubmatch(line); m != nil {
		name = "SIG" + m[1]
	}
	switch {
	case slices.Contains(Signals(), name):
		*s.to = Value[Signal]{Signal{Name: name}, true, at}
	case strings.HasPrefix(line, "/") && name == line:
		if words, ok := p.command(line, at, path); ok {
			*s.to = Value[Signal]{Signal{Command: words}, true, at}
		}
	default:
		p.fault("bad-value", path, at, "one of "+strings.Join(Signals(), ", ")+", or a command like /usr/bin/films stop", "%s cannot be %s", last(path), quoted(line))
	}
}
