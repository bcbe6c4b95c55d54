package repo

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/kinectl/kinectl/internal/repo/yum"
)

// fetch copies a package of the repository into dir, and reads and checks it.
func (s *session) fetch(ctx context.Context, e Entry, dir string) (p pkg, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("read %s: %w", e.Filename, err)
		}
	}()
	in, err := s.store.Open(ctx, e.Filename)
	if err != nil {
		return p, err
	}
	defer in.Close()
	out, err := os.CreateTemp(dir, "*"+filepath.Ext(e.Filename))
	if err != nil {
		return p, err
	}
	_, err = io.Copy(out, in)
	if err = errors.Join(err, out.Close()); err != nil {
		return p, err
	}
	if p, err = readPackage(ctx, out.Name()); err != nil {
		return p, err
	}
	if e.SHA256 != "" && p.sha256 != e.SHA256 {
		return p, ErrDamaged
	}
	p.stored = e.Filename
	return p, nil
}

// digest is the SHA-256 of a file of the repository, "" when it is not there.
func (s *session) digest(ctx context.Context, name string) (string, error) {
	in, err := s.store.Open(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer in.Close()
	return sumOf(in)
}

// sumOf reads to the end.
func sumOf(in io.Reader) (string, error) {
	hash := sha256.New()
	_, err := io.Copy(hash, in)
	return hex.EncodeToString(hash.Sum(nil)), err
}

func digestOf(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// openYum reads one rpm repository; nil when the suite has none for arch.
func (s *session) openYum(ctx context.Context, suite, arch string) (*yum.Repository, error) {
	repository, err := yum.Load(ctx, s.store, suite, arch, s.trusted, s.now)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return repository, err
}
