package site

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
)

// file is a file whose content can be read at any place by many at once.
type file struct {
	content   io.ReaderAt
	size      int64
	beginning []byte   // what net/http looks at to guess the type: 512 bytes
	tag       []string // ETag, by the content, strong
	length    []string // Content-Length
}

// load reads every file that may be served, by its name.
func load(pages fs.FS) (map[string]*file, error) {
	files := map[string]*file{}
	err := fs.WalkDir(pages, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		hidden := strings.HasPrefix(d.Name(), ".") && name != "." && d.Name() != ".well-known"
		switch {
		case hidden && d.IsDir():
			return fs.SkipDir
		case hidden || d.IsDir() || name == Manifest:
			return nil
		}
		files[name], err = read(pages, name)
		return err
	})
	return files, err
}

// read opens a file and hashes it. An embedded one stays where it is, in the
// program: its pages are memory that the kernel can take back. Others are read
// into memory, so that they cannot change under their tags.
func read(pages fs.FS, name string) (*file, error) {
	opened, err := pages.Open(name)
	if err != nil {
		return nil, err
	}
	f := &file{}
	_, disk := opened.(*os.File)
	if at, ok := opened.(io.ReaderAt); ok && !disk {
		info, err := opened.Stat()
		if err != nil {
			return nil, err
		}
		f.content, f.size = at, info.Size()
	} else {
		body, err := io.ReadAll(opened)
		opened.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		f.content, f.size = bytes.NewReader(body), int64(len(body))
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, io.NewSectionReader(f.content, 0, f.size)); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	f.beginning = make([]byte, min(f.size, 512))
	if _, err := f.content.ReadAt(f.beginning, 0); err != nil && err != io.EOF {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	f.tag = []string{`"` + base64.RawURLEncoding.EncodeToString(sum.Sum(nil)[:15]) + `"`}
	f.length = []string{strconv.FormatInt(f.size, 10)}
	return f, nil
}
