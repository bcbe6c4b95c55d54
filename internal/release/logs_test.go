package release

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kinectl/kinectl/internal/plan"
)

func TestParseLine(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		l, cursor, ok := parseLine("h1", []byte(text))
		got := "none"
		if ok {
			got = fmt.Sprintf("%s %d %s %d %q %s", l.Host, l.Time.UnixMicro(), l.Unit, l.Priority, l.Message, cursor)
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
	f(`{"__CURSOR":"c","__REALTIME_TIMESTAMP":"1000001","MESSAGE":"hi","PRIORITY":"3","_SYSTEMD_UNIT":"hello.service"}`, `h1 1000001 hello.service 3 "hi" c`)
	f(`{"__CURSOR":"c","__REALTIME_TIMESTAMP":"1","MESSAGE":"Started","_SYSTEMD_UNIT":"init.scope","UNIT":"hello.service"}`, `h1 1 hello.service 6 "Started" c`)
	f(`{"__CURSOR":"c","__REALTIME_TIMESTAMP":"1","MESSAGE":[104,255,105]}`, `h1 1  6 "h`+"\uFFFD"+`i" c`)
	f(`{"__CURSOR":"c","__REALTIME_TIMESTAMP":"1","MESSAGE":["one","two"]}`, `h1 1  6 "one" c`)
	f(`{"__CURSOR":"c","__REALTIME_TIMESTAMP":"1","MESSAGE":null}`, `h1 1  6 "" c`)
	f(`{"MESSAGE":"no time"}`, "none")
	f(`Last login: today`, "none")
}

func TestLogArguments(t *testing.T) {
	f := func(q LogQuery, want string) {
		t.Helper()
		if got := strings.Join(q.arguments(time.Time{}), " "); got != want {
			t.Errorf("%+v: got %s, want %s", q, got, want)
		}
	}
	f(LogQuery{}, "")
	f(LogQuery{Since: "90m", Lines: 5}, "--since=-5400s --lines=5 --reverse")
	f(LogQuery{Since: "today"}, "--since=today")
	f(LogQuery{Grep: "a b", Priority: "err"}, "--grep=a b --priority=err")
}

// TestJournal runs the command line in a shell: a hostile pattern stays one word, and
// a user outside of the group asks sudo.
func TestJournal(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"journalctl": `printf '[%s]' "$@"; printf %s "$SAYS" >&2; case "$*" in *--grep=\(*) CODE=1 ;; esac; exit "${CODE:-0}"`,
		"id":         `[ "$1" = -u ] && echo 1000 || echo "${GROUPS_OF:-users}"`,
		"sudo":       `[ -z "$DENIES" ] || { echo "$DENIES" >&2; exit 1; }; echo "sudo $1"; shift; exec "$@"`,
		"date":       `echo @12`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	f := func(arguments []string, env, want string) {
		t.Helper()
		cmd := exec.Command("/bin/sh", "-c", journal([]string{"hello.service"}, arguments))
		cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), env)
		var said strings.Builder
		cmd.Stderr = &said
		out, err := cmd.Output()
		got := string(out) + strings.TrimSuffix(said.String(), "\n")
		if err != nil {
			got += err.Error()
		}
		const head = "[--quiet][--no-pager][--output=json][--output-fields=" + logFields + "]"
		if got = strings.Replace(got, head, "… ", 1); got != want {
			t.Errorf("%q, %s: got %q, want %q", arguments, env, got, want)
		}
	}
	f(nil, "GROUPS_OF=users systemd-journal", "@12\n… [--unit=hello.service]")
	f(nil, "GROUPS_OF=users", "@12\nsudo -n\n… [--unit=hello.service]")
	f([]string{`--grep='$(touch x)"`, "--lines=1"}, "GROUPS_OF=adm", `@12`+"\n"+`… [--unit=hello.service][--grep='$(touch x)"][--lines=1]`)
	f(nil, "CODE=1", "@12\nsudo -n\n… [--unit=hello.service]") // no line matches
	f(nil, "SAYS=hint", "@12\nsudo -n\n… [--unit=hello.service]hint")

	// journalctl ends with 1 for a question that it cannot read too, and so does sudo.
	f([]string{"--grep=("}, "SAYS=bad pattern", "@12\nsudo -n\n… [--unit=hello.service][--grep=(]bad patternexit status 1")
	f(nil, "DENIES=sudo: a password is required", "@12\nsudo: a password is requiredexit status 1")
}

