package ansible

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kinectl/kinectl/internal/needs"
)

// TestMonitoring runs the stage with the real Ansible on three hosts with a
// Prometheus. One refuses the alerts: the others are told all the same, and so
// is that one of its new targets. An address of IPv6 is in brackets.
func TestMonitoring(t *testing.T) {
	program := needs.Program(t, "ansible-playbook", "Prometheus was told nothing")
	dir := t.TempDir()
	files := Deploy(hello("1"))
	_, stage, ok := strings.Cut(string(files[0].Body), "\n- name: Monitoring\n")
	if !ok {
		t.Fatal("the playbook has no stage Monitoring")
	}
	there := dir + "/{{ inventory_hostname }}"
	files[0].Body = []byte("---\n- name: Monitoring\n" + strings.NewReplacer(
		"[/etc/prometheus/targets, /etc/prometheus/rules]", `["`+there+`/targets", "`+there+`/rules"]`,
		"/etc/prometheus", there,
		`command -v promtool >/dev/null || exit 0; promtool check rules "$0"`, "test {{ inventory_hostname }} != m2",
		"if systemctl --quiet is-active prometheus; then systemctl reload prometheus; fi", "echo reloaded >>"+there+"/reloads",
	).Replace(stage))
	inventory := filepath.Join(dir, "hosts")
	write(t, inventory, "[applications]\nh1 ansible_host=198.51.100.11\nh2 ansible_host=fd00::1\nh3\n[monitoring]\nm1\nm2\nm3\n[monitoring:vars]\nansible_connection=local\nansible_become=false\nansible_remote_tmp="+dir+"/tmp\n", 0o644)
	playbook := place(t, dir, files)
	cmd := exec.Command(program, "-i", inventory, "--skip-tags", "connections", playbook)
	cmd.Env = append(os.Environ(), "ANSIBLE_NOCOLOR=1", "ANSIBLE_HOME="+dir)
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "failed to validate") {
		t.Errorf("the host that refuses: %v\n%s", err, out)
	}
	for _, h := range []string{"m1", "m2", "m3"} {
		told, _ := os.ReadFile(filepath.Join(dir, h, "reloads"))
		if string(told) != "reloaded\n" {
			t.Errorf("%s was told %q\n%s", h, told, out)
		}
	}
	targets, _ := os.ReadFile(filepath.Join(dir, "m1", "targets", "hello.json"))
	want := `["198.51.100.11:9100","[fd00::1]:9100","h3:9100"]`
	if got := strings.Join(strings.Fields(string(targets)), ""); !strings.Contains(got, want) {
		t.Errorf("targets are %s, want %s", got, want)
	}
}
