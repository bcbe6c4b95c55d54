package house

import (
	"fmt"
	"go/ast"
	"path"
	"regexp"
	"slices"
	"strings"
)

// rule is one rule of the house about one file. broken and allowed are files,
// by their path, that prove it.
type rule struct {
	name            string
	faults          func(file) []string
	broken, allowed map[string]string
}

func rules() []rule {
	return []rule{
		{
			"pure packages see only their arguments", impure,
			map[string]string{
				"internal/spec/parse.go":           "package spec\nimport \"os\"\n",
				"internal/render/unit/unit.go":     "package unit\nimport \"net/http\"\n",
				"internal/plan/build.go":           "package plan\nimport \"time\"\nvar t = time.Now()\n",
				"internal/version/version.go":      "package version\nimport \"github.com/kinectl/kinectl/internal/repo\"\n",
				"internal/diag/write.go":           "package diag\nimport \"log/slog\"\n",
				"internal/artifact/artifact.go":    "package artifact\nimport \"os/exec\"\n",
				"internal/render/monitor/files.go": "package monitor\nimport \"net\"\n",
			},
			map[string]string{
				"internal/repo/repo.go":   "package repo\nimport \"os\"\n",
				"internal/plan/build.go":  "package plan\nimport \"github.com/kinectl/kinectl/internal/spec\"\n",
				"internal/specs/specs.go": "package specs\nimport \"net\"\n",
			},
		},
		{
			"only the command line prints and ends the process", prints,
			map[string]string{
				"internal/lab/up.go":       "package lab\nimport \"fmt\"\nfunc f() { fmt.Println() }\n",
				"internal/repo/repo.go":    "package repo\nimport \"os\"\nvar w = os.Stderr\n",
				"internal/facts/facts.go":  "package facts\nimport \"log\"\nvar l = log.Default()\n",
				"internal/facts/binary.go": "package facts\nfunc f() { println(1) }\n",
				"internal/release/run.go":  "package release\nimport \"os\"\nfunc f() { os.Exit(1) }\n",
			},
			map[string]string{
				"internal/cli/cli.go":    "package cli\nimport \"os\"\nvar w = os.Stdout\n",
				"cmd/kinectl/main.go":    "package main\nimport \"os\"\nfunc main() { os.Exit(1) }\n",
				"services/hello/main.go": "package main\nimport \"log\"\nvar l = log.Default()\n",
			},
		},
		{
			"nothing happens before main", initialises,
			map[string]string{"internal/lab/up.go": "package lab\nfunc init() {}\n"},
			map[string]string{"internal/cli/init.go": "package cli\ntype app struct{}\nfunc (app) init() {}\n"},
		},
		{
			"a file is read from top to bottom", tooLong,
			map[string]string{
				"internal/lab/up.go":  "package lab\n" + strings.Repeat("//\n", 300),
				"cmd/kinectl/main.go": "package main\n" + strings.Repeat("//\n", 40),
			},
			map[string]string{
				"internal/lab/up.go":     "package lab\n" + strings.Repeat("//\n", 299),
				"services/hello/main.go": "package main\n" + strings.Repeat("//\n", 99),
			},
		},
		{
			"a name says what is inside", vague,
			map[string]string{
				"internal/util/x.go":     "package util\n",
				"internal/lab/helper.go": "package lab\n",
				"internal/lab/common.go": "package lab\n",
			},
			map[string]string{"internal/house/house.go": "package house\n"},
		},
		{
			"an error starts with the action", failedTo,
			map[string]string{
				"internal/lab/up.go":   "package lab\nimport \"fmt\"\nvar err = fmt.Errorf(\"failed to %d\", 1)\n",
				"internal/lab/down.go": "package lab\nimport \"errors\"\nvar err = errors.New(\"Unable to stop\")\n",
			},
			map[string]string{"internal/lab/up.go": "package lab\nimport \"fmt\"\nvar err = fmt.Errorf(\"start %d: %w\", 1, nil)\n"},
		},
		{
			"no machine of a developer is meant", homes,
			map[string]string{
				"internal/lab/up.go":   "package lab\nconst dir = \"/home/ann/kinectl\"\n",
				"internal/lab/down.go": "package lab\n// See /Users/ann/notes.\n",
			},
			map[string]string{"internal/lab/up.go": "package lab\nconst dir = \"/home\"\n"},
		},
	}
}

