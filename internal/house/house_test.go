package house

import (
	"bytes"
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
	// longest is the number of lines after which a file is two.
	longest = 300
)

// file is one Go file of the repository that is no test.
type file struct {
	path string // from the root, with forward slashes
	dir  string
	ast  *ast.File
	set  *token.FileSet
	src  []byte
}

func sources(t *testing.T) []file {
	t.Helper()
	var all []file
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && (name == "testdata" || len(name) > 2 && name[0] == '.') {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		src, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		set := token.NewFileSet()
		tree, err := parser.ParseFile(set, p, src, parser.ParseComments)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		all = append(all, file{rel, path.Dir(rel), tree, set, src})
		return nil
	})
	if err != nil || len(all) < 10 {
		t.Fatalf("read %d files: %v", len(all), err)
	}
	return all
}

func (f file) imports() []string {
	var all []string
	for _, i := range f.ast.Imports {
		name, _ := strconv.Unquote(i.Path.Value)
		all = append(all, name)
	}
	return all
}

// pure are the packages whose functions see nothing but their arguments. That
// is what lets them be tested without a host and makes a render repeatable.
var pure = []string{
	"internal/artifact", "internal/diag", "internal/plan", "internal/render", "internal/spec", "internal/version",
}

// TestPurePackages keeps the world out of them, also by way of our own
// packages. io/fs is allowed: it has the type of a file's mode.
func TestPurePackages(t *testing.T) {
	reasons := map[string]string{
		"os": "reads files and the environment", "os/exec": "runs programs", "os/user": "asks the host", "os/signal": "asks the host",
		"net": "speaks to the network", "net/http": "speaks to the network", "log": "prints", "log/slog": "prints",
		"path/filepath": "depends on the system it runs on: use path", "io/ioutil": "reads files", "syscall": "asks the kernel",
		"math/rand": "gives other bytes each time", "math/rand/v2": "gives other bytes each time", "crypto/rand": "gives other bytes each time",
	}
	for _, f := range sources(t) {
		if !slices.ContainsFunc(pure, func(p string) bool { return f.dir == p || strings.HasPrefix(f.dir, p+"/") }) {
			continue
		}
		for _, name := range f.imports() {
			if why := reasons[name]; why != "" {
				t.Errorf("%s imports %s, which %s", f.path, name, why)
			}
			ours, own := strings.CutPrefix(name, module)
			if own && !slices.ContainsFunc(pure, func(p string) bool { return ours == p || strings.HasPrefix(ours, p+"/") }) {
				t.Errorf("%s imports %s, which is not pure", f.path, ours)
			}
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			call, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			pkg, ok := call.X.(*ast.Ident)
			if ok && pkg.Name == "time" && slices.Contains([]string{"Now", "Since", "Until", "Sleep", "After", "Tick"}, call.Sel.Name) {
				t.Errorf("%s asks the clock: time.%s", f.set.Position(call.Pos()), call.Sel.Name)
			}
			return true
		})
	}
}

// TestOnlyCLIPrints leaves standard output, and the end of the process, to the
// command line and to programs of their own.
func TestOnlyCLIPrints(t *testing.T) {
	for _, f := range sources(t) {
		if f.dir == "internal/cli" || f.ast.Name.Name == "main" {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			s, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			pkg, _ := s.X.(*ast.Ident)
			if pkg == nil {
				return true
			}
			switch what := pkg.Name + "." + s.Sel.Name; what {
			case "fmt.Print", "fmt.Printf", "fmt.Println", "os.Exit", "os.Stdout":
				t.Errorf("%s uses %s: return a value and let internal/cli speak", f.set.Position(s.Pos()), what)
			}
			return true
		})
	}
}

// TestPackageComments wants each package to say what it is for.
func TestPackageComments(t *testing.T) {
	documented := map[string]bool{}
	for _, f := range sources(t) {
		documented[f.dir] = documented[f.dir] || f.ast.Doc != nil
	}
	for dir, ok := range documented {
		if !ok {
			t.Errorf("%s has no package comment", dir)
		}
	}
}

// TestPackageNames wants nouns that say what is inside.
func TestPackageNames(t *testing.T) {
	for _, f := range sources(t) {
		for _, word := range []string{"util", "utils", "common", "helper", "helpers", "manager", "misc", "lib"} {
			if f.ast.Name.Name == word || path.Base(f.path) == word+".go" {
				t.Errorf("%s is named %s: name it after what it holds", f.path, word)
			}
		}
	}
}

// TestFileLength wants files that are read from top to bottom.
func TestFileLength(t *testing.T) {
	for _, f := range sources(t) {
		if n := bytes.Count(f.src, []byte("\n")); n > longest {
			t.Errorf("%s has %d lines, more than %d", f.path, n, longest)
		}
	}
}

// TestNoInit wants nothing to happen before main.
func TestNoInit(t *testing.T) {
	for _, f := range sources(t) {
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s: func init()", f.set.Position(fn.Pos()))
			}
		}
	}
}

// TestErrorsStartWithTheAction keeps the words out that say nothing.
func TestErrorsStartWithTheAction(t *testing.T) {
	for _, f := range sources(t) {
		for i, line := range bytes.Split(f.src, []byte("\n")) {
			if bytes.Contains(line, []byte("Errorf(\"failed to")) || bytes.Contains(line, []byte("New(\"failed to")) {
				t.Errorf("%s:%d: start with the action, not with \"failed to\"", f.path, i+1)
			}
		}
	}
}
