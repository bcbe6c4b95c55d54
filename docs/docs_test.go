// Package docs tests the documentation against the program: commands are run,
// examples are linted, flags and links must exist. Start at [TestCommands].
//
// A fenced block marked "console" holds commands after "$ ", continued after
// "> ", and what they print; where nothing is shown, nothing is compared. One
// marked "console lab" needs hosts: it is not run, but its verbs and flags must
// exist. A block marked "yaml" in spec.md is a spec, or a part of one below
// `service`.
package docs

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/kinectl/kinectl/internal/diag"
	"github.com/kinectl/kinectl/internal/spec"
)

// program is the folder of the kinectl that is tested.
var program string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "kinectl-docs-*")
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer os.RemoveAll(dir)
	program = dir
	if out, err := exec.Command("go", "build", "-o", dir, "../cmd/kinectl").CombinedOutput(); err != nil {
		fmt.Printf("build kinectl: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// pages are the Markdown files of the root and of this folder.
func pages(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, pattern := range []string{"../*.md", "*.md"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			all[file] = string(body)
		}
	}
	if len(all) < 10 {
		t.Fatalf("found %d pages only", len(all))
	}
	return all
}

// block is a fenced block of code.
type block struct {
	info  string
	line  int // of its first line in the page, from 1
	lines []string
}

func blocks(page string) []block {
	var all []block
	inside := false
	for i, line := range strings.Split(page, "\n") {
		switch info, fence := strings.CutPrefix(line, "```"); {
		case fence && !inside:
			all = append(all, block{info: info, line: i + 2})
			inside = true
		case fence:
			inside = false
		case inside:
			all[len(all)-1].lines = append(all[len(all)-1].lines, line)
		}
	}
	return all
}

// command is one command of a console block and what it should print.
type command struct {
	text, output string
	line         int
}

func commands(b block) []command {
	var all []command
	for i, line := range b.lines {
		if text, ok := strings.CutPrefix(line, "$ "); ok {
			all = append(all, command{text: text, line: b.line + i})
			continue
		}
		if len(all) == 0 {
			continue
		}
		last := &all[len(all)-1]
		if text, ok := strings.CutPrefix(line, "> "); ok {
			last.text += "\n" + text
		} else {
			last.output += line + "\n"
		}
	}
	return all
}

// TestCommands runs the console blocks of each page in one folder, in their
// order, and compares what they print but for times and sizes.
func TestCommands(t *testing.T) {
	varies := regexp.MustCompile(`[0-9.]+ (s|MB|kB)\b`)
	development := regexp.MustCompile(`(?m)^warning: this kinectl is no release.*\n`) // the pages show a release's
	for file, page := range pages(t) {
		t.Run(file, func(t *testing.T) {
			dir := t.TempDir()
			for _, b := range blocks(page) {
				if b.info != "console" {
					continue
				}
				for _, c := range commands(b) {
					got := shell(t, dir, c.text)
					f := func(s string) string { return varies.ReplaceAllString(development.ReplaceAllString(s, ""), "N $1") }
					if c.output != "" && f(got) != f(c.output) {
						t.Errorf("%s:%d: %s\n got:\n%s want:\n%s", file, c.line, c.text, got, c.output)
					}
				}
			}
		})
	}
}

// shell runs a command as a user would, with a home folder of its own.
func shell(t *testing.T, dir, text string) string {
	t.Helper()
	caches, err := exec.Command("go", "env", "GOCACHE", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	library, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	gocache, modules, _ := strings.Cut(strings.TrimSpace(string(caches)), "\n")
	cmd := exec.Command("sh", "-c", text)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+program+":"+os.Getenv("PATH"), "HOME="+dir, "XDG_CONFIG_HOME=", "XDG_STATE_HOME=", "XDG_CACHE_HOME=",
		"GOCACHE="+gocache, "GOMODCACHE="+modules, "KINECTL_LIBRARY="+library, "GOTOOLCHAIN=local", "GOFLAGS=", "GOPROXY=off")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v\n%s", text, err, out)
	}
	return string(out)
}

