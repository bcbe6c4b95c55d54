package spec

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestGenerated holds what is made from the schema to the files in docs/.
func TestGenerated(t *testing.T) {
	f := func(file string, want []byte) {
		t.Helper()
		if *update {
			if err := os.WriteFile(file, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(file)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what the code says (%v): run make golden", file, err)
		}
	}
	f("../../docs/spec.md", Reference())
	f("../../docs/spec.schema.json", JSONSchema())
}

// TestReferenceIsWhole wants each key to stand in a table, and the section
// that the overview links to to be there.
func TestReferenceIsWhole(t *testing.T) {
	top := schema(&Spec{})[0].value.(object)
	var walk func(path string, o object)
	walk = func(path string, o object) {
		if !strings.HasSuffix(path, ".limits") { // a timer has those of the service
			if want := "<!-- keys " + path + " -->"; path != "" && !strings.Contains(referenceTemplate, want) {
				t.Errorf("reference.md has no line %s", want)
			}
		}
		for _, k := range o {
			if inner := k.inner(); inner != nil {
				walk(strings.TrimPrefix(path+"."+k.name, "."), inner)
			} else if path == "" && !strings.Contains(string(Reference()), "[`"+k.name+"`](#") {
				t.Errorf("the overview has no %s", k.name)
			}
		}
	}
	walk("", top)
	for _, m := range regexp.MustCompile("`\\]\\(#([a-z_-]+)\\)").FindAllStringSubmatch(string(Reference()), -1) {
		if title := strings.ReplaceAll(m[1], "-", " "); !regexp.MustCompile(`(?im)^##+ ` + title + `$`).MatchString(referenceTemplate) {
			t.Errorf("there is no section %q", title)
		}
	}
}
