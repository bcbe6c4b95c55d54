package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
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
		return slog.New(logHandler{h, h, h, h})
	}
	return slog.New(logHandler{handler("<7>"), handler("<6>"), handler("<4>"), handler("<3>")})
}

// logHandler has one handler for each priority of the journal: debug,
// informational, warning, error (sd-daemon(3)). It adds what the context knows of a request.
type logHandler [4]slog.Handler

func (h logHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h[0].Enabled(ctx, level)
}

func (h logHandler) Handle(ctx context.Context, r slog.Record) error {
	r.AddAttrs(requestAttrs(ctx)...)
	switch {
	case r.Level < slog.LevelInfo:
		return h[0].Handle(ctx, r)
	case r.Level < slog.LevelWarn:
		return h[1].Handle(ctx, r)
	case r.Level < slog.LevelError:
		return h[2].Handle(ctx, r)
	}
	return h[3].Handle(ctx, r)
}

func (h logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return h.each(func(one slog.Handler) slog.Handler { return one.WithAttrs(attrs) })
}

func (h logHandler) WithGroup(group string) slog.Handler {
	return h.each(func(one slog.Handler) slog.Handler { return one.WithGroup(group) })
}

func (h logHandler) each(f func(slog.Handler) slog.Handler) slog.Handler {
	for i := range h {
		h[i] = f(h[i])
	}
	return h
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
