package signing

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Variable is the environment variable that may hold private keys, armored,
// one after the other: a secret of a build server.
const Variable = "KINECTL_SIGNING_KEY"

// findKept looks into the directory, then into the variable.
func findKept(trusted Keyring, dir string) (Signers, error) {
	var all Signers
	var missing []string
	var kept map[string]*Key // of the variable, which is read when something is missing
	for _, c := range trusted.certificates {
		key, err := readKept(dir, c.fingerprint())
		if errors.Is(err, ErrNoKey) {
			if kept == nil {
				if kept, err = readVariable(Variable); err != nil {
					return nil, err
				}
			}
			key = kept[c.fingerprint()]
		} else if err != nil {
			return nil, err
		}
		if key == nil {
			missing = append(missing, c.fingerprint())
			continue
		}
		all = append(all, key)
	}
	if missing == nil {
		return all, nil
	}
	return nil, fmt.Errorf("%w: %s is neither in %s nor in the variable %s (%s); name the place with --key: a FILE, env:NAME, gpg:FINGERPRINT or exec:COMMAND",
		ErrNoKey, strings.Join(missing, " and "), place(dir), Variable, holds(kept))
}

func place(dir string) string {
	if dir == "" {
		return "a directory (none is set)"
	}
	return dir + " as FINGERPRINT.asc"
}

func holds(keys map[string]*Key) string {
	if len(keys) == 0 {
		return "which is not set"
	}
	return "which holds " + strings.Join(slices.Sorted(maps.Keys(keys)), " and ")
}

// readKept reads the key of that fingerprint from the directory.
func readKept(dir, fingerprint string) (*Key, error) {
	if dir == "" {
		return nil, ErrNoKey
	}
	file := KeyFile(dir, fingerprint)
	keys, err := readFile(file)
	if err != nil {
		return nil, err
	}
	for _, key := range keys {
		if key.Fingerprint() == fingerprint {
			return key, nil
		}
	}
	return nil, fmt.Errorf("private key %s: the file holds key %s", file, keys)
}

// readVariable reads the keys of an environment variable by their
// fingerprints; one that is not set holds none.
func readVariable(name string) (map[string]*Key, error) {
	keys := map[string]*Key{}
	text := os.Getenv(name)
	if strings.TrimSpace(text) == "" {
		return keys, nil
	}
	list, err := parseKeys([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("the variable %s: %w", name, err)
	}
	for _, key := range list {
		keys[key.Fingerprint()] = key
	}
	return keys, nil
}

// KeyFile is where the private key of that fingerprint is kept in dir.
func KeyFile(dir, fingerprint string) string { return filepath.Join(dir, fingerprint+".asc") }
