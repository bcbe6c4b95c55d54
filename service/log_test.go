package service

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
)

func TestLog(t *testing.T) {
	f := func(format logFormat, journal bool, level slog.Level, write func(*slog.Logger), want string) {
		t.Helper()
		var out bytes.Buffer
		var at slog.LevelVar
		at.Set(level)
		write(newLog(&out, format, &at, journal))
		got := regexp.MustCompile(`time=\S+ |"time":"[^"]*",`).ReplaceAllString(out.String(), "")
		if got != want {
			t.Errorf("%s, journal %v: got\n%s\nwant\n%s", format, journal, got, want)
		}
	}
	all := func(l *slog.Logger) {
		l.Debug("d")
		l.Info("i", "n", 1)
		l.Warn("w", "text", "two words\nand a line")
		l.Error("e")
	}
	f(logfmt, false, slog.LevelInfo, all, "level=INFO msg=i n=1\nlevel=WARN msg=w text=\"two words\\nand a line\"\nlevel=ERROR msg=e\n")
	f(logfmt, true, slog.LevelDebug, all, "<7>level=DEBUG msg=d\n<6>level=INFO msg=i n=1\n<4>level=WARN msg=w text=\"two words\\nand a line\"\n<3>level=ERROR msg=e\n")
	f(jsonLine, true, slog.LevelWarn, all, "<4>{\"level\":\"WARN\",\"msg\":\"w\",\"text\":\"two words\\nand a line\"}\n<3>{\"level\":\"ERROR\",\"msg\":\"e\"}\n")
	f(logfmt, true, slog.LevelInfo, func(l *slog.Logger) { l.With("a", 1).WithGroup("g").Error("e", "b", 2) }, "<3>level=ERROR msg=e a=1 g.b=2\n")
	const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	f(logfmt, false, slog.LevelInfo, func(l *slog.Logger) { l.InfoContext(WithRequest(t.Context(), "id-1", trace), "i") },
		"level=INFO msg=i request_id=id-1 trace_id=0af7651916cd43dd8448eb211c80319c\n")
	// The request's id is not of a group.
	grouped := func(l *slog.Logger) {
		l = l.With("a", 1).WithGroup("db").With("b", 2).WithGroup("").WithGroup("pool")
		other := l.With("x", 1)
		l.With("c", 3).InfoContext(WithRequest(t.Context(), "id-1", ""), "i", "d", 4)
		other.WithGroup("empty").Info("o")
	}
	f(logfmt, true, slog.LevelInfo, grouped, "<6>level=INFO msg=i a=1 db.b=2 db.pool.c=3 db.pool.d=4 request_id=id-1\n<6>level=INFO msg=o a=1 db.b=2 db.pool.x=1\n")
	f(jsonLine, false, slog.LevelInfo, grouped, `{"level":"INFO","msg":"i","a":1,"db":{"b":2,"pool":{"c":3,"d":4}},"request_id":"id-1"}`+"\n"+`{"level":"INFO","msg":"o","a":1,"db":{"b":2,"pool":{"x":1}}}`+"\n")
	f(logfmt, false, slog.LevelInfo, func(l *slog.Logger) { l.WithGroup("db").InfoContext(WithRequest(t.Context(), "id-1", ""), "i") }, "level=INFO msg=i request_id=id-1\n")
}

// TestLogLines has many write at once: no line is torn.
func TestLogLines(t *testing.T) {
	var out bytes.Buffer
	log := newLog(&out, jsonLine, slog.LevelDebug, true)
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			for range 50 {
				log.With("i", i).Info("x")
				log.Error("y")
			}
		})
	}
	all.Wait()
	lines := 0
	for line := range strings.Lines(out.String()) {
		lines++
		if _, rest, found := strings.Cut(line, ">"); !found || !json.Valid([]byte(rest)) {
			t.Fatalf("torn: %q", line)
		}
	}
	if lines != 2000 {
		t.Errorf("%d lines", lines)
	}
}

func TestIsJournal(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	var stat syscall.Stat_t
	if err := syscall.Fstat(int(w.Fd()), &stat); err != nil {
		t.Fatal(err)
	}
	f := func(w io.Writer, stream string, want bool) {
		t.Helper()
		if got := isJournal(w, stream); got != want {
			t.Errorf("%T, %q: %v", w, stream, got)
		}
	}
	f(w, fmt.Sprintf("%d:%d", stat.Dev, stat.Ino), true)
	f(w, fmt.Sprintf("%d:%d", stat.Dev, stat.Ino+1), false)
	f(w, "", false)
	f(w, "x", false)
	f(&bytes.Buffer{}, fmt.Sprintf("%d:%d", stat.Dev, stat.Ino), false)
}
