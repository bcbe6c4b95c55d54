package spec

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	cal "github.com/kinectl/kinectl/internal/calendar"
	"github.com/kinectl/kinectl/internal/diag"
)

// calendar is a calendar expression of systemd.time(7).
type calendar struct{ to *Value[string] }

func (c calendar) read(p *parser, n *yaml.Node, path string) {
	line, at, ok := p.oneLine(n, path, "a calendar expression", 200)
	if !ok {
		return
	}
	_, err := cal.Parse(line)
	if wrong := (*cal.Error)(nil); errors.As(err, &wrong) {
		p.fault("bad-calendar", path, p.within(n, line, wrong.Column, wrong.Width), wrong.Hint, "%s", wrong.Message)
		return
	}
	*c.to = Value[string]{line, true, at}
}

// calendarEnds warns of timers that name their years: after those they never
// run again, and nobody is told. Whether they are over is for a clock to say.
func calendarEnds(s *Spec) diag.Findings {
	var all diag.Findings
	for i, t := range s.Timers {
		if e, err := cal.Parse(t.OnCalendar.V); err == nil && e.Years {
			all = append(all, s.finding("calendar-ends", diag.Warning, fmt.Sprintf("service.timers[%d].on_calendar", i), t.OnCalendar.At,
				"write * for the year, or leave the year out", "this runs in the years that it names only"))
		}
	}
	return all
}

// within is the place of a part of a scalar's text; column counts from 1. In a
// scalar that does not stand in the file as it is read, it is all of it.
func (p *parser) within(n *yaml.Node, text string, column, width int) Pos {
	at := p.at(n)
	if n.Line < 1 || n.Line > len(p.spec.lines) {
		return at
	}
	line := []rune(p.spec.lines[n.Line-1])
	rest := string(line[min(max(n.Column-1, 0), len(line)):])
	before, _, found := strings.Cut(rest, text)
	if !found || strings.Trim(before, `'" `) != "" {
		return at
	}
	at.Column += utf8.RuneCountInString(before) + column - 1
	at.Width = width
	return at
}
