package cli

import (
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// block is the lines at the bottom of a terminal that are drawn again and
// again. Nothing else may be printed between draw and erase. The sequences are
// those of ECMA-48: cursor up, erase to the end of the screen.
type block struct {
	w     io.Writer
	size  func() (columns, rows int)
	drawn int // lines on the screen
}

// draw shows as many lines as there is room for, each cut to the width of the
// terminal: one that wraps could not be erased.
func (b *block) draw(lines []string) {
	columns, rows := b.size()
	if room := max(rows-2, 1); len(lines) > room {
		lines = append(lines[:room-1:room-1], fmt.Sprintf("  … and %d more", len(lines)-room+1))
	}
	var all strings.Builder
	for _, l := range lines {
		if runes := []rune(l); len(runes) > columns-1 {
			l = string(runes[:max(columns-1, 1)])
		}
		all.WriteString(l + "\n")
	}
	_, _ = io.WriteString(b.w, all.String())
	b.drawn = len(lines)
}

func (b *block) erase() {
	if b.drawn > 0 {
		fmt.Fprintf(b.w, "\x1b[%dA\r\x1b[J", b.drawn)
	}
	b.drawn = 0
}

// screen is the size of the terminal that w is, or the usual one.
func screen(w io.Writer) (columns, rows int) {
	if f, ok := w.(*os.File); ok {
		if columns, rows, err := term.GetSize(int(f.Fd())); err == nil && columns > 0 && rows > 0 {
			return columns, rows
		}
	}
	return 80, 24
}
