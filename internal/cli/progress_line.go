package cli

import (
	"fmt"
	"io"
	"time"

	"github.com/kinectl/kinectl/internal/build"
)

// progressLine says on a terminal what takes long, on one line that it
// rewrites. Elsewhere it prints nothing.
type progressLine struct {
	w    io.Writer
	live bool
	last time.Time
	what string
}

func newProgressLine(w io.Writer) *progressLine { return &progressLine{w: w, live: terminal(w)} }

// event is the Progress of package build.
func (l *progressLine) event(e build.Event) {
	// A download tells of each block that it reads; ten lines a second are plenty.
	if e.What == l.what && time.Since(l.last) < 100*time.Millisecond {
		return
	}
	l.what, l.last = e.What, time.Now()
	switch {
	case e.Total > 0:
		l.show(fmt.Sprintf("%s: %s of %s", e.What, byteSize(e.Done), byteSize(e.Total)))
	case e.Done > 0:
		l.show(fmt.Sprintf("%s: %s", e.What, byteSize(e.Done)))
	default:
		l.show(e.What)
	}
}

func (l *progressLine) show(text string) {
	if l.live {
		fmt.Fprintf(l.w, "\r\x1b[K%s …", text)
	}
}

// clear takes the line away.
func (l *progressLine) clear() {
	if l.live {
		fmt.Fprint(l.w, "\r\x1b[K")
	}
}