// TestLogsMerge reads two "hosts" that are this machine, and one that is not there.
func TestLogsMerge(t *testing.T) {
	dir := t.TempDir()
	script := `#!/bin/sh
for at in 1 3 5; do printf '{"__CURSOR":"c","__REALTIME_TIMESTAMP":"%s","MESSAGE":"m"}\n' "$at"; done
`
	if err := os.WriteFile(filepath.Join(dir, "journalctl"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	if err := os.WriteFile(filepath.Join(dir, "id"), []byte("#!/bin/sh\necho 0\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	in := parsed(t)
	in.Dir = dir
	for _, h := range []string{"h1", "h2"} {
		in.answer.Connect[h] = map[string]string{"ansible_connection": "local"}
	}
	in.answer.Connect["h2"]["ansible_user"] = "{{ nobody }}"
	var got, lost []string
	err := Logs(context.Background(), Options{Infra: in}, plan.Plan{Name: "hello", Group: "applications"}, LogQuery{Lines: 2},
		func(l LogLine) { got = append(got, fmt.Sprint(l.Host, l.Time.UnixMicro())) }, func(h string, err error) { lost = append(lost, h+": "+err.Error()) })
	if !errors.Is(err, ErrFailed) || strings.Join(got, " ") != "h13 h15" {
		t.Errorf("got %v, %v", got, err)
	}
	if len(lost) != 1 || !strings.HasPrefix(lost[0], "h2: ansible_user of h2 is a template") {
		t.Errorf("lost: %v", lost)
	}
}

// TestLogsEnd follows a program that does not end by itself, and whose child has its
// output: it ends with the context all the same.
func TestLogsEnd(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"journalctl": `case "$*" in *--follow*) echo '{"__CURSOR":"c","__REALTIME_TIMESTAMP":"1","MESSAGE":"m"}'; sleep 30 ;; esac`,
		"id":         "echo 0",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	in := parsed(t)
	in.Dir = dir
	for _, h := range []string{"h1", "h2"} {
		in.answer.Connect[h] = map[string]string{"ansible_connection": "local"}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	start := time.Now()
	err := Logs(ctx, Options{Infra: in}, plan.Plan{Name: "hello", Group: "applications"}, LogQuery{Follow: true},
		func(LogLine) { cancel() }, func(string, error) {})
	if took := time.Since(start); err != nil || took > 20*time.Second {
		t.Errorf("it ended after %.0f s: %v", took.Seconds(), err)
	}
}

// TestLogsFollow goes on where the past has ended, with a journalctl that does as that
// of systemd 252 does: of --lines and --grep the newest come first, and a followed
// journal begins with ten lines.
func TestLogsFollow(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"journalctl": `
lines=30 grep= reverse= follow= tail=yes after=0
for a; do
	case $a in
	--lines=*) lines=${a#*=} ;;
	--grep=*) grep=yes ;;
	--reverse) reverse=yes ;;
	--follow) follow=yes ;;
	--no-tail) tail= ;;
	--after-cursor=*) after=${a#*=} ;;
	esac
done
if [ "$follow" ]; then
	seq $((after + 1)) 45 | if [ "$tail" ]; then head -n 10; else cat; fi
elif [ "$grep$reverse" ]; then
	seq 30 -1 $((31 - lines))
else
	seq $((31 - lines)) 30
fi | sed 's/.*/{"__CURSOR":"&","__REALTIME_TIMESTAMP":"&","MESSAGE":"m"}/'
[ -z "$follow" ] || exec sleep 30`,
		"id": "echo 0",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	in := parsed(t)
	in.Dir = dir
	for _, h := range []string{"h1", "h2"} {
		in.answer.Connect[h] = map[string]string{"ansible_connection": "local"}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var got []int64
	err := Logs(ctx, Options{Infra: in}, plan.Plan{Name: "hello", Group: "applications"}, LogQuery{Lines: 10, Grep: "m", Follow: true},
		func(l LogLine) {
			if l.Host == "h1" {
				got = append(got, l.Time.UnixMicro())
			}
			if len(got) > 0 && got[len(got)-1] == 45 {
				cancel()
			}
		}, func(string, error) {})
	var want []int64
	for i := int64(26); i <= 45; i++ {
		want = append(want, i)
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
}

// TestLogsLimit names the reason of a host that was given up, and not the signal.
func TestLogsLimit(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "journalctl"), []byte("#!/bin/sh\nexec sleep 5\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	in := parsed(t)
	in.Dir = dir
	in.answer.Connect["h1"] = map[string]string{"ansible_connection": "local"}
	ctx, cancel := context.WithTimeoutCause(t.Context(), 100*time.Millisecond, errors.New("too slow"))
	defer cancel()
	l := &logs{infra: in, places: map[string]string{}}
	if err := l.read(ctx, "h1", nil, func(LogLine) {}); err == nil || err.Error() != "too slow" {
		t.Errorf("got %v", err)
	}
}

func TestNewest(t *testing.T) {
	f := func(lines string, n int, want string) {
		t.Helper()
		var all []LogLine
		for _, word := range strings.Fields(lines) {
			var at int64
			host, rest, _ := strings.Cut(word, "@")
			fmt.Sscan(rest, &at)
			all = append(all, LogLine{Host: host, Time: time.UnixMicro(at)})
		}
		var got []string
		for _, l := range newest(all, n) {
			got = append(got, fmt.Sprintf("%s@%d", l.Host, l.Time.UnixMicro()))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: got %v, want %s", lines, got, want)
		}
	}
	f("", 3, "")
	f("a@3 a@5 b@1 b@4", 0, "b@1 a@3 b@4 a@5")
	f("a@3 a@5 b@1 b@4", 2, "b@4 a@5")
	f("b@1 a@1", 0, "a@1 b@1")
}
