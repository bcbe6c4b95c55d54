package release

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/kinectl/kinectl/internal/atomicfile"
)

// inventoryKey names the state of an inventory: a digest of all its files, and
// of Ansible's configuration file. It is empty when the inventory is not only
// files, so that asking again could give another answer: an executable script,
// or a plugin's configuration.
func inventoryKey(dir, inventory string) string {
	sum := sha256.New()
	err := filepath.WalkDir(inventory, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		body, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if info.Mode()&0o111 != 0 || isPlugin(body) {
			return fmt.Errorf("%s decides when it is asked", path)
		}
		name, err := filepath.Rel(inventory, path)
		fmt.Fprintf(sum, "%s\x00%d\x00", name, len(body))
		sum.Write(body)
		return err
	})
	if err != nil {
		return ""
	}
	if f, err := os.Open(configurationFile(dir)); err == nil {
		_, err = io.Copy(sum, f)
		f.Close()
		if err != nil {
			return ""
		}
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// isPlugin tells the configuration of an inventory plugin (a "plugin" key at
// the top) from a plain inventory.
func isPlugin(body []byte) bool {
	return strings.HasPrefix(string(body), "plugin:") || strings.Contains(string(body), "\nplugin:")
}

// cached reads the answer of an earlier run, if it was kept.
func (in *Infra) cached(key string) bool {
	if key == "" {
		return false
	}
	body, err := os.ReadFile(in.cacheFile(key))
	return err == nil && json.Unmarshal(body, &in.answer) == nil && in.answer.Format == answerFormat && in.answer.Groups != nil
}

// keep writes the answer for later runs. It holds names of variables, never
// their values, since some are secret. A cache that cannot be written is none.
func (in *Infra) keep(key string) {
	body, err := json.Marshal(in.answer)
	if key == "" || err != nil {
		return
	}
	file := in.cacheFile(key)
	if os.MkdirAll(filepath.Dir(file), 0o700) == nil {
		_ = atomicfile.Write(file, body, 0o600)
		prune(filepath.Dir(file), "*.json", keptInventories, 0)
	}
}

// cacheFile is one file an inventory: a newer answer takes the older one's place.
func (in *Infra) cacheFile(key string) string {
	root, err := os.UserCacheDir()
	if err != nil {
		root = os.TempDir()
	}
	where := sha256.Sum256([]byte(in.Inventory))
	return filepath.Join(root, "kinectl", "inventory", hex.EncodeToString(where[:8])+"-"+key[:32]+".json")
}
