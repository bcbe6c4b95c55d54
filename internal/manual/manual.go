// Package manual writes kinectl's man pages and shell completions from its
// verbs, for its package. Start at [Write].
//
// kinectl itself does not carry it: only cmd/kinectl-man does.
package manual

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/kinectl/kinectl/internal/artifact"
	"github.com/kinectl/kinectl/internal/atomicfile"
)

// Files returns a page of section 1 for each verb, compressed as Debian wants
// it (Policy 12.1), below man/, and the completions of three shells, below
// completion/. The same tree, version and time give the same bytes.
func Files(root *cobra.Command, version string, date time.Time) ([]artifact.File, error) {
	var all []artifact.File
	add := func(path string, write func(io.Writer) error) error {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			return fmt.Errorf("write %s: %w", path, err)
		}
		all = append(all, artifact.File{Path: path, Body: b.Bytes(), Mode: 0o644})
		return nil
	}
	root.DisableAutoGenTag = true // it would say on which day the page was made
	for _, cmd := range verbs(root) {
		compressed := func(w io.Writer) error {
			z, err := gzip.NewWriterLevel(w, gzip.BestCompression)
			if err != nil {
				return err
			}
			header := doc.GenManHeader{Section: "1", Date: &date, Source: strings.TrimSpace(root.Name() + " " + version), Manual: "User Commands"}
			if err := doc.GenMan(cmd, &header, z); err != nil {
				return err
			}
			return z.Close()
		}
		if err := add("man/"+pageName(cmd)+".1.gz", compressed); err != nil {
			return nil, err
		}
	}
	name := root.Name()
	for _, shell := range []struct {
		path  string
		write func(io.Writer) error
	}{
		{"completion/" + name, func(w io.Writer) error { return root.GenBashCompletionV2(w, true) }},
		{"completion/_" + name, root.GenZshCompletion},
		{"completion/" + name + ".fish", func(w io.Writer) error { return root.GenFishCompletion(w, true) }},
	} {
		if err := add(shell.path, shell.write); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Write puts the files into dir, which is made if needed.
func Write(dir string, root *cobra.Command, version string, date time.Time) error {
	all, err := Files(root, version, date)
	if err != nil {
		return err
	}
	for _, f := range all {
		path := filepath.Join(dir, filepath.FromSlash(f.Path))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := atomicfile.Write(path, f.Body, f.Mode); err != nil {
			return err
		}
	}
	return nil
}

// verbs are the commands that people use, each before those below it.
func verbs(cmd *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{cmd}
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			all = append(all, verbs(c)...)
		}
	}
	return all
}

// pageName is the name of a verb's page: "kinectl-repo-init".
func pageName(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }
