// Package facts reads what a release needs to know from outside of its spec:
// git, the clock of the build, the binary. Start at [Of].
package facts

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Facts are what git and the environment say about the folder of a spec.
type Facts struct {
	Revision  string    // commit, 40 hexadecimal digits; "" outside of git
	BuildTime time.Time // UTC; of the commit unless SOURCE_DATE_EPOCH says another
}

// ErrNoGit says that a folder is in no git repository, or that there is no
// commit yet, or no git.
var ErrNoGit = errors.New("no git history")

// Of returns the facts about the folder of specFile. The build time is that
// of SOURCE_DATE_EPOCH (reproducible-builds.org), else of the last commit,
// else 1 January 1980, so that the same input gives the same bytes at any
// time. Being outside of git is no error.
func Of(specFile string) (Facts, error) {
	f := Facts{BuildTime: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)}
	out, err := git(filepath.Dir(specFile), "log", "-1", "--format=%H %ct")
	if err != nil && !errors.Is(err, ErrNoGit) {
		return f, err
	}
	if revision, seconds, ok := strings.Cut(out, " "); ok {
		n, err := strconv.ParseInt(seconds, 10, 64)
		if err != nil {
			return f, fmt.Errorf("read the time of the last commit: %w", err)
		}
		f.Revision, f.BuildTime = revision, time.Unix(n, 0).UTC()
	}
	if epoch := os.Getenv("SOURCE_DATE_EPOCH"); epoch != "" {
		n, err := strconv.ParseInt(epoch, 10, 64)
		if err != nil || n < 0 {
			return f, fmt.Errorf("read SOURCE_DATE_EPOCH: %q is not a number of seconds since 1970", epoch)
		}
		f.BuildTime = time.Unix(n, 0).UTC()
	}
	return f, nil
}

// Describe returns what `git describe` calls the commit beside specFile:
// v1.2.3, or v1.2.3-4-gabc1234 after it, with -dirty when files of git are
// changed. Without a tag it counts from v0.0.0. The error wraps [ErrNoGit]
// where there is no history to describe.
func Describe(specFile string) (string, error) {
	dir := filepath.Dir(specFile)
	out, err := git(dir, "describe", "--tags", "--match", "v[0-9]*", "--dirty")
	if err == nil {
		return out, nil
	}
	hash, err := git(dir, "describe", "--always", "--exclude", "*", "--dirty")
	if err != nil {
		return "", fmt.Errorf("ask git for the version of %s: %w", specFile, err)
	}
	count, err := git(dir, "rev-list", "--count", "HEAD")
	if err != nil {
		return "", fmt.Errorf("ask git for the version of %s: %w", specFile, err)
	}
	return "v0.0.0-" + count + "-g" + hash, nil
}

// git runs one command in dir and returns its trimmed output.
func git(dir string, args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return strings.TrimSpace(stdout.String()), nil
	case errors.Is(err, exec.ErrNotFound), strings.Contains(stderr.String(), "not a git repository"),
		strings.Contains(stderr.String(), "does not have any commits"), strings.Contains(stderr.String(), "Not a valid object name"):
		return "", ErrNoGit
	case errors.As(err, &exit):
		return "", fmt.Errorf("git %s: %s", args[0], strings.TrimSpace(stderr.String()))
	default:
		return "", fmt.Errorf("git %s: %w", args[0], err)
	}
}
