package build

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/kinectl/kinectl/internal/diag"
	"github.com/kinectl/kinectl/internal/plan"
)

// Files returns the path of each file or folder that the package carries
// besides its program, in the order of the plan. dir is the spec's folder;
// nothing outside of it can get into a package, neither by "..", nor by a link,
// nor by a link in one of the folders.
//
// The findings are all that is wrong, each with the path of its key
// ("service.files[2].src") and without a place in the spec.
func Files(dir string, of []plan.File) (sources []string, findings diag.Findings) {
	for i, f := range of {
		path, message, hint := source(dir, f.Source)
		if message != "" {
			findings = append(findings, diag.Finding{
				Rule: "bad-source", Severity: diag.Error, Path: fmt.Sprintf("service.files[%d].src", i),
				Message: message, Hint: hint,
			})
		}
		sources = append(sources, path)
	}
	return sources, findings
}

// source returns the real path of one file or folder, or what is wrong with it.
func source(dir, name string) (path, message, hint string) {
	const copied = "copy what it means into the spec's folder"
	broken := func(at string, err error) (string, string) {
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Sprintf("there is no %s beside the spec", at), "make it before the package, or mend the path"
		}
		return fmt.Sprintf("%s cannot be read: %v", at, err), "mend the path, or who may read it"
	}
	root, err := filepath.EvalSymlinks(dir)
	if err == nil {
		path, err = filepath.EvalSymlinks(filepath.Join(root, filepath.FromSlash(name)))
	}
	if err != nil {
		message, hint = broken(name, err)
		return path, message, hint
	}
	if !within(root, path) {
		return path, name + " leads out of the spec's folder", copied
	}
	_ = filepath.WalkDir(path, func(at string, d fs.DirEntry, err error) error {
		shown := name + filepath.ToSlash(strings.TrimPrefix(at, path))
		switch {
		case err != nil:
			message, hint = broken(shown, err)
		case d.Type()&fs.ModeSymlink != 0 && !stays(path, at):
			message, hint = shown+" is a link out of its folder", copied
		case !d.IsDir() && !d.Type().IsRegular() && d.Type()&fs.ModeSymlink == 0:
			message, hint = shown+" is neither a file nor a folder", "take it away"
		default:
			return nil
		}
		return fs.SkipAll
	})
	return path, message, hint
}

// stays reports whether the link means something in the folder root, so that
// it will on a host too.
func stays(root, link string) bool {
	target, err := os.Readlink(link)
	return err == nil && !filepath.IsAbs(target) && within(root, filepath.Join(filepath.Dir(link), target))
}

// within reports whether path is root or below it.
func within(root, path string) bool {
	rel, err := filepath.Rel(root, path)
	return err == nil && filepath.IsLocal(rel)
}
