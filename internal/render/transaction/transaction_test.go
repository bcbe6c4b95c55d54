package transaction

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kinectl/kinectl/internal/needs"
	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/version"
)

var update = flag.Bool("update", false, "write the golden files anew")

func hello() plan.Plan {
	return plan.Plan{
		Name: "hello", Group: "applications",
		Version: version.Version{Label: "1.2.0-rc1", Deb: "1.2.0~rc1"},
		Deploy: plan.Deploy{
			Serial: []string{"1"},
			Probe: plan.Probe{
				Type: "http", Port: 8080, Path: "/ready?deep=1&n=2", Status: 204,
				Timeout: time.Minute, Settle: 1500 * time.Millisecond, Version: true, Metrics: 9090,
			},
		},
		Environment: []plan.Variable{{Name: "TOKEN", Parts: []plan.Part{{Literal: "planted-value"}}}},
	}
}

// folded is the text with each of the script's parts as one line that names
// it: a golden file that repeated them would say nothing.
func folded(text []byte) []byte {
	for _, name := range body {
		text = bytes.ReplaceAll(text, part(name), []byte("[all of "+name+"]\n"))
	}
	return text
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}

func TestGolden(t *testing.T) {
	golden(t, "hello.script.golden", folded(Script(hello())))
	module := bytes.Replace(Module(hello()), Script(hello()), []byte("[all of the script]\n"), 1)
	golden(t, "hello.module.golden", bytes.Replace(module, part("module.sh"), []byte("[all of module.sh]\n"), 1))
}

// TestEveryPart proves that no file beside the list was forgotten.
func TestEveryPart(t *testing.T) {
	files, err := parts.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(body)+1 { // and module.sh
		t.Errorf("%d parts are listed, and %d files are there", len(body), len(files))
	}
}

// TestNoValues proves that the environment does not travel in the script.
func TestNoValues(t *testing.T) {
	if bytes.Contains(Module(hello()), []byte("planted-value")) {
		t.Error("a value of the environment is in the module")
	}
}

func TestLimit(t *testing.T) {
	if got, want := Limit(hello()), 11*time.Minute+1500*time.Millisecond; got != want {
		t.Errorf("Limit is %s, want %s", got, want)
	}
}

func TestHundredths(t *testing.T) {
	f := func(in time.Duration, want string) {
		t.Helper()
		if got := hundredths(in); got != want {
			t.Errorf("hundredths(%s) = %s, want %s", in, got, want)
		}
	}
	f(0, "0")
	f(time.Minute, "6000")
	f(1500*time.Millisecond, "150")
	f(9*time.Millisecond, "0")
}

// TestShells gives the rendered text to the real readers of it: nothing is to
// be doubted, and every shell that may be a host's /bin/sh takes it.
func TestShells(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string][]byte{"script.sh": Script(hello()), "module.sh": Module(hello())} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, reader := range [][]string{{"sh", "-n"}, {"dash", "-n"}, {"bash", "--posix", "-n"}, {"shellcheck", "--shell=sh", "--format=gcc"}} {
			t.Run(name+" "+reader[0], func(t *testing.T) {
				program := needs.Program(t, reader[0], "the rendered "+name+" was not given to it")
				if out, err := exec.Command(program, append(reader[1:], file)...).CombinedOutput(); err != nil || len(out) > 0 {
					t.Errorf("%v: %s", err, out)
				}
			})
		}
	}
}

// TestModuleCarriesTheScript runs the module's text without its last line,
// which starts it, and asks it for the script: byte for byte.
func TestModuleCarriesTheScript(t *testing.T) {
	text, ok := strings.CutSuffix(string(Module(hello())), "\nmain\n")
	if !ok {
		t.Fatal("the module does not end in a call of main")
	}
	out, err := exec.Command("sh", "-c", text+"\nscript").Output()
	if err != nil || !bytes.Equal(out, Script(hello())) {
		t.Errorf("%v: the script in the module is another", err)
	}
}

// TestModuleCutShort proves that a connection that dies in the middle of the
// module starts nothing: no command is run before its last line.
func TestModuleCutShort(t *testing.T) {
	text := string(Module(hello()))
	end := len(text) - len("main\n")
	cuts := []int{1, 20, len(part("module.sh")), end - 1, end, end + 1, end + 3}
	for i := range 25 {
		cuts = append(cuts, end*i/25)
	}
	harmless := []string{"name=hello", "limit=661", "m", "mai"}
	empty := t.TempDir()
	for _, n := range cuts {
		// set -x tells of each command that is run; no program can be found.
		cmd := exec.Command("/bin/sh", "-x")
		cmd.Env = []string{"PATH=" + empty}
		cmd.Stdin = strings.NewReader(text[:n])
		var trace bytes.Buffer
		cmd.Stderr = &trace
		out, _ := cmd.Output()
		for line := range strings.Lines(trace.String()) {
			if did, ok := strings.CutPrefix(line, "+ "); ok && !slices.Contains(harmless, strings.TrimRight(did, "\n")) {
				t.Errorf("cut after %d bytes of %d it runs %q", n, len(text), did)
			}
		}
		if len(out) > 0 {
			t.Errorf("cut after %d bytes it prints %q", n, out)
		}
	}
}

// TestArgument reads arguments as Ansible writes them into the module.
func TestArgument(t *testing.T) {
	text := strings.TrimSuffix(string(Module(hello())), "\nmain\n")
	f := func(arguments, name, want string) {
		t.Helper()
		// A search that takes the square of the time would take minutes.
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		cmd := exec.CommandContext(ctx, "sh")
		cmd.Stdin = strings.NewReader(fmt.Sprintf("%s\narguments=%s\nargument %s; echo \"$value\"", text, quote(arguments), name))
		out, err := cmd.Output()
		if got := strings.TrimSuffix(string(out), "\n"); err != nil || got != want {
			t.Errorf("argument %s of %.100s is %.100q, want %.100q; %v", name, arguments, got, want, err)
		}
	}
	const all = `{"stage": "release", "action": "restore", "environment": "QT0iMSIK", "version": "1.2.0~rc1", "digest": "0123abcd", "_ansible_check_mode": false}`
	f(all, "stage", "release")
	f(all, "environment", "QT0iMSIK")
	f(all, "version", "1.2.0~rc1")
	f(all, "digest", "0123abcd")
	f(`{"stage": "status"}`, "environment", "")
	long := strings.Repeat("QT0iMSIK", 12_000)
	f(`{"stage": "release", "action": "install", "environment": "`+long+`", "_ansible_check_mode": false}`, "environment", long)
	f(`{"stage": "release", "action": "install", "environment": "`+long+`", "_ansible_check_mode": false}`, "stage", "release")
	f(`{"action": "\", \"stage\": \"release", "stage": "status"}`, "stage", "status")
}
