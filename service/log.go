package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
)

// logLevel is LOG_LEVEL.
type logLevel slog.Level

// UnmarshalText reads a level.
func (l *logLevel) UnmarshalText(text []byte) error {
	for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
		if strings.EqualFold(string(text), level.String()) {
			*l = logLevel(level)
			return nil
		}
	}
	return errors.New("must be debug, info, warn or error")
}

// logFormat is LOG_FORMAT.
type logFormat string

const (
	logfmt   logFormat = "logfmt"
	jsonLine logFormat = "json"
)

// UnmarshalText reads a format.
func (f *logFormat) UnmarshalText(text []byte) error {
	if *f = logFormat(text); *f != logfmt && *f != jsonLine {
		return fmt.Errorf("must be %s or %s", logfmt, jsonLine)
	}
	return nil
}

// newLog writes lines to w. When w goes to systemd's journal, each begins with its priority.
func newLog(w io.Writer, format logFormat, level slog.Leveler, journal bool) *slog.Logger {
	out := &lines{w: w}
	options := &slog.HandlerOptions{Level: level}
	handler := func(priority string) slog.Handler {
		if format == jsonLine {
			return slog.NewJSONHandler(prioritized{out, priority}, options)
		}
		return slog.NewTextHandler(prioritized{out, priority}, options)
	}
	if !journal {
		h := handler("")
		return slog.New(logHandler{by: [4]slog.Handler{h, h, h, h}})
	}
	return slog.New(logHandler{by: [4]slog.Handler{handler("<7>"), handler("<6>"), handler("<4>"), handler("<3>")}})
}

// logHandler has one handler for each priority of the journal: debug,
// informational, warning, error (sd-daemon(3)). It adds what the context knows of a request.
type logHandler struct {
	by     [4]slog.Handler
	groups []group // that are open, the outermost first
}

// group is one of WithGroup. The handlers below are not told of it, since what they are given
// then would be within, the request's id too.
type group struct {
	name  string
	attrs []slog.Attr
}

func (h logHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.by[0].Enabled(ctx, level)
}

func (h logHandler) Handle(ctx context.Context, r slog.Record) error {
	if len(h.groups) > 0 {
		r = h.grouped(r)
	}
	r.AddAttrs(requestAttrs(ctx)...)
	switch {
	case r.Level < slog.LevelInfo:
		return h.by[0].Handle(ctx, r)
	case r.Level < slog.LevelWarn:
		return h.by[1].Handle(ctx, r)
	case r.Level < slog.LevelError:
		return h.by[2].Handle(ctx, r)
	}
	return h.by[3].Handle(ctx, r)
}

func (h logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	if last := len(h.groups) - 1; last >= 0 {
		h.groups = slices.Clone(h.groups)
		h.groups[last].attrs = slices.Concat(h.groups[last].attrs, attrs)
		return h
	}
	for i := range h.by {
		h.by[i] = h.by[i].WithAttrs(attrs)
	}
	return h
}

func (h logHandler) WithGroup(name string) slog.Handler {
	if name != "" {
		h.groups = append(slices.Clip(h.groups), group{name: name})
	}
	return h
}

// grouped is the record with its attributes in the groups that are open.
func (h logHandler) grouped(r slog.Record) slog.Record {
	var within []slog.Attr
	r.Attrs(func(a slog.Attr) bool {
		within = append(within, a)
		return true
	})
	for _, g := range slices.Backward(h.groups) {
		within = []slog.Attr{slog.GroupAttrs(g.name, slices.Concat(g.attrs, within)...)}
	}
	outer := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	outer.AddAttrs(within...)
	return outer
}

// lines lets the handlers take turns.
type lines struct {
	mu sync.Mutex
	w  io.Writer
	b  []byte
}

// prioritized is given one whole line at a time by slog's handlers.
type prioritized struct {
	out      *lines
	priority string
}

func (p prioritized) Write(line []byte) (int, error) {
	p.out.mu.Lock()
	defer p.out.mu.Unlock()
	if p.priority != "" {
		p.out.b = append(append(p.out.b[:0], p.priority...), line...)
		if _, err := p.out.w.Write(p.out.b); err != nil {
			return 0, err
		}
		return len(line), nil
	}
	return p.out.w.Write(line)
}

// isJournal tells whether w is what JOURNAL_STREAM names: the device and inode of the
// socket that systemd gave as standard output or error (systemd.exec(5)). Somebody may have
// redirected it since.
func isJournal(w io.Writer, stream string) bool {
	file, ok := w.(*os.File)
	if !ok || stream == "" {
		return false
	}
	info, err := file.Stat()
	if err != nil {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && stream == fmt.Sprintf("%d:%d", stat.Dev, stat.Ino)
}

// moreOf and lessOf are one step of the level, within debug and error.
func moreOf(level slog.Level) slog.Level { return max(level-4, slog.LevelDebug) }
func lessOf(level slog.Level) slog.Level { return min(level+4, slog.LevelError) }
