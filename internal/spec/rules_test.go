package spec

import (
	"go/ast"
	goparser "go/parser"
	gotoken "go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// literals walks every Go file of the module that is no test, and hands over
// each string literal, and whether it stands where a finding gets its rule:
// the first argument of fault, finding and the like, or the field Rule.
func literals(t *testing.T, see func(file, text string, isRule bool)) {
	t.Helper()
	text := func(e ast.Expr) (string, bool) {
		lit, ok := e.(*ast.BasicLit)
		if !ok || lit.Kind != gotoken.STRING {
			return "", false
		}
		s, err := strconv.Unquote(lit.Value)
		return s, err == nil
	}
	err := filepath.WalkDir("..", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") || strings.HasSuffix(file, "spec/rules.go") {
			return err
		}
		tree, err := goparser.ParseFile(gotoken.NewFileSet(), file, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				name := ""
				switch f := n.Fun.(type) {
				case *ast.SelectorExpr:
					name = f.Sel.Name
				case *ast.Ident:
					name = f.Name
				}
				if len(n.Args) > 0 && (name == "fault" || name == "finding" || name == "warn" || name == "warning") {
					if s, ok := text(n.Args[0]); ok {
						see(file, s, true)
					}
				}
			case *ast.KeyValueExpr:
				if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Rule" {
					if s, ok := text(n.Value); ok {
						see(file, s, true)
					}
				}
			case *ast.BasicLit:
				if s, ok := text(n); ok {
					see(file, s, false)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestRegistry wants every rule that the code uses in the list, and every one
// of the list in the code.
func TestRegistry(t *testing.T) {
	name := regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)
	used, calls := map[string]bool{}, 0
	literals(t, func(file, text string, isRule bool) {
		used[text] = true
		if !isRule || !name.MatchString(text) {
			return
		}
		calls++
		if _, ok := rule(text); !ok {
			t.Errorf("%s uses the rule %q, which rules.go does not list", file, text)
		}
	})
	if calls < 80 {
		t.Fatalf("found %d calls only: the test does not see them", calls)
	}
	for _, r := range Rules() {
		if !used[r.Name] {
			t.Errorf("nothing uses the rule %s", r.Name)
		}
	}
	if _, ok := rule("no-such-rule"); ok {
		t.Error("the list has everything")
	}
}
