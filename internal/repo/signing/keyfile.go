package signing

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/kinectl/kinectl/internal/atomicfile"
)

// Save writes a private key to a file of mode 0600, and makes its directory
// with mode 0700. It never replaces a file: that is fs.ErrExist.
func Save(file string, key *Key) error {
	if _, err := os.Lstat(file); err == nil {
		return fmt.Errorf("save private key %s: %s: %w", key, file, fs.ErrExist)
	}
	body, err := key.Private()
	if err != nil {
		return fmt.Errorf("save private key %s: %w", key, err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return fmt.Errorf("save private key %s: %w", key, err)
	}
	return atomicfile.Write(file, body, 0o600)
}

// readFile reads private keys that nobody but their owner may read.
func readFile(file string) ([]*Key, error) {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s is not there", ErrNoKey, file)
	}
	if err != nil {
		return nil, fmt.Errorf("private key: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("private key: %w", err)
	}
	body, err := io.ReadAll(io.LimitReader(f, maxKeys))
	if err != nil {
		return nil, fmt.Errorf("private key: %w", err)
	}
	keys, err := parseKeys(body)
	if err != nil {
		return nil, fmt.Errorf("private key %s: %w", file, err)
	}
	// A pipe is let through: --key <(pass show repository)
	if info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("private key %s: others may read or write it (mode %04o); run: chmod 600 %s", file, info.Mode().Perm(), file)
	}
	return keys, nil
}
