package repo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

const maxKey = 1 << 20 // bytes of a key file

// treeKeyring reads the public key of a repository. Without one it is none.
func treeKeyring(ctx context.Context, t tree) (keyring, error) {
	body, err := t.get(ctx, keyName, maxKey)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %w", ErrNotRepository, err)
	}
	if err != nil {
		return nil, err
	}
	k, err := parseKeyring(body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", keyName, err)
	}
	return k, nil
}

// signingKey is the private key of a repository whose public key is trusted.
func (o Options) signingKey(trusted keyring) (*Key, error) {
	if o.KeyFile != "" {
		key, err := readKey(o.KeyFile)
		if err != nil {
			return nil, err
		}
		if !trusted.has(key) {
			return nil, fmt.Errorf("%s holds key %s, but hosts trust %s", o.KeyFile, key, trusted)
		}
		return key, nil
	}
	for _, e := range trusted {
		key, err := readKey(filepath.Join(o.KeyDir, fingerprint(e)+".asc"))
		if errors.Is(err, ErrNoKey) {
			continue
		}
		if err == nil && !trusted.has(key) {
			err = fmt.Errorf("%s.asc in %s holds key %s", fingerprint(e), o.KeyDir, key)
		}
		return key, err
	}
	return nil, fmt.Errorf("%w: no %s.asc in %s", ErrNoKey, trusted, o.KeyDir)
}

// keyFile is where the private key is kept.
func (o Options) keyFile(key *Key) string {
	switch {
	case o.KeyFile != "":
		return o.KeyFile
	case o.KeyDir == "" || key == nil:
		return ""
	}
	return filepath.Join(o.KeyDir, key.Fingerprint()+".asc")
}

// readKey reads a private key that nobody but its owner may read.
func readKey(file string) (*Key, error) {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s is not there", ErrNoKey, file)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("private key %s: others may read or write it (mode %04o); run: chmod 600 %s", file, info.Mode().Perm(), file)
	}
	body, err := readAllLimit(f, maxKey)
	if err != nil {
		return nil, fmt.Errorf("private key %s: %w", file, err)
	}
	key, err := ParseKey(body)
	if err != nil {
		return nil, fmt.Errorf("private key %s: %w", file, err)
	}
	return key, nil
}
