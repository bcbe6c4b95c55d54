package spec

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// shape is a file in which a piece is repeated until it is as large as it may
// be. %d in the piece counts.
type shape struct{ head, piece, tail string }

func (s shape) file() []byte {
	b := make([]byte, 0, MaxSize)
	b = append(b, s.head...)
	for i := 0; ; i++ {
		next := strings.ReplaceAll(s.piece, "%d", strconv.Itoa(i))
		if len(b)+len(next)+len(s.tail) > MaxSize {
			return append(b, s.tail...)
		}
		b = append(b, next...)
	}
}

// shapes are files of a megabyte that somebody might try.
func shapes() map[string]shape {
	const head = "service:\n  name: my-api\n  group: apps\n  description: d\n"
	const block = head + "  environments: |\n"
	return map[string]shape{
		"deep flow lists":      {"service: ", "[", ""},
		"deep flow maps":       {"service: ", "{a: ", ""},
		"deep block lists":     {"", "- ", "x"},
		"deep block maps":      {"", "? ", "x"},
		"keys":                 {"service:\n", "  k%d: 1\n", ""},
		"similar keys":         {"service:\n", "  limit%d: 1\n", ""},
		"equal keys":           {"service:\n", "  a: 1\n", ""},
		"keys in one line":     {"service: {", "k%d: 1, ", "}"},
		"few keys in one line": {"service: {x: " + strings.Repeat("a", MaxSize/2), ", a key %d of many letters: 1", "}"},
		"quotes in one line":   {"{x: " + strings.Repeat("a", MaxSize/2) + ", y: [", "'a few more letters', ", "]} # lint:"},
		"numbers":              {"service: {resources: [", "1,", "]}"},
		"a list of nothing":    {head + "  resources:\n", "  -\n", ""},
		"fewer numbers":        {head + "  resources:\n", "  - 1234567890123456789\n", ""},
		"files":                {head + "  files:\n", "    - {src: a, dst: /usr/share/a/%d, mode: 7777777}\n", ""},
		"timers":               {head + "  timers:\n", "    - {name: t%d, on_calendar: daily, exec: $X}\n", ""},
		"sockets":              {head + "  sockets:\n", "    - 127.0.0.1:%d\n", ""},
		"one scalar":           {head + "  group: ", "a", ""},
		"one quoted scalar":    {head + "  group: \"", `\n`, "\""},
		"one block":            {head + "  group: |\n", "    x y z\n", ""},
		"one command":          {head + "  exec: {start: \"", "/a $b ", "\"}"},
		"anchors":              {"service:\n", "  - &a%d x\n", ""},
		"alias bomb":           {"a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [", "*c, ", "]"},
		"aliases of aliases":   {"a0: &a0 x\n", "b: &a%d [*a0, *a0, *a0, *a0]\n", ""},
		"merge keys":           {"a: &a {b: c}\nservice:\n", "  <<: *a\n", ""},
		"tags":                 {"service:\n", "  k%d: !!str 1\n", ""},
		"empty lines":          {"", "\n", ""},
		"comments":             {"", "# lint:ignore plain-secret x\n", head},
		"bad comments":         {"", "# lint:ignore plain-secrez x\n", head},
		"short comments":       {"", "#\n", head + "# lint:"},
		"variables":            {block, "    A%d=\n", ""},
		"equal variables":      {block, "    A=\n", ""},
		"bad lines":            {block, "    x\n", ""},
		"bad names":            {block, "    1=\n", ""},
		"secrets":              {block, "    A%d_TOKEN=x\n", ""},
		"one variable":         {block + "    A=", "x", "\n"},
		"expressions":          {block + "    A=", "{{a}}", "\n"},
		"arguments":            {block + "    A={{ a|f(", "b,", "b) }}\n"},
		"open expressions":     {block, "    A%d={{ \n", ""},
		"open expression":      {block + "    A=", "{{ ", "\n"},
		"open quote":           {block + "    A='", "x\n    ", "\n"},
		"continuations":        {block + "    A=", "\\\n    ", "\n"},
		"tokens in one line":   {head + "  # ", " AKIA" + "ABCDEFGHIJKLMNOP", "\n"},
		"URLs in one line":     {head + "  # ", " a://b:c@", "\n"},
		"half URLs":            {head + "  # ", "a://b:", "\n"},
		"half web tokens":      {head + "  # ", "eyJaaaaaaaaaaaa.", "\n"},
		"control characters":   {"", "\x01\n", ""},
		"no UTF-8":             {"", "\xff", ""},
		"no UTF-8 in lines":    {"", "\xff\n", ""},
		"documents":            {"", "---\n", ""},
		"directives":           {"", "%TAG ! tag:a,%d:\n", ""},
		"wide characters":      {head + "  group: ", "世", ""},
	}
}

// TestBadInput lets the program read each shape: it ends with code 0 or 2, takes
// at most 96 MB (half of that, where the collector is given its time) and prints little. Time is that of the processor, whatever else
// the machine does; its bound only tells the linear from the quadratic.
func TestBadInput(t *testing.T) {
	if testing.Short() {
		t.Skip("left out in short mode: builds the program")
	}
	dir := t.TempDir()
	if out, err := exec.Command("go", "build", "-o", dir, "../../cmd/kinectl").CombinedOutput(); err != nil {
		t.Fatalf("build kinectl: %v\n%s", err, out)
	}
	for name, shape := range shapes() {
		t.Run(name, func(t *testing.T) {
			src := shape.file()
			if len(src) > MaxSize || len(src) < MaxSize-1000 {
				t.Fatalf("the file has %d bytes", len(src))
			}
			file := filepath.Join(t.TempDir(), "spec.yml")
			if err := os.WriteFile(file, src, 0o600); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(filepath.Join(dir, "kinectl"), "lint", file)
			out, err := cmd.CombinedOutput()
			if code := cmd.ProcessState.ExitCode(); code != 0 && code != 2 || !strings.Contains(string(out), "1 spec checked") {
				t.Fatalf("%v\n%.2000s", err, out)
			}
			used := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
			megabytes := 0
			if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok && runtime.GOOS == "linux" {
				megabytes = int(usage.Maxrss >> 10)
			}
			findings := len(regexp.MustCompile(`(?m)\[[a-z-]+\]$`).FindAll(out, -1))
			t.Logf("%d findings, %d bytes printed, %d MB, %v", findings, len(out), megabytes, used)
			if findings > MaxFindings+1 || len(out) > 100_000 {
				t.Errorf("%d findings print %d bytes", findings, len(out))
			}
			if megabytes > 96 {
				t.Errorf("takes %d MB", megabytes)
			}
			if used > 5*time.Second {
				t.Errorf("takes %v", used)
			}
		})
	}
}

// TestTooManyFindings counts those that are not shown.
func TestTooManyFindings(t *testing.T) {
	_, findings := Check("spec.yml", []byte("service:\n"+strings.Repeat("  1: x\n", 250)))
	last := findings[len(findings)-1]
	if len(findings) != MaxFindings+1 || last.Rule != "too-many" || !strings.HasPrefix(last.Message, "15") {
		t.Errorf("%d findings, the last is %+v", len(findings), last)
	}
}