// TestFlags wants every verb and flag of every kinectl command that stands in
// a block, also of those that are not run.
func TestFlags(t *testing.T) {
	call := regexp.MustCompile(`^ *(?:\$ )?(?:sudo )?kinectl ([a-z].*)`)
	end := regexp.MustCompile(` -- |[;|&>]`) // of what is kinectl's in a line
	flag := regexp.MustCompile(`^(--[a-z-]+|-[a-zA-Z])(=|$)`)
	help := map[string]string{}
	checked := 0
	for file, page := range pages(t) {
		for i, line := range strings.Split(page, "\n") {
			m := call.FindStringSubmatch(line)
			if m == nil || !strings.HasPrefix(line, "$ ") && !strings.HasPrefix(line, "    ") {
				continue
			}
			words := strings.Fields(end.Split(m[1], 2)[0])
			verb := words[0]
			if (verb == "repo" || verb == "lab" || verb == "vault") && len(words) > 1 {
				verb += " " + words[1]
			}
			if help[verb] == "" {
				out, err := exec.Command(filepath.Join(program, "kinectl"), append(strings.Fields(verb), "--help")...).CombinedOutput()
				if err != nil || !strings.Contains(string(out), "kinectl "+verb) {
					t.Errorf("%s:%d: there is no verb %q", file, i+1, verb)
				}
				help[verb] = string(out)
			}
			checked++
			for _, w := range words {
				if f := flag.FindStringSubmatch(w); f != nil && !regexp.MustCompile(`(?m)^ +(-., )?`+f[1]+`[, ]`).MatchString(help[verb]) {
					t.Errorf("%s:%d: kinectl %s has no flag %s", file, i+1, verb, f[1])
				}
			}
		}
	}
	if checked < 10 {
		t.Errorf("checked %d commands only", checked)
	}
}

// TestSpecExamples lints the examples of spec.md and of the README.
func TestSpecExamples(t *testing.T) {
	checked := 0
	for _, file := range []string{"spec.md", "../README.md"} {
		for _, b := range blocks(pages(t)[file]) {
			if b.info != "yaml" {
				continue
			}
			src := strings.Join(b.lines, "\n") + "\n"
			if !strings.HasPrefix(src, "service:") {
				src = "service:\n  name: my-api\n  group: applications\n  description: An example\n  " + strings.Join(b.lines, "\n  ") + "\n"
			}
			_, findings := spec.Check(fmt.Sprintf("%s:%d", file, b.line), []byte(src))
			for _, f := range findings {
				if f.Rule != "no-memory-limit" && f.Severity != diag.Note {
					t.Errorf("%s:%d: %s: %s", file, b.line, f.Message, f.Excerpt)
				}
			}
			checked++
		}
	}
	if checked < 8 {
		t.Errorf("checked %d examples only", checked)
	}
}

// TestLinks wants the file, and the headline, that every relative link names.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	all := pages(t)
	for file, page := range all {
		for _, m := range link.FindAllStringSubmatch(page, -1) {
			target, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			to := filepath.Join(filepath.Dir(file), target)
			if target == "" {
				to = file
			}
			if _, err := os.Stat(to); err != nil {
				t.Errorf("%s: the link %s leads nowhere", file, m[1])
			} else if anchor != "" && !slices.Contains(anchors(all[to]), anchor) {
				t.Errorf("%s: %s has no headline #%s", file, to, anchor)
			}
		}
	}
}

// anchors are the names that GitHub gives to the headlines of a page.
func anchors(page string) []string {
	var all []string
	for line := range strings.Lines(page) {
		if title := strings.TrimLeft(line, "#"); title != line {
			title = regexp.MustCompile(`[^a-z0-9 _-]`).ReplaceAllString(strings.ToLower(strings.TrimSpace(title)), "")
			all = append(all, strings.ReplaceAll(title, " ", "-"))
		}
	}
	return all
}
