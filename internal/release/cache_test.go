package release

import (
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// infra writes files into a new infra repository and returns its folder.
func infra(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		write(t, filepath.Join(dir, name), text, 0o644)
	}
	return dir
}

func write(t *testing.T, path, text string, mode fs.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

const (
	hostsFile = "inventories/production/hosts"
	varsFile  = "inventories/production/group_vars/applications.yml"
)

func plain() map[string]string {
	return map[string]string{
		hostsFile: "[applications]\nh1\nh2\n",
		varsFile:  "log_level: info\nvault_token: planted-value\nkinectl_repository: ../repo\n",
	}
}

// TestInventoryKey changes one thing at a time: what may change the answer must
// change the key, and what decides when it is asked must have none.
func TestInventoryKey(t *testing.T) {
	const same, other, none = "the same", "another", "none"
	t.Setenv("ANSIBLE_CONFIG", "")
	f := func(what, want string, change func(dir string)) {
		t.Helper()
		dir := infra(t, plain())
		inventory := filepath.Join(dir, "inventories/production")
		before := inventoryKey(dir, inventory)
		if len(before) != 64 {
			t.Fatalf("the key of plain files is %q", before)
		}
		change(dir)
		got := other
		switch inventoryKey(dir, inventory) {
		case before:
			got = same
		case "":
			got = none
		}
		if got != want {
			t.Errorf("%s: the key is %s, want %s", what, got, want)
		}
	}
	put := func(name, text string, mode fs.FileMode) func(string) {
		return func(dir string) { write(t, filepath.Join(dir, name), text, mode) }
	}
	f("nothing", same, func(string) {})
	f("written again", same, put(hostsFile, plain()[hostsFile], 0o644))
	f("another environment", same, put("inventories/staging/hosts", "[a]\nh9\n", 0o644))
	f("a host more", other, put(hostsFile, "[applications]\nh1\nh2\nh3\n", 0o644))
	f("another value", other, put(varsFile, "log_level: debug\n", 0o644))
	f("a new file", other, put("inventories/production/host_vars/h1.yml", "a: 1\n", 0o644))
	f("a new, empty file", other, put("inventories/production/host_vars/h1.yml", "", 0o644))
	f("a file less", other, func(dir string) { os.Remove(filepath.Join(dir, varsFile)) })
	f("moved from one file to the next", other, func(dir string) {
		if err := os.Rename(filepath.Join(dir, varsFile), filepath.Join(dir, filepath.Dir(varsFile), "all.yml")); err != nil {
			t.Error(err)
		}
	})
	f("Ansible's configuration", other, put("ansible.cfg", "[defaults]\nhash_behaviour = merge\n", 0o644))
	f("Ansible's configuration elsewhere", other, func(dir string) {
		put("elsewhere.cfg", "[defaults]\n", 0o644)(dir)
		t.Setenv("ANSIBLE_CONFIG", filepath.Join(dir, "elsewhere.cfg"))
	})
	t.Setenv("ANSIBLE_CONFIG", "")
	f("a script", none, put("inventories/production/hosts.sh", "#!/bin/sh\n", 0o755))
	f("a plugin", none, put("inventories/production/cloud.yml", "plugin: amazon.aws.aws_ec2\n", 0o644))
	f("a plugin after a comment", none, put("inventories/production/cloud.yml", "---\n# ours\nplugin: x\n", 0o644))
	f("a link to nowhere", none, func(dir string) {
		if err := os.Symlink("nowhere", filepath.Join(dir, "inventories/production/link")); err != nil {
			t.Error(err)
		}
	})
	f("no inventory", none, func(dir string) { os.RemoveAll(filepath.Join(dir, "inventories")) })
}

// TestCache keeps an answer, reads it back, and looks for values on the disk.
func TestCache(t *testing.T) {
	root := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", root)
	t.Setenv("HOME", root)
	in := parsed(t)
	key := strings.Repeat("a", 64)
	in.keep(key)

	again := &Infra{Dir: in.Dir, Env: in.Env, Inventory: in.Inventory}
	if !again.cached(key) || !reflect.DeepEqual(again, in) {
		t.Errorf("read back is\n%+v\nwant\n%+v", again, in)
	}
	if (&Infra{Inventory: in.Inventory}).cached(strings.Repeat("b", 64)) || (&Infra{Inventory: "/infra/inventories/staging"}).cached(key) {
		t.Error("an answer serves for another state, or another inventory")
	}

	files := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil || d.IsDir() {
			return err
		}
		files++
		body, err := os.ReadFile(path)
		if info.Mode().Perm() != 0o600 || strings.Contains(string(body), "planted-value") {
			t.Errorf("%s has the mode %o and reads %s", path, info.Mode().Perm(), body)
		}
		return err
	})
	if err != nil || files != 1 {
		t.Errorf("%d files, %v", files, err)
	}

	// What cannot be used is no answer, and an inventory without a key has none.
	for _, text := range []string{"", "{", "{}", `{"Groups": 1}`} {
		write(t, in.cacheFile(key), text, 0o600)
		if (&Infra{Inventory: in.Inventory}).cached(key) {
			t.Errorf("%q passes for an answer", text)
		}
	}
	in.keep("")
	if (&Infra{Inventory: in.Inventory}).cached("") {
		t.Error("an answer was kept under no key")
	}
}
