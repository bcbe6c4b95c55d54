package manual_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/kinectl/kinectl/internal/artifact"
	"github.com/kinectl/kinectl/internal/cli"
	"github.com/kinectl/kinectl/internal/manual"
	"github.com/kinectl/kinectl/internal/needs"
)

func files(t *testing.T) []artifact.File {
	t.Helper()
	all, err := manual.Files(cli.Commands(), "1.2.3-rc1", time.Unix(1700000000, 0))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func plain(t *testing.T, f artifact.File) string {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(f.Body))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil || !z.ModTime.IsZero() || z.Name != "" {
		t.Errorf("%s: %v, %v, %q", f.Path, err, z.ModTime, z.Name)
	}
	return string(text)
}

func TestFiles(t *testing.T) {
	all := files(t)
	if !reflect.DeepEqual(all, files(t)) {
		t.Error("two calls differ")
	}
	pages := map[string]string{}
	for _, f := range all {
		if strings.HasPrefix(f.Path, "man/") {
			pages[strings.TrimSuffix(strings.TrimPrefix(f.Path, "man/"), ".1.gz")] = plain(t, f)
		}
	}
	for _, want := range []string{"kinectl", "kinectl-package", "kinectl-rpm", "kinectl-repo-init", "kinectl-lab-up"} {
		if pages[want] == "" {
			t.Errorf("there is no page of %s", want)
		}
	}
	if pages["kinectl-lab-connect"] != "" || strings.Contains(pages["kinectl-lab"], "connect") {
		t.Error("a hidden verb has a page")
	}
	for name, holds := range map[string][]string{
		"kinectl":         {`.TH "KINECTL" "1" "Nov 2023" "kinectl 1.2.3-rc1" "User Commands"`, "kinectl-package(1)"},
		"kinectl-package": {"--output", "folder for the packages; made if needed", "kinectl package --version 1.2.0 -o dist", ".SH SEE ALSO"},
	} {
		for _, want := range holds {
			if !strings.Contains(strings.ReplaceAll(pages[name], `\-`, "-"), want) {
				t.Errorf("%s has no %q in\n%s", name, want, pages[name])
			}
		}
	}
}

// TestPagesForMan lets the real program format every page.
func TestPagesForMan(t *testing.T) {
	needs.Program(t, "man", "nothing was read by it")
	dir := t.TempDir()
	for _, f := range files(t) {
		if !strings.HasPrefix(f.Path, "man/") {
			continue
		}
		path := filepath.Join(dir, filepath.Base(f.Path))
		if err := os.WriteFile(path, f.Body, 0o644); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", path)
		cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "MANROFFSEQ=", "MANWIDTH=80")
		var said bytes.Buffer
		cmd.Stderr = &said
		if err := cmd.Run(); err != nil || said.Len() > 0 {
			t.Errorf("%s: %v: %s", f.Path, err, &said)
		}
	}
}

// TestCompletionForBash completes a verb with the real shell.
func TestCompletionForBash(t *testing.T) {
	needs.Program(t, "bash", "nothing was read by it")
	dir := t.TempDir()
	for _, f := range files(t) {
		if f.Path == "completion/kinectl" {
			if err := os.WriteFile(filepath.Join(dir, "kinectl.bash"), f.Body, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	// The program that is asked for candidates, and what bash-completion would do.
	fake := "#!/bin/sh\necho \"$*\" >>" + dir + "/asked\nprintf 'package\\tBuild the packages\\npack-more\\n:4\\n'\n"
	if err := os.WriteFile(filepath.Join(dir, "kinectl"), []byte(fake), 0o755); err != nil {
		t.Fatal(err)
	}
	script := `set -e; PATH=` + dir + `:$PATH; . ` + dir + `/kinectl.bash
_get_comp_words_by_ref() { cur=${COMP_WORDS[COMP_CWORD]}; prev=; words=("${COMP_WORDS[@]}"); cword=$COMP_CWORD; }
compopt() { :; }
COMP_WORDS=(kinectl pack); COMP_CWORD=1; COMP_LINE='kinectl pack'; COMP_POINT=12; COMP_TYPE=9
complete -p kinectl; __start_kinectl || true; printf '%s\n' "${COMPREPLY[@]}"`
	out, err := exec.Command("bash", "--norc", "-c", script).CombinedOutput()
	asked, _ := os.ReadFile(filepath.Join(dir, "asked"))
	if err != nil || !strings.Contains(string(out), "__start_kinectl kinectl") || !strings.Contains(string(out), "pack") || string(asked) != "__complete pack\n" {
		t.Errorf("%v: %s; asked: %s", err, out, asked)
	}
}
