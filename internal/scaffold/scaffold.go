// Package scaffold makes the files of a new service from one of its templates,
// which are programs in the folder templates. Start at [Service].
package scaffold

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/kinectl/kinectl/internal/artifact"
)

// The templates are compiled, vetted and tested with kinectl itself. What a
// build leaves in them is not embedded.
//
//go:embed templates/*/*.go templates/*/*.tmpl templates/grpc/greeting templates/site/public templates/site/assets/.gitkeep
var templates embed.FS

// What a template says in the place of the new service's name and of the path
// of its module, which is its name.
const (
	placeholder = "my-service"
	modulePath  = "github.com/kinectl/kinectl/internal/scaffold/templates/"
)

// Template is a kind of service.
type Template struct{ Name, Help string }

// Templates are all there are, the usual one first.
func Templates() []Template {
	return []Template{
		{"http", "an API, or anything else that answers over HTTP"},
		{"site", "pages that are in the program, compressed and with hashed names"},
		{"grpc", "a gRPC server, with a proto file to begin with"},
		{"worker", "work in rounds, without a port of its own"},
		{"job", "a task that a timer starts"},
	}
}

// Service returns the files of a service of that name, with paths relative to
// its folder. They lint, build and package as they stand, once `go mod tidy` has been run.
func Service(name, template string, library Library) ([]artifact.File, error) {
	if !slices.ContainsFunc(Templates(), func(t Template) bool { return t.Name == template }) {
		return nil, fmt.Errorf("there is no template %q", template)
	}
	root := path.Join("templates", template)
	var files []artifact.File
	err := fs.WalkDir(templates, root, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := templates.ReadFile(file)
		if err != nil {
			return err
		}
		// What means something to git or kinectl where it lies has another name here.
		target := strings.TrimSuffix(strings.TrimPrefix(file, root+"/"), ".tmpl")
		if target == "gitignore" {
			target = ".gitignore"
		}
		files = append(files, artifact.File{Path: target, Mode: 0o644, Body: []byte(renamed(string(body), name, template))})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("make the files of %s: %w", name, err)
	}
	files = append(files, library.files(name)...)
	slices.SortFunc(files, func(a, b artifact.File) int { return strings.Compare(a.Path, b.Path) })
	return files, nil
}

// renamed makes a text of a template one of the service name.
func renamed(text, name, template string) string {
	return strings.NewReplacer(modulePath+template, name, placeholder, name).Replace(text)
}

// Name makes the name of a service from that of a folder; it is "" when
// nothing usable is left.
func Name(folder string) string {
	name := regexp.MustCompile(`[^a-z0-9]+`).ReplaceAllString(strings.ToLower(folder), "-")
	name = strings.TrimLeft(name, "-0123456789")
	name = strings.Trim(name[:min(len(name), 31)], "-")
	if len(name) < 2 {
		return ""
	}
	return name
}