// pure are the packages, with those below them, whose functions see nothing but
// their arguments. That lets them be tested without a host and makes what is
// rendered the same bytes each time.
func pure(dir string) bool {
	return slices.ContainsFunc([]string{"artifact", "calendar", "diag", "infrafile", "lazyregexp", "plan", "policy", "render", "resources", "spec", "version"}, func(name string) bool {
		return dir == "internal/"+name || strings.HasPrefix(dir, "internal/"+name+"/")
	})
}

// impure finds the ways out of a pure package, also by way of our own. io/fs
// and embed are allowed: the mode of a file, and what was there at build time.
func impure(f file) []string {
	if !pure(f.dir) {
		return nil
	}
	const files, network, prints, bytes = "reads files and the environment", "speaks to the network", "prints", "gives other bytes each time"
	reasons := map[string]string{
		"os": files, "io/ioutil": files, "os/user": files, "os/signal": "asks the host", "os/exec": "runs programs", "syscall": "asks the kernel",
		"runtime": "depends on the machine it runs on", "path/filepath": "depends on the system it runs on: use path",
		"net": network, "net/http": network, "log": prints, "log/slog": prints,
		"math/rand": bytes, "math/rand/v2": bytes, "crypto/rand": bytes,
	}
	var faults []string
	for _, name := range f.imports() {
		if why := reasons[name]; why != "" {
			faults = append(faults, fmt.Sprintf("imports %s, which %s", name, why))
		}
		if ours, own := strings.CutPrefix(name, module); own && !pure(ours) {
			faults = append(faults, "imports "+ours+", which is not pure")
		}
	}
	clock := f.selected("time.Now", "time.Since", "time.Until", "time.Sleep", "time.After", "time.Tick", "time.Local")
	return append(faults, clock...)
}

// prints leaves standard output, and the end of the process, to the command
// line and to programs of their own.
func prints(f file) []string {
	if f.dir == "internal/cli" || strings.HasPrefix(f.dir, "cmd/") || strings.HasPrefix(f.dir, "services/") {
		return nil
	}
	faults := f.selected("fmt.Print", "fmt.Printf", "fmt.Println", "os.Stdout", "os.Stderr", "os.Exit")
	for _, name := range f.imports() {
		if name == "log" || name == "log/slog" {
			faults = append(faults, "imports "+name)
		}
	}
	ast.Inspect(f.tree, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			if fn, ok := call.Fun.(*ast.Ident); ok && (fn.Name == "println" || fn.Name == "print") {
				faults = append(faults, "calls "+fn.Name)
			}
		}
		return true
	})
	return faults
}

func initialises(f file) []string {
	for _, d := range f.tree.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
			return []string{"has func init()"}
		}
	}
	return nil
}

// tooLong counts lines: 300 for a file, 40 for the main of a command, which
// only reads signals and calls internal/cli.
func tooLong(f file) []string {
	most := 300
	if strings.HasPrefix(f.dir, "cmd/") {
		most = 40
	}
	if n := strings.Count(f.src, "\n"); n > most {
		return []string{fmt.Sprintf("has %d lines, more than %d", n, most)}
	}
	return nil
}

func vague(f file) []string {
	var faults []string
	for _, word := range []string{"util", "utils", "common", "helper", "helpers", "manager", "misc", "lib"} {
		if f.tree.Name.Name == word || path.Base(f.path) == word+".go" {
			faults = append(faults, "is named "+word+": name it after what it holds")
		}
	}
	return faults
}

func failedTo(f file) []string {
	return regexp.MustCompile(`(?i)(Errorf|errors\.New)\("(failed to|unable to|could not|cannot) .*`).FindAllString(f.src, -1)
}

func homes(f file) []string {
	return regexp.MustCompile(`/(home|Users)/[A-Za-z0-9]+`).FindAllString(f.src, -1)
}

// undocumented returns the folders without a package comment.
func undocumented(files []file) []string {
	documented := map[string]bool{}
	for _, f := range files {
		documented[f.dir] = documented[f.dir] || f.tree.Doc != nil
	}
	var dirs []string
	for dir, ok := range documented {
		if !ok {
			dirs = append(dirs, dir)
		}
	}
	slices.Sort(dirs)
	return dirs
}
