package scaffold

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/kinectl/kinectl/internal/artifact"
	"github.com/kinectl/kinectl/internal/version"
)

// The library that a service stands on, and what that needs of our own.
const (
	libraryModule = "github.com/kinectl/kinectl/service"
	vaultModule   = "github.com/kinectl/kinectl/vault"
)

// Library says where go.mod gets the library from. The zero value is a version
// that nobody can get: the files are to be mended by hand.
type Library struct {
	version string // of a release, like v1.2.3
	dir     string // of a checkout of kinectl
	sums    []byte // its go.sum
}

// Release is the library of a release of kinectl, which has the same version.
// What is no release has false: a development build, or one between two releases.
func Release(kinectl string) (Library, bool) {
	v, err := version.Parse(kinectl)
	if err != nil || strings.Contains(v.Deb, "+") { // commits after a tag, or changes
		return Library{}, false
	}
	return Library{version: "v" + v.Label}, true
}

// Checkout is the library in a checkout of kinectl.
func Checkout(dir string) (Library, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return Library{}, err
	}
	for _, module := range []string{libraryModule, vaultModule} {
		file := filepath.Join(dir, filepath.Base(module), "go.mod")
		text, err := os.ReadFile(file)
		if err != nil {
			return Library{}, fmt.Errorf("take the library from %s: %w", dir, err)
		}
		if !bytes.HasPrefix(text, []byte("module "+module+"\n")) {
			return Library{}, fmt.Errorf("take the library from %s: %s is not of %s", dir, file, module)
		}
	}
	sums, err := os.ReadFile(filepath.Join(dir, filepath.Base(libraryModule), "go.sum"))
	if err != nil {
		return Library{}, fmt.Errorf("take the library from %s: %w", dir, err)
	}
	return Library{dir: dir, sums: sums}, nil
}

// Replace is the command that lets the go.mod of a service take the library from
// a checkout of kinectl.
func Replace(checkout string) string {
	words := "go mod edit"
	for _, module := range []string{libraryModule, vaultModule} {
		words += fmt.Sprintf(" -replace %s=%s", module, filepath.Join(checkout, filepath.Base(module)))
	}
	return words
}

// Somewhere tells whether there is a place to get the library from.
func (l Library) Somewhere() bool { return l.version != "" || l.dir != "" }

// Checkout is the folder that the library is in, on this machine alone; "" for that of
// a release.
func (l Library) Checkout() string { return l.dir }

// files are go.mod, and with a checkout go.sum: the library has been built
// there, so its sums are good, and nobody has to be asked for them again.
func (l Library) files(name string) []artifact.File {
	required := cmp.Or(l.version, "v0.0.0")
	var b bytes.Buffer
	// The vault too: the library's own go.mod says v0.0.0 of it, and has a
	// replacement that holds in kinectl's repository only.
	fmt.Fprintf(&b, "module %s\n\ngo 1.26\n\nrequire (\n\t%s %s\n\t%s %[3]s // indirect\n)\n", name, libraryModule, required, vaultModule)
	if l.dir == "" {
		return []artifact.File{{Path: "go.mod", Mode: 0o644, Body: b.Bytes()}}
	}
	b.WriteString("\n// A checkout of kinectl, in place of a release.\nreplace (\n")
	for _, module := range []string{libraryModule, vaultModule} {
		fmt.Fprintf(&b, "\t%s => %s\n", module, quoted(filepath.Join(l.dir, filepath.Base(module))))
	}
	b.WriteString(")\n")
	return []artifact.File{{Path: "go.mod", Mode: 0o644, Body: b.Bytes()}, {Path: "go.sum", Mode: 0o644, Body: l.sums}}
}

// quoted is a path as go.mod has it (go.dev/ref/mod, lexical elements): in
// quotes when something in it would end a word.
func quoted(path string) string {
	if strings.ContainsAny(path, " \t\"'`()[]{},") || strings.Contains(path, "//") {
		return strconv.Quote(path)
	}
	return path
}
