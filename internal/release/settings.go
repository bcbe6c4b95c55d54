package release

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// settings are "section.key" → value of what Ansible is told about connections, by
// its configuration file and by this process's environment.
type settings map[string]string

// settingVariables are those of the environment, which win over the file, in
// Ansible's order: of two for one setting the last counts (its documentation, plugin
// connection/ssh).
func settingVariables() []struct{ variable, setting string } {
	return []struct{ variable, setting string }{
		{"ANSIBLE_REMOTE_USER", "defaults.remote_user"},
		{"ANSIBLE_REMOTE_PORT", "defaults.remote_port"},
		{"ANSIBLE_PRIVATE_KEY_FILE", "defaults.private_key_file"},
		{"ANSIBLE_HOST_KEY_CHECKING", "defaults.host_key_checking"},
		{"ANSIBLE_SSH_HOST_KEY_CHECKING", "defaults.host_key_checking"},
		{"ANSIBLE_SSH_ARGS", "ssh_connection.ssh_args"},
		{"ANSIBLE_SSH_COMMON_ARGS", "ssh_connection.ssh_common_args"},
		{"ANSIBLE_SSH_EXTRA_ARGS", "ssh_connection.ssh_extra_args"},
	}
}

// readSettings reads what Ansible would when it runs in a folder. A relative path of
// a key is one from the file that names it, as it is for Ansible.
func readSettings(dir string) settings {
	file := configurationFile(dir)
	body, _ := os.ReadFile(file)
	found := parseSettings(string(body))
	const key = "defaults.private_key_file"
	if found[key] != "" {
		found[key] = absolute(found[key], filepath.Dir(file))
	}
	if own, ok := found["ssh_connection.host_key_checking"]; ok { // ssh's own wins
		found["defaults.host_key_checking"] = own
	}
	for _, v := range settingVariables() {
		if value, ok := os.LookupEnv(v.variable); ok {
			found[v.setting] = value
			if v.setting == key && value != "" {
				found[key] = absolute(value, dir)
			}
		}
	}
	return found
}

// configurationFile is the ansible.cfg that Ansible finds when it runs in a folder,
// the first that can be read; empty when there is none. One in a folder that anybody
// may write to does not count (Ansible documentation, "Ansible Configuration
// Settings").
func configurationFile(dir string) string {
	const name = "ansible.cfg"
	var places []string
	if named, ok := os.LookupEnv("ANSIBLE_CONFIG"); ok {
		named = absolute(named, dir)
		if info, err := os.Stat(named); err == nil && info.IsDir() {
			named = filepath.Join(named, name)
		}
		places = append(places, named)
	}
	if info, err := os.Stat(dir); err == nil && info.Mode().Perm()&0o002 == 0 {
		places = append(places, filepath.Join(dir, name))
	}
	for _, p := range append(places, absolute("~/."+name, dir), "/etc/ansible/"+name) {
		if f, err := os.Open(p); err == nil {
			f.Close()
			return p
		}
	}
	return ""
}

// absolute is a path as Ansible takes it: with variables, from the user's home, or
// from dir.
func absolute(path, dir string) string {
	path = os.ExpandEnv(path)
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, rest)
		}
	}
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

func parseSettings(text string) settings {
	found := settings{}
	section := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") || strings.HasPrefix(line, ";") {
			continue
		}
		if name, ok := strings.CutPrefix(line, "["); ok {
			section = strings.TrimSuffix(name, "]")
			continue
		}
		key, value, _ := strings.Cut(line, "=")
		value, _, _ = strings.Cut(value, " ;")
		found[section+"."+strings.TrimSpace(key)] = strings.TrimSpace(value)
	}
	return found
}

// checksHostKeys reports whether ssh has to know a host's key already.
func (s settings) checksHostKeys() bool {
	return !slices.Contains([]string{"false", "no", "off", "0", "f", "n"}, strings.ToLower(s["defaults.host_key_checking"]))
}
