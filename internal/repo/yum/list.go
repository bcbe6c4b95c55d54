package yum

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"sync"

	"github.com/kinectl/kinectl/internal/repo/index"
	"github.com/kinectl/kinectl/internal/repo/storage"
)

// The three lists, in the order in which repomd.xml names them.
const (
	primary = iota
	filelists
	other
	kinds
)

var kindNames = [kinds]string{"primary", "filelists", "other"}

// layout is how a list is written.
func layout(kind int) index.Layout {
	root := [kinds]string{"metadata", "filelists", "otherdata"}[kind]
	space := ` xmlns="http://linux.duke.edu/metadata/` + [kinds]string{`common" xmlns:rpm="http://linux.duke.edu/metadata/rpm"`, `filelists"`, `other"`}[kind]
	return index.Layout{
		Head: func(count int) []byte {
			return []byte(`<?xml version="1.0" encoding="UTF-8"?>` + "\n<" + root + space + ` packages="` + strconv.Itoa(count) + "\">\n")
		},
		Foot:  func(int) []byte { return []byte("</" + root + ">\n") },
		Split: splitRecord,
		Key:   [kinds]func([]byte) string{primaryKey, headKey, headKey}[kind],
	}
}

// record renders a package for a list.
func record(kind int, p Package) []byte {
	return [kinds]func(Package) []byte{primaryRecord, filelistsRecord, otherRecord}[kind](p)
}

// list is one list in one state. It is read when it is first asked for.
type list struct {
	kind int
	data data
	from storage.Reader // nil when text is there
	name string         // of the file in from

	mu   sync.Mutex
	text *index.Text
	gzip index.Body // the file; nil for the list of a new repository
}

// load reads the list once, and holds it against what the root says.
func (l *list) load(ctx context.Context) (*index.Text, index.Body, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.text != nil {
		return l.text, l.gzip, nil
	}
	body, err := l.from.Get(ctx, l.name, l.data.size)
	if err == nil {
		l.text, err = l.decode(body)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, storage.ErrTooLong):
		return nil, nil, fmt.Errorf("%s: %w: %w", l.name, ErrDamaged, err)
	case err != nil:
		return nil, nil, fmt.Errorf("%s: %w", l.name, err)
	}
	l.gzip = index.Body{body}
	return l.text, l.gzip, nil
}

func (l *list) decode(body []byte) (*index.Text, error) {
	if int64(len(body)) != l.data.size || sum(body) != l.data.sha256 {
		return nil, fmt.Errorf("%w: its content is not what repomd.xml says", ErrDamaged)
	}
	text, err := index.Decode(layout(l.kind), index.Packed{Gzip: body})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return text, nil
}

// edit is the list after a change at a revision.
func (l *list) edit(ctx context.Context, add []Package, remove []string, revision int64) (*list, error) {
	text, _, err := l.load(ctx)
	if err != nil {
		return nil, err
	}
	put := make([][]byte, len(add))
	for i, p := range add {
		put[i] = record(l.kind, p)
	}
	if text, err = text.Edit(put, remove); err != nil {
		return nil, fmt.Errorf("%s: %w", kindNames[l.kind], err)
	}
	body, err := text.Body(index.Gzip)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", kindNames[l.kind], err)
	}
	d := data{sha256: body.SHA256(), size: body.Size(), timestamp: revision}
	if d.sha256 == l.data.sha256 {
		return l, nil
	}
	return &list{kind: l.kind, data: d, text: text, gzip: body}, nil
}

// sum is the SHA-256 of body, lower-case hexadecimal.
func sum(body []byte) string {
	s := sha256.Sum256(body)
	return hex.EncodeToString(s[:])
}
