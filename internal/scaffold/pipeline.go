package scaffold

import (
	"embed"
	"fmt"
	"slices"
	"strings"

	"github.com/kinectl/kinectl/internal/artifact"
)

// They are the same for every service: what differs is in variables of the project.
//
//go:embed pipelines
var pipelines embed.FS

// Pipelines are the systems that [Pipeline] knows.
func Pipelines() []string { return []string{"gitlab", "github"} }

// Pipeline returns the files by which a system takes a commit to the servers:
// checks, package and publish on a tag, deploy and rollback at a click. Paths are
// relative to the root of the service's git repository. There is no secret in them.
func Pipeline(system string) ([]artifact.File, error) {
	if !slices.Contains(Pipelines(), system) {
		return nil, fmt.Errorf("there is no pipeline for %q", system)
	}
	var files []artifact.File
	for _, target := range []string{".github/actions/kinectl/action.yml", ".github/workflows/release.yml", ".gitlab-ci.yml"} {
		if !strings.HasPrefix(target, "."+system) {
			continue
		}
		body, err := pipelines.ReadFile("pipelines/" + strings.TrimPrefix(target, "."))
		if err != nil {
			return nil, fmt.Errorf("make the pipeline for %s: %w", system, err)
		}
		files = append(files, artifact.File{Path: target, Mode: 0o644, Body: body})
	}
	return files, nil
}
