package release

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// connectionVariables are those of the inventory that say how a host is reached
// (Ansible documentation, plugin connection/ssh). Passwords are not among them:
// no connection of this program's own asks for one.
func connectionVariables() []string {
	return []string{
		"ansible_connection", "ansible_host", "ansible_ssh_host", "ansible_port", "ansible_ssh_port", "ansible_user", "ansible_ssh_user",
		"ansible_private_key_file", "ansible_ssh_private_key_file", "ansible_ssh_args", "ansible_ssh_common_args", "ansible_ssh_extra_args",
	}
}

// connectionOf picks them out of a host's variables.
func connectionOf(vars map[string]any) map[string]string {
	found := map[string]string{}
	for _, name := range connectionVariables() {
		switch v := vars[name].(type) {
		case string:
			found[name] = v
		case float64:
			found[name] = fmt.Sprint(v)
		}
	}
	return found
}

// sshCommand is the argument list that runs a command line on a host, as Ansible
// would reach it: vars are the host's, config is what Ansible is told beside. The error
// names what only Ansible could resolve.
func sshCommand(host, inventory string, vars map[string]string, config settings, remote string) ([]string, error) {
	known := strings.NewReplacer("{{ inventory_hostname }}", host, "{{inventory_hostname}}", host, "{{ inventory_dir }}", inventory, "{{inventory_dir}}", inventory)
	get := func(fallback string, names ...string) string {
		for _, name := range names {
			if v := known.Replace(vars[name]); v != "" {
				return v
			}
		}
		return fallback
	}
	for _, name := range connectionVariables() {
		if v := known.Replace(vars[name]); strings.Contains(v, "{{") || strings.Contains(v, "{%") {
			return nil, fmt.Errorf("%s of %s is a template, which only Ansible can resolve: %s", name, host, v)
		}
	}
	switch kind := get("ssh", "ansible_connection"); kind {
	case "local":
		return []string{"/bin/sh", "-c", remote}, nil
	case "ssh", "smart":
	default:
		return nil, fmt.Errorf("ansible_connection of %s is %s, and not ssh", host, kind)
	}
	argv := append([]string{"ssh"}, unattended()...)
	if !config.checksHostKeys() {
		argv = append(argv, "-o", "StrictHostKeyChecking=no")
	}
	for _, option := range []struct{ flag, value string }{
		{"-p", get(config["defaults.remote_port"], "ansible_port", "ansible_ssh_port")},
		{"-l", get(config["defaults.remote_user"], "ansible_user", "ansible_ssh_user")},
		{"-i", get(config["defaults.private_key_file"], "ansible_private_key_file", "ansible_ssh_private_key_file")},
	} {
		if option.value != "" {
			argv = append(argv, option.flag, option.value)
		}
	}
	for _, name := range []string{"ssh_args", "ssh_common_args", "ssh_extra_args"} {
		words, err := shellWords(get(config["ssh_connection."+name], "ansible_"+name))
		if err != nil {
			return nil, fmt.Errorf("ansible_%s of %s: %w", name, host, err)
		}
		argv = append(argv, words...)
	}
	return append(argv, "--", get(host, "ansible_host", "ansible_ssh_host"), remote), nil
}

// unattended are the options of an ssh that nobody watches.
func unattended() []string {
	return []string{
		"-n", "-o", "BatchMode=yes", "-o", "ConnectTimeout=8", "-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3",
		"-o", "ControlMaster=no", "-o", "ControlPath=none",
	}
}

// Login is the command with which a person can try how a host is reached, as
// Ansible would reach it; "" where that is not by ssh, or not to be found out.
func (in *Infra) Login(host string) string {
	argv, err := sshCommand(host, in.Inventory, in.answer.Connect[host], readSettings(in.Dir), "")
	if err != nil || argv[0] != "ssh" {
		return ""
	}
	words := argv[len(unattended()) : len(argv)-1] // of which the first is to be ssh
	words[0] = "ssh"
	words = slices.DeleteFunc(words, func(w string) bool { return w == "--" })
	for i, w := range words {
		if strings.ContainsAny(w, " \t\"'`$&|;<>()*?[]#~!\\") {
			words[i] = shellQuote(w)
		}
	}
	return strings.Join(words, " ")
}

// shellWords takes a line apart as a shell does, without putting anything in
// (POSIX, XCU 2.2).
func shellWords(line string) ([]string, error) {
	var words []string
	var word strings.Builder
	inside, escaped := false, false
	quote := rune(0)
	for _, r := range line {
		switch {
		case escaped:
			word.WriteRune(r)
			escaped = false
		case r == '\\' && quote != '\'':
			escaped, inside = true, true
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, inside = r, true
		case strings.ContainsRune(" \t\n", r):
			if inside {
				words = append(words, word.String())
			}
			word.Reset()
			inside = false
		default:
			word.WriteRune(r)
			inside = true
		}
	}
	if quote != 0 || escaped {
		return nil, errors.New("a quote in it has no end")
	}
	if inside {
		words = append(words, word.String())
	}
	return words, nil
}
