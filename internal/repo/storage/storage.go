// Package storage keeps the files of a package repository: in a directory, in
// an S3-compatible bucket, on another machine behind ssh, or, only to read, on
// a web server.
//
// Start at [Open], which takes the location as a user writes it. The interface
// [Store] is what a repository needs of a place and no more: whole files,
// written aside and put in their place at one moment, and one writer at a time.
// [Close] ends the connections of a place.
package storage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"
)

// Reader reads files by their slash-separated names below the repository. Its
// methods may be called at the same time.
type Reader interface {
	// Get returns a whole file. One longer than limit bytes is ErrTooLong, one
	// that is not there is fs.ErrNotExist.
	Get(ctx context.Context, name string, limit int64) ([]byte, error)
	// Open reads a file of any size; the caller closes it.
	Open(ctx context.Context, name string) (io.ReadCloser, error)
	// String is the location as people may see it: without a password.
	String() string
}

// Store is a place that can be written, by one process at a time: all methods
// that write need Lock. Everything that has returned without an error is
// durable, and is whole to every reader at every moment.
type Store interface {
	Reader
	// Stat describes a file; fs.ErrNotExist when it is not there.
	Stat(ctx context.Context, name string) (Info, error)
	// List yields the files whose names start with prefix ("" is all), in no
	// order; names with a part that starts with a dot are left out. What is not
	// there yields nothing.
	List(ctx context.Context, prefix string) iter.Seq2[Info, error]
	// Put writes files, in any order or at once, replacing those that are
	// there. When it returns an error, each file is the old one or the new one.
	Put(ctx context.Context, files []File) error
	// PutRoots replaces small files in this order, one right after the other:
	// all are prepared before the first is replaced. The modification time that
	// a web server shows of each is at least a second after the last one's,
	// since If-Modified-Since counts seconds.
	PutRoots(ctx context.Context, files []File) error
	// Remove removes files; one that is not there is no error. Directories that
	// become empty may stay.
	Remove(ctx context.Context, names []string) error
	// Lock makes the caller the only writer, waiting for others until ctx ends.
	// The lock of a process that dies is given back, however it dies. The
	// context that it returns is canceled when the lock is lost; unlock gives
	// the lock back and may be called more than once.
	Lock(ctx context.Context) (locked context.Context, unlock func(), err error)
	// Mend removes what killed writers left half-written. It needs Lock.
	Mend(ctx context.Context) error
}

// Info describes a file.
type Info struct {
	Name     string
	Size     int64 // bytes
	Modified time.Time
}

// File is a file to be written.
type File struct {
	Name string
	Size int64 // bytes; Open must yield exactly that many
	// Open may be called more than once, one after the other: a network write
	// is tried again. An error of the reader at its end (a digest that does not
	// hold) fails the write and leaves the old file.
	Open func() (io.ReadCloser, error)
	// LinkOf names a file that is there, or that comes earlier in the same Put,
	// with the same content: a place that can, links or copies it by itself.
	// When not empty, Open may be nil.
	LinkOf string
}

// Bytes is a File with this content.
func Bytes(name string, body []byte) File {
	return File{Name: name, Size: int64(len(body)), Open: func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(body)), nil
	}}
}

var (
	// ErrTooLong: the file is longer than the reader allows.
	ErrTooLong = errors.New("longer than allowed")
	// ErrLocation: no place is written like that.
	ErrLocation = errors.New("not a location")
	// ErrReadOnly: the place can only be read.
	ErrReadOnly = errors.New("this place can only be read")
)

// ReadAllLimit is io.ReadAll for content that must not be longer than limit bytes.
func ReadAllLimit(r io.Reader, limit int64) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(body)) > limit {
		return nil, fmt.Errorf("%w (%d bytes)", ErrTooLong, limit)
	}
	return body, err
}
