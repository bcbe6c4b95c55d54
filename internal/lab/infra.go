package lab

import (
	"fmt"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v4"
)

// This file decides what ssh and Ansible are told about a lab. It is pure.

// sshConfig is an ssh_config(5) for all hosts of a lab. Nothing of the user's
// own configuration applies, host keys are checked, and the connection starts inside
// the lab's network: program dials there and hands ssh the socket.
func sshConfig(dir, name, program string, hosts []Host) string {
	var b strings.Builder
	for _, h := range hosts {
		fmt.Fprintf(&b, "Host %s\n    HostName %s\n", h.Name, h.Address)
	}
	fmt.Fprintf(&b, `Host *
    User root
    IdentityFile %s
    IdentitiesOnly yes
    IdentityAgent none
    UserKnownHostsFile %s
    GlobalKnownHostsFile none
    StrictHostKeyChecking yes
    UpdateHostKeys no
    CheckHostIP no
    LogLevel ERROR
    ConnectTimeout 10
    ServerAliveInterval 5
    ServerAliveCountMax 3
    ProxyUseFdpass yes
    ProxyCommand %s lab connect --name %s %%h %%p
`, filepath.Join(dir, "ssh", "id_ed25519"), filepath.Join(dir, "ssh", "known_hosts"),
		strings.ReplaceAll(shellQuote(program), "%", "%%"), name)
	return b.String()
}

// shellQuote makes one word of s for sh(1).
func shellQuote(s string) string {
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// knownHosts is a known_hosts file (sshd(8)) with the key of every host.
func knownHosts(hosts []Host, keys map[string]keyPair) string {
	var b strings.Builder
	for _, h := range hosts {
		fmt.Fprintf(&b, "%s,%s %s\n", h.Name, h.Address, keys[h.Name].public)
	}
	return b.String()
}

// etcHosts lets the hosts call each other, and the machine outside, by name.
func etcHosts(hosts []Host) string {
	var b strings.Builder
	fmt.Fprintf(&b, "127.0.0.1 localhost\n::1 localhost\n%s lab\n", Gateway)
	for _, h := range hosts {
		fmt.Fprintf(&b, "%s %s\n", h.Address, h.Name)
	}
	return b.String()
}

// inventory is the lab's hosts.yml.
func inventory(dir string, hosts []Host, groups []string) ([]byte, error) {
	type members struct {
		Hosts map[string]any `yaml:"hosts"`
	}
	all := struct {
		Hosts    map[string]any     `yaml:"hosts"`
		Vars     map[string]string  `yaml:"vars"`
		Children map[string]members `yaml:"children"`
	}{
		Hosts: map[string]any{},
		Vars: map[string]string{
			"ansible_user":                 "root",
			"ansible_ssh_private_key_file": filepath.Join(dir, "ssh", "id_ed25519"),
			"ansible_python_interpreter":   "/usr/bin/python3",
			"ansible_ssh_common_args":      "-F " + filepath.Join(dir, "ssh", "config"),
			// Ansible names its shared connections by address and user, which
			// another lab has too: in a common directory one lab would talk to the other's hosts.
			"ansible_control_path_dir": filepath.Join(dir, "ssh", "cp"),
		},
		Children: map[string]members{},
	}
	names := map[string]any{}
	for _, h := range hosts {
		all.Hosts[h.Name] = map[string]string{"ansible_host": h.Address}
		names[h.Name] = map[string]string{}
	}
	for _, g := range groups {
		all.Children[g] = members{names}
	}
	return yaml.Marshal(map[string]any{"all": all})
}

// groupVars is group_vars/all.yml.
func groupVars(vars map[string]any) ([]byte, error) {
	if vars == nil {
		vars = map[string]any{}
	}
	return yaml.Marshal(vars)
}
