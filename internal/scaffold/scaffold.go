// Package scaffold makes the files of a new service. Start at [Service].
package scaffold

import (
	"bytes"
	"embed"
	"fmt"
	"regexp"
	"strings"
	"text/template"

	"github.com/kinectl/kinectl/internal/artifact"
	"github.com/kinectl/kinectl/services"
)

//go:embed *.tmpl
var templates embed.FS

// Service returns the files of a service of that name, with paths relative to
// its folder. They lint, build and package as they stand. The Go source is
// that of the example service, without the lines that it marks as its own.
func Service(name string) ([]artifact.File, error) {
	var files []artifact.File
	add := func(path string, body []byte) {
		files = append(files, artifact.File{Path: path, Mode: 0o644, Body: body})
	}
	for _, path := range []string{"main.go", "metrics.go"} {
		body, err := services.Hello.ReadFile("hello/" + path)
		if err != nil {
			return nil, fmt.Errorf("make the files of %s: %w", name, err)
		}
		add(path, source(body, name))
	}
	for _, path := range []string{"README.md", "go.mod", "spec.yml"} {
		t, err := template.ParseFS(templates, path+".tmpl")
		if err != nil {
			return nil, fmt.Errorf("make the files of %s: %w", name, err)
		}
		var b bytes.Buffer
		if err := t.Execute(&b, name); err != nil {
			return nil, fmt.Errorf("make the files of %s: %w", name, err)
		}
		add(path, b.Bytes())
	}
	return files, nil
}

// source makes a file of the example service one of the service name.
func source(body []byte, name string) []byte {
	var b bytes.Buffer
	for line := range strings.Lines(string(body)) {
		if strings.HasSuffix(line, "// hello only\n") {
			continue
		}
		line = strings.Replace(line, `= "hello"`, fmt.Sprintf("= %q", name), 1)
		b.WriteString(strings.Replace(line, "// Command hello is", "// Command "+name+" is", 1))
	}
	return b.Bytes()
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
