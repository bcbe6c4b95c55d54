package scaffold

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"

	"github.com/kinectl/kinectl/internal/artifact"
)

// The files of an infra repository are plain files, tested as they lie here.
//
//go:embed infra
var infra embed.FS

// Infra returns the files of an infra repository: two environments, the roles
// that make servers of bare hosts, and what services may ask for. It works as it stands once
// the addresses of hosts, an admin and the key of the package repository are put in.
func Infra() ([]artifact.File, error) {
	// What means something to git or ansible-lint where it lies has another name here.
	hidden := map[string]string{"gitignore": ".gitignore", "ansible-lint": ".ansible-lint"}
	var files []artifact.File
	err := fs.WalkDir(infra, "infra", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := infra.ReadFile(file)
		if err != nil {
			return err
		}
		target := strings.TrimPrefix(file, "infra/")
		if name, ok := hidden[target]; ok {
			target = name
		}
		files = append(files, artifact.File{Path: target, Mode: 0o644, Body: body})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("make the files of an infra repository: %w", err)
	}
	return files, nil
}
