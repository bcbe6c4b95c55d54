package scaffold

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// two is a host in two groups that both open ports, one in each other group, and a proxy.
const two = `all:
  children:
    applications: {hosts: {both: {ansible_host: 10.0.0.1}}}
    proxy: {hosts: {both: , front: {ansible_host: 10.0.0.2}}}
    monitoring: {hosts: {watch: {ansible_host: "2001:db8::1"}}}
`

// ruled renders the firewall's rules of a host of the inventory, without the indentation.
func ruled(t *testing.T, dir, host string) string {
	t.Helper()
	play := filepath.Join(dir, "rules.yml")
	text := `- hosts: ` + host + `
  connection: local
  gather_facts: false
  tasks:
    - {ansible.builtin.include_vars: roles/base/defaults/main.yml}
    - {ansible.builtin.include_vars: roles/base/vars/main.yml}
    - {ansible.builtin.include_vars: inventories/staging/group_vars/all.yml}
    - ansible.builtin.template: {src: roles/base/templates/nftables.conf.j2, dest: "{{ playbook_dir }}/` + host + `.conf"}
`
	if err := os.WriteFile(play, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("ansible-playbook", "-i", "inventories/staging", play)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	body, err := os.ReadFile(filepath.Join(dir, host+".conf"))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(body)) {
		if strings.Contains(line, "dport") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return strings.Join(lines, "\n")
}

// TestInfraFirewall: a host opens what each of its groups says and what all say, and
// its metrics to those that read them.
func TestInfraFirewall(t *testing.T) {
	needs(t, "ansible-playbook")
	dir := infraAt(t)
	staging := filepath.Join(dir, "inventories", "staging")
	put(t, filepath.Join(staging, "hosts.yml"), two)
	put(t, filepath.Join(staging, "group_vars", "all.yml"), "firewall_open: [{port: 53, proto: udp, from: [10.0.0.9]}]\n")
	const common = `udp dport { 68, 546 } accept comment "DHCP answers"
tcp dport 22 accept
ip saddr { 10.0.0.1, 10.0.0.2 } tcp dport 9090-9199 accept
ip6 saddr { 2001:db8::1 } tcp dport 9090-9199 accept
ip saddr { 10.0.0.9 } udp dport 53 accept
`
	for host, want := range map[string]string{
		"both":  common + "ip saddr { 10.0.0.1, 10.0.0.2 } tcp dport 8080 accept\ntcp dport 80 accept\ntcp dport 443 accept",
		"front": common + "tcp dport 80 accept\ntcp dport 443 accept",
		"watch": strings.TrimSpace(common),
	} {
		if got := ruled(t, dir, host); got != want {
			t.Errorf("%s opens\n%s\nwant\n%s", host, got, want)
		}
	}
}

// TestInfraVault: a secret in the file for it is a variable of the hosts that run
// services, as it stands, and of no other.
func TestInfraVault(t *testing.T) {
	needs(t, "ansible-inventory")
	dir := infraAt(t)
	for _, env := range []string{"production", "staging"} {
		inventory := filepath.Join(dir, "inventories", env)
		put(t, filepath.Join(inventory, "hosts.yml"), two)
		vault, err := os.OpenFile(filepath.Join(inventory, "group_vars", "applications", "vault.yml"), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := vault.WriteString("vault_films_token: JEFOU0lC\n"); err != nil {
			t.Fatal(err)
		}
		if err := vault.Close(); err != nil {
			t.Fatal(err)
		}
		for host, want := range map[string]bool{"both": true, "front": false} {
			cmd := exec.Command("ansible-inventory", "-i", inventory, "--host", host)
			cmd.Dir = dir
			out, err := cmd.CombinedOutput()
			if err != nil || strings.Contains(string(out), `"vault_films_token": "JEFOU0lC"`) != want {
				t.Errorf("%s of %s: %v, want the secret there: %v\n%s", host, env, err, want, out)
			}
		}
	}
}

func put(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
