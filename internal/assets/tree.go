package assets

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
)

// load reads the files of a folder, by their path in it. Names that begin with a
// dot are left out, but for .well-known; a link that leads out of the folder is an error.
func load(src string) (map[string][]byte, error) {
	root, err := os.OpenRoot(src)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	tree := map[string][]byte{}
	err = fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if strings.HasPrefix(d.Name(), ".") && name != "." && d.Name() != ".well-known" {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if d.IsDir() {
			return nil
		}
		info, err := root.Stat(name)
		switch {
		case err != nil:
			return err
		case info.IsDir():
			return fmt.Errorf("%s is a link to a folder: put the folder there itself", name)
		case !info.Mode().IsRegular():
			return fmt.Errorf("%s is no file", name)
		case name == manifestName:
			return fmt.Errorf("%s is a name that the result needs: is this folder one that was prepared already?", name)
		}
		tree[name], err = root.ReadFile(name)
		return err
	})
	if err == nil && len(tree) == 0 {
		err = fmt.Errorf("there are no files in it")
	}
	return tree, err
}

// language of a file, for its scanner.
type language byte

const (
	opaque     language = iota // nothing is looked for
	markup                     // HTML
	sheet                      // CSS
	javascript                 // JavaScript
	mentioning                 // text whose names can only be kept: JSON, XML
)

func languageOf(name string) language {
	switch strings.ToLower(path.Ext(name)) {
	case ".html", ".htm", ".xhtml":
		return markup
	case ".css":
		return sheet
	case ".js", ".mjs":
		return javascript
	case ".json", ".webmanifest", ".xml", ".svg", ".rss", ".atom":
		return mentioning
	}
	return opaque
}
