package lab

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/kinectl/kinectl/internal/atomicfile"
)

// writeAccess makes the keys of a lab and writes what ssh and Ansible need:
// ssh/ and infra/. It returns the files that each host gets in turn.
func (l *Lab) writeAccess(o Options) (map[string]map[string]File, error) {
	client, err := newKeyPair("lab " + o.Name)
	if err != nil {
		return nil, err
	}
	keys := map[string]keyPair{}
	perHost := map[string]map[string]File{}
	for _, h := range l.record.Hosts {
		if keys[h.Name], err = newKeyPair("root@" + h.Name); err != nil {
			return nil, err
		}
		var id [16]byte
		_, _ = rand.Read(id[:]) // never fails
		files := map[string]File{
			"/etc/hostname":                     {0o644, []byte(h.Name + "\n")}, // wins over nspawn's --hostname
			"/etc/hosts":                        {0o644, []byte(etcHosts(l.record.Hosts))},
			"/etc/machine-id":                   {0o444, []byte(hex.EncodeToString(id[:]) + "\n")},
			"/etc/ssh/ssh_host_ed25519_key":     {0o600, keys[h.Name].private},
			"/etc/ssh/ssh_host_ed25519_key.pub": {0o644, []byte(keys[h.Name].public + "\n")},
			"/etc/ssh/lab_authorized_keys":      {0o644, []byte(client.public + "\n")},
		}
		for path, f := range o.Files {
			files[path] = f
		}
		perHost[h.Name] = files
	}
	inv, err := inventory(l.Dir(), l.record.Hosts, o.Groups)
	if err != nil {
		return nil, err
	}
	vars, err := groupVars(o.Vars)
	if err != nil {
		return nil, err
	}
	for path, f := range map[string]File{
		"ssh/id_ed25519":                           {0o600, client.private},
		"ssh/id_ed25519.pub":                       {0o644, []byte(client.public + "\n")},
		"ssh/known_hosts":                          {0o644, []byte(knownHosts(l.record.Hosts, keys))},
		"ssh/config":                               {0o644, []byte(sshConfig(l.Dir(), o.Name, o.Program, l.record.Hosts))},
		"infra/inventories/lab/hosts.yml":          {0o644, inv},
		"infra/inventories/lab/group_vars/all.yml": {0o644, vars},
	} {
		path = filepath.Join(l.Dir(), path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return nil, err
		}
		if err := atomicfile.Write(path, f.Body, f.Mode); err != nil {
			return nil, err
		}
	}
	return perHost, nil
}

// prepareHost makes a host's disk and network link and puts its files in place.
func (l *Lab) prepareHost(ctx context.Context, h Host, files map[string]File, lock *lock) error {
	dir := l.hostDir(h.Name)
	disk, root := filepath.Join(dir, "disk"), filepath.Join(dir, "root")
	for _, d := range []string{disk, root} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return err
		}
	}
	if l.record.Disk > 0 {
		if err := mountDisk(ctx, filepath.Join(dir, "disk.img"), disk, l.record.Disk, lock); err != nil {
			return err
		}
	}
	upper, work := filepath.Join(disk, "upper"), filepath.Join(disk, "work")
	for _, d := range []string{upper, work} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return err
		}
	}
	if err := mountOverlay(l.record.Image, upper, work, root); err != nil {
		return err
	}
	if err := writeInto(root, files); err != nil {
		return err
	}
	return createLink(l.record.Name, h)
}

// mountDisk makes a file system of a bounded size and mounts it. The loop
// device goes away with the mount.
func mountDisk(ctx context.Context, image, at string, mib int, lock *lock) error {
	f, err := os.Create(image)
	if err != nil {
		return err
	}
	if err := f.Truncate(int64(mib) << 20); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	for _, argv := range [][]string{
		{"mkfs.ext4", "-q", "-F", "-m", "0", image},
		{"mount", "-o", "loop", image, at},
	} {
		cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
		cmd.ExtraFiles = []*os.File{lock.file} // whoever cleans up after us waits for it to end
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", strings.Join(argv, " "), err, strings.TrimSpace(string(out)))
		}
	}
	return nil
}
