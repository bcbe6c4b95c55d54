package house

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	root   = "../.."
	module = "github.com/kinectl/kinectl/"
)

// file is one Go file that is no test.
type file struct {
	path string // from the root, with forward slashes
	dir  string
	src  string
	tree *ast.File
	set  *token.FileSet
}

func parse(p, src string) (file, error) {
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, p, src, parser.ParseComments)
	return file{p, path.Dir(p), src, tree, set}, err
}

// sources reads every Go file of the repository that is no test.
func sources(t *testing.T) []file {
	t.Helper()
	var all []file
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && p != root && (name == "testdata" || strings.HasPrefix(name, ".")) {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		src, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		f, err := parse(filepath.ToSlash(rel), string(src))
		all = append(all, f)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// imports returns the paths of what f imports.
func (f file) imports() []string {
	var all []string
	for _, i := range f.tree.Imports {
		name, _ := strconv.Unquote(i.Path.Value)
		all = append(all, name)
	}
	return all
}

// selected returns the place of every "package.Name" in f that is one of names.
func (f file) selected(names ...string) []string {
	var all []string
	ast.Inspect(f.tree, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if pkg, ok := s.X.(*ast.Ident); ok && slices.Contains(names, pkg.Name+"."+s.Sel.Name) {
				all = append(all, fmt.Sprintf("line %d: %s.%s", f.set.Position(n.Pos()).Line, pkg.Name, s.Sel.Name))
			}
		}
		return true
	})
	return all
}

// TestRules holds every file against every rule of rules_test.go.
func TestRules(t *testing.T) {
	files := sources(t)
	for _, name := range []string{"cmd/kinectl/main.go", "internal/spec/parse.go", "internal/render/unit/unit.go", "services/hello/main.go"} {
		if !slices.ContainsFunc(files, func(f file) bool { return f.path == name }) {
			t.Fatalf("%s was not read: the rules would hold for too little", name)
		}
	}
	for _, r := range rules() {
		t.Run(r.name, func(t *testing.T) {
			for _, f := range files {
				for _, fault := range r.faults(f) {
					t.Errorf("%s: %s", f.path, fault)
				}
			}
		})
	}
	for _, dir := range undocumented(files) {
		t.Errorf("%s has no package comment: say what it is for and where to start", dir)
	}
}

// TestRulesBite gives each rule a file that breaks it, and one that does not.
func TestRulesBite(t *testing.T) {
	const good = "// Package spec reads.\npackage spec\n\nimport (\n\t_ \"embed\"\n\t\"io/fs\"\n\t\"time\"\n)\n\nfunc f(m fs.FileMode, t time.Time) {}\n"
	for _, r := range rules() {
		f := func(p, src string, broken bool) {
			t.Helper()
			read, err := parse(p, src)
			if err != nil {
				t.Fatal(err)
			}
			if got := r.faults(read); len(got) > 0 != broken {
				t.Errorf("rule %q on %s finds %q", r.name, p, got)
			}
		}
		f("internal/spec/parse.go", good, false)
		for p, src := range r.broken {
			f(p, src, true)
		}
		for p, src := range r.allowed {
			f(p, src, false)
		}
	}
	with, _ := parse("a/x.go", good)
	without, _ := parse("b/x.go", "package b\n")
	if got := undocumented([]file{with, without}); !slices.Equal(got, []string{"b"}) {
		t.Errorf("without a package comment: %q", got)
	}
}
