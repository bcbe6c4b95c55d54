package spec

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/kinectl/kinectl/internal/diag"
)

// MaxFindings is how many findings of one file are shown, not counting the
// one that says how many more there are.
const MaxFindings = 100

// ignore is a comment that silences a rule:
//
//	# lint:ignore RULE reason       the line below
//	# lint:file-ignore RULE reason  the whole file
type ignore struct {
	at   Pos // of the rule's name, or of the comment
	rule Rule
	line int // whose findings are silenced; 0 for all
	used bool
}

// Settle gives the findings of one spec their last form: what comments
// silence is taken out, comments that silence nothing or must not are found,
// what is left is sorted by place, and cut to [MaxFindings].
func Settle(s *Spec, findings diag.Findings) diag.Findings {
	ignores, all := s.ignores()
	type target struct {
		rule string
		line int
	}
	silences := map[target][]int{}
	for i, g := range ignores {
		to := target{g.rule.Name, g.line}
		silences[to] = append(silences[to], i)
	}
	for _, f := range findings {
		by := slices.Concat(silences[target{f.Rule, f.Line}], silences[target{f.Rule, 0}])
		for _, i := range by {
			ignores[i].used = true
		}
		if len(by) == 0 {
			all = append(all, f)
		}
	}
	for _, g := range ignores {
		if !g.used && !g.rule.Beyond && !s.misread[g.rule.Name] {
			all = append(all, s.finding("unused-ignore", diag.Warning, "", g.at, "remove the comment", "there is no "+g.rule.Name+" to silence here"))
		}
	}
	all.Sort()
	if more := s.dropped + max(0, len(all)-MaxFindings); more > 0 {
		all = append(all[:min(len(all), MaxFindings)], diag.Finding{
			Rule: "too-many", Severity: diag.Error, File: s.File,
			Message: fmt.Sprintf("%d more findings are not shown", more), Hint: "mend these first",
		})
	}
	return all
}

// ignores reads the comments that silence, and finds fault with those that
// may not.
func (s *Spec) ignores() (good []ignore, faults diag.Findings) {
	if s.inText == nil {
		return nil, nil // there are none, or nobody knows which lines are comments
	}
	below := 0 // the next line that is no comment: comments may be stacked, and a reason may go on
	for line := len(s.lines); line > 0; line-- {
		if !s.isComment(line) {
			below = line
			continue
		}
		text := strings.TrimLeft(s.lines[line-1], " \t#")
		rest, ok := strings.CutPrefix(text, "lint:")
		switch {
		case !ok:
			continue
		case len(faults) >= MaxFindings:
			s.dropped++
			continue
		}
		at := Pos{line, s.width(line) - utf8.RuneCountInString(text) + 1, utf8.RuneCountInString(strings.TrimRight(text, " \t"))}
		g, message, hint := readIgnore(rest, below)
		if message != "" {
			faults = append(faults, s.finding("bad-ignore", diag.Error, "", at, hint, message))
			continue
		}
		g.at = at
		good = append(good, g)
	}
	return good, faults
}

// readIgnore reads what stands after "lint:" in a comment above the line below.
func readIgnore(text string, below int) (g ignore, message, hint string) {
	words := strings.Fields(text)
	switch {
	case len(words) == 0 || words[0] != "ignore" && words[0] != "file-ignore":
		return g, "a comment with lint: must be ignore or file-ignore", "write # lint:ignore RULE reason above the line, or # lint:file-ignore RULE reason"
	case len(words) == 1:
		return g, "the comment names no rule", "write # lint:" + words[0] + " RULE reason"
	}
	known, ok := rule(words[1])
	switch {
	case !ok:
		hint := "the name stands in [ ] after each finding"
		if best := nearest(words[1], ruleNames()); best != "" {
			hint = "did you mean " + best + "?"
		}
		return g, "there is no rule " + quoted(words[1]), hint
	case !known.Silenceable:
		return g, known.Name + " cannot be silenced", "mend what it finds, and remove the comment"
	case len(words) == 2:
		return g, "the comment gives no reason", "say why, for those who read it next: # lint:" + words[0] + " " + known.Name + " because…"
	}
	g.rule = known
	if words[0] == "ignore" {
		g.line = max(below, 1)
	}
	return g, "", ""
}

// isComment reports whether all of a line is a comment, of YAML or of the
// block of variables.
func (s *Spec) isComment(line int) bool {
	if line < 1 || line > len(s.lines) || !strings.HasPrefix(strings.TrimLeft(s.lines[line-1], " \t"), "#") {
		return false
	}
	return !s.inText[line] || s.remarks[line]
}

// markText notes the lines of a value that goes over several: what looks like
// a comment there is none.
func (s *Spec) markText(from, to int) {
	for line := from; line <= min(to, len(s.lines)) && s.inText != nil; line++ {
		s.inText[line] = true
	}
}

// blockEnd returns the last line of a block scalar (| or >) whose header
// stands in the given line.
func (s *Spec) blockEnd(header int) int {
	indented := func(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }
	first := s.lines[header-1]
	least := 0
	if strings.ContainsAny(first[strings.LastIndexAny(first, "|>")+1:], "123456789") {
		least = indented(first) + 1 // the header says how much: more than its own
	}
	for i := header; i < len(s.lines); i++ {
		if strings.TrimSpace(s.lines[i]) == "" {
			continue
		}
		least = cmp.Or(least, max(indented(s.lines[i]), 1))
		if indented(s.lines[i]) < least {
			return i
		}
	}
	return len(s.lines)
}

// quoteEnd returns the last line of a scalar in quotes that opens at a place.
func (s *Spec) quoteEnd(line, at int, quote byte) int {
	if len(s.lines[line-1]) > 10_000 {
		return line // nobody hides a comment there, and there may be thousands of quotes
	}
	rest := strings.TrimPrefix(column(s.lines[line-1], at), string(quote))
	for ; ; rest = s.lines[line-1] {
		for i := 0; i < len(rest); i++ {
			switch {
			case rest[i] == '\\' && quote == '"':
				i++
			case rest[i] == quote && quote == '\'' && i+1 < len(rest) && rest[i+1] == quote:
				i++
			case rest[i] == quote:
				return line
			}
		}
		if line++; line > len(s.lines) {
			return len(s.lines)
		}
	}
}
