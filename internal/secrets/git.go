package secrets

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/kinectl/kinectl/internal/atomicfile"
)

// Repository reads the text files below dir that are in git or may come into
// it: what .gitignore names is left out. Outside of a git repository, and where git
// is not installed, it is [Tree].
func Repository(ctx context.Context, dir string) ([]File, error) {
	names, err := git(ctx, dir, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	if err != nil {
		return Tree(dir)
	}
	var all []File
	for _, name := range split(names) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		info, err := os.Lstat(path)
		if err != nil || !info.Mode().IsRegular() || info.Size() > maxFile || strings.HasSuffix(name, aside) {
			continue // deleted, a link, or nobody's secret
		}
		body, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read the files of %s: %w", dir, err)
		}
		if bytes.IndexByte(body, 0) < 0 {
			all = append(all, File{name, body})
		}
	}
	return all, nil
}

// Staged reads what the next commit in the git repository of dir will change,
// as it is staged, by its path in the repository.
func Staged(ctx context.Context, dir string) ([]File, error) {
	names, err := git(ctx, dir, "diff", "--cached", "--name-only", "-z", "--diff-filter=ACMRT", "--no-renames")
	if err != nil {
		return nil, fmt.Errorf("read what is staged: %w", err)
	}
	var all []File
	for _, name := range split(names) {
		body, err := git(ctx, dir, "show", ":"+name)
		if err != nil {
			return nil, fmt.Errorf("read what is staged of %s: %w", name, err)
		}
		if len(body) <= maxFile && bytes.IndexByte(body, 0) < 0 {
			all = append(all, File{name, body})
		}
	}
	return all, nil
}

// InstallHook writes a pre-commit hook (githooks(5)) into the git repository of
// dir, and returns its path. One that is there already, and is another, is an error.
func InstallHook(ctx context.Context, dir string, script []byte) (string, error) {
	out, err := git(ctx, dir, "rev-parse", "--git-path", "hooks/pre-commit")
	if err != nil {
		return "", fmt.Errorf("install the hook: %w", err)
	}
	name := strings.TrimRight(string(out), "\n")
	if !filepath.IsAbs(name) {
		name = filepath.Join(dir, name)
	}
	if old, err := os.ReadFile(name); err == nil && !bytes.Equal(old, script) {
		return "", fmt.Errorf("install the hook: %s is there already: %w", name, ErrOtherHook)
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return "", fmt.Errorf("install the hook: %w", err)
	}
	return name, atomicfile.Write(name, script, 0o755)
}

// ErrOtherHook says that a repository has a pre-commit hook of its own.
var ErrOtherHook = errors.New("it is another hook")

func split(names []byte) []string {
	return strings.FieldsFunc(string(names), func(r rune) bool { return r == 0 })
}

// git runs git in dir and returns what it prints.
func git(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-C", dir}, args...)...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("git %s: %w: %s", args[0], err, strings.TrimSpace(said.String()))
	}
	return out, nil
}
