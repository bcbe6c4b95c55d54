// Package assets prepares the files of a website for being served: files that
// pages refer to get names with a hash of their content, so that browsers may keep
// them for ever, and compressed forms are laid beside what shrinks. Start at
// [Build].
//
// A file is renamed only where every mention of it is understood, and can be
// rewritten: references.go has what a scanner of HTML, CSS or JavaScript reports,
// pinned.go what keeps its name.
package assets

import (
	"context"
	"fmt"
	"path"
	"strings"

	"github.com/kinectl/kinectl/internal/diag"
)

// UsageError is an error of Build about what it was given: the folders, their
// files, the options. Nothing was touched.
type UsageError struct{ error }

func (e UsageError) Unwrap() error { return e.error }

// Options are wishes of the caller.
type Options struct {
	Keep []string // patterns of path.Match for paths that keep their names; * does not match a slash, and "dir/" stands for all below
}

// Result tells what was written.
type Result struct {
	Files    []File        // by path
	Findings diag.Findings // warnings: references to nothing, digests that do not fit
}

// File is one file of the site as it was written.
type File struct {
	Path       string         `json:"path"`   // in the folder written, with slashes
	Source     string         `json:"source"` // in the folder read
	Bytes      int            `json:"bytes"`
	Compressed map[string]int `json:"compressed,omitempty"` // bytes by ending: gz, zst, br
	Kept       string         `json:"kept,omitempty"`       // why a file that is referred to keeps its name

	body  []byte
	forms map[string][]byte // by ending, with its dot
}

// Build reads the folder src and replaces the folder dst by what it makes of it.
// The same files give the same bytes. A killed Build leaves dst as it was, or new. It fails when dst
// holds what Build has not written; .gitkeep, .gitignore and .gitattributes in it stay.
func Build(ctx context.Context, src, dst string, o Options) (Result, error) {
	fail := func(err error) (Result, error) { return Result{}, fmt.Errorf("prepare %s: %w", src, err) }
	wrong := func(err error) (Result, error) { return fail(UsageError{err}) }
	for _, pattern := range o.Keep {
		if _, err := path.Match(pattern, ""); err != nil {
			return wrong(fmt.Errorf("keep %s: %w", pattern, err))
		}
	}
	target, err := open(src, dst)
	if err != nil {
		return wrong(err)
	}
	tree, err := load(src)
	if err != nil {
		return wrong(err)
	}
	s := newSite(tree, o)
	s.scan()
	s.rename()
	files := s.files()
	if err := compress(ctx, files); err != nil {
		return fail(err)
	}
	if err := distinct(files); err != nil {
		return wrong(err)
	}
	if err := target.write(ctx, files, s.manifest()); err != nil {
		return fail(err)
	}
	for i := range s.findings {
		s.findings[i].File = path.Join(src, s.findings[i].File)
	}
	s.findings.Sort()
	return Result{files, s.findings}, nil
}

// distinct refuses files of the source whose names are those of the compressed forms
// of others, unless they hold the same: a server would send one for the other.
func distinct(files []File) error {
	byPath := map[string]File{}
	for _, f := range files {
		if other, ok := byPath[f.Path]; ok {
			return fmt.Errorf("%s and %s both become %s", other.Source, f.Source, f.Path)
		}
		byPath[f.Path] = f
	}
	for i, f := range files {
		for _, c := range formats() {
			other, ok := byPath[f.Path+c.ending]
			if !ok {
				continue
			}
			if !c.holds(other.body, f.body) {
				return fmt.Errorf("%s has the name of a compressed form of %s, and is none: a server would send one for the other", other.Source, f.Path)
			}
			files[i].setForm(c.ending, nil) // it is there already, and somebody may have its digest
		}
	}
	return nil
}

// setForm lays down a compressed form, or takes it away.
func (f *File) setForm(ending string, body []byte) {
	if body == nil {
		delete(f.forms, ending)
		delete(f.Compressed, strings.TrimPrefix(ending, "."))
		return
	}
	f.forms[ending] = body
	f.Compressed[strings.TrimPrefix(ending, ".")] = len(body)
}
