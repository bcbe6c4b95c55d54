package proxy

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kinectl/kinectl/internal/artifact"
	"github.com/kinectl/kinectl/internal/needs"
	"github.com/kinectl/kinectl/internal/plan"
)

var update = flag.Bool("update", false, "write the golden files anew")

// films has two ports, a wildcard, and a path with what nginx and HAProxy could
// take for their own.
func films() plan.Plan {
	return plan.Plan{
		Name: "my-films", Group: "applications", Deploy: plan.Deploy{Probe: plan.Probe{Metrics: 9100}},
		Routes: []plan.Route{
			{Host: "films.example.com", Path: "/", Port: 8080},
			{Host: "*.films.example.com", Path: "/", Port: 8080},
			{Host: "films.example.com", Path: "/admin;$x(?#)", Port: 8081},
		},
	}
}

func TestGolden(t *testing.T) {
	for _, f := range Files(films())[1:] {
		file := filepath.Join("testdata", filepath.Base(f.Path)+".golden")
		if *update {
			if err := os.WriteFile(file, f.Body, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(f.Body, want) {
			t.Errorf("%s: got\n%s\nwant\n%s", file, f.Body, want)
		}
	}
}

// Without routes there is the module alone, which takes old ones away.
func TestNoRoutes(t *testing.T) {
	p := films()
	p.Routes = nil
	if got := Files(p); len(got) != 1 || got[0].Path != "ansible/library/kinectl_proxy.sh" {
		t.Errorf("files of a service without routes: %v", got)
	}
}

// A service without metrics has no /ready: HAProxy asks whether it listens.
func TestNoMetrics(t *testing.T) {
	p := films()
	p.Deploy.Probe.Metrics = 0
	text := string(body(Files(p), ".haproxy.j2"))
	if strings.Contains(text, "/ready") || !strings.Contains(text, "libc,none check inter") {
		t.Errorf("checks of a service without metrics:\n%s", text)
	}
}

func body(files []artifact.File, end string) []byte {
	for _, f := range files {
		if strings.HasSuffix(f.Path, end) {
			return f.Body
		}
	}
	return nil
}

// The real Ansible fills the template for three hosts, one of them with an
// address of IPv6, and the real nginx reads it. One that is changed is refused.
func TestTemplates(t *testing.T) {
	nginx := needs.Program(t, "nginx", "nobody has read its configuration")
	all := filled(t)
	text := all["nginx"]
	for _, want := range []string{"\tserver [2001:db8::3]:8081 max_fails", "\t33.33% h1;\n\t33.33% h2;\n\t* h3;", "server_name *.films.example.com;", `location "/admin;$x(?#)" {`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	for _, c := range []struct {
		text string
		good bool
	}{{text, true}, {strings.Replace(text, "keepalive 16", "keepalive", 1), false}} {
		etc := t.TempDir()
		unpack(t, etc, strings.NewReplacer("/etc/nginx", etc, "listen 80", "listen unix:"+etc+"/four", "listen [::]:80", "listen unix:"+etc+"/six").Replace(c.text))
		main := filepath.Join(etc, "nginx.conf")
		write(t, main, "pid "+etc+"/pid;\nerror_log stderr;\nevents {}\nhttp { access_log off; include "+etc+"/conf.d/*.conf; }\n")
		out, err := exec.Command(nginx, "-t", "-q", "-p", etc, "-c", main).CombinedOutput()
		if (err == nil) != c.good {
			t.Errorf("nginx -t: %v\n%s", err, out)
		}
	}
	// The map of HAProxy is read line by line, up to the first blank and after it.
	_, routes, _ := strings.Cut(all["haproxy"], "#### kinectl/my-films.map\n")
	if want := "*.films.example.com/ kinectl-my-films-8080\nfilms.example.com/admin;$x(?#) kinectl-my-films-8081\nfilms.example.com/ kinectl-my-films-8080"; strings.TrimSpace(routes) != want {
		t.Errorf("the map is\n%s\nwant\n%s", routes, want)
	}
	if text := all["nginx without any"]; strings.TrimSpace(text) != "" {
		t.Errorf("no host is left, and there is\n%s", text)
	}
	if text := all["nginx without h2"]; strings.Contains(text, "h2") || !strings.Contains(text, "50.00% h1;\n\t* h3;") {
		t.Errorf("h2 goes, and there is\n%s", text)
	}
}

// filled gives the templates to Ansible and returns what it made of them: of each
// kind, and of nginx's with hosts that leave the group.
func filled(t *testing.T) map[string]string {
	t.Helper()
	ansible := needs.Program(t, "ansible-playbook", "nobody has filled the templates")
	dir := t.TempDir()
	write(t, filepath.Join(dir, "hosts"), "[applications]\nh1 ansible_host=198.51.100.11\nh2 ansible_host=198.51.100.12\nh3 ansible_host=2001:db8::3\n[proxy]\np1 ansible_connection=local\n")
	play := "- hosts: p1\n  gather_facts: false\n  tasks:\n"
	outputs := map[string]string{"nginx": "[]", "haproxy": "[]", "nginx without h2": "[h2]", "nginx without any": "[h1, h2, h3]"}
	for name, leaving := range outputs {
		kind, _, _ := strings.Cut(name, " ")
		write(t, filepath.Join(dir, kind+".j2"), string(body(Files(films()), "."+kind+".j2")))
		play += fmt.Sprintf("    - ansible.builtin.copy: {dest: '%s/%s', content: \"{{ lookup('ansible.builtin.template', '%s/%s.j2') }}\"}\n      vars: {kinectl_leaving: %s}\n", dir, name, dir, kind, leaving)
	}
	write(t, filepath.Join(dir, "play.yml"), play)
	cmd := exec.Command(ansible, "-i", filepath.Join(dir, "hosts"), filepath.Join(dir, "play.yml"))
	cmd.Env = append(os.Environ(), "ANSIBLE_HOME="+dir, "ANSIBLE_LOCAL_TEMP="+dir, "ANSIBLE_REMOTE_TEMP="+dir, "ANSIBLE_NOCOLOR=1", "ANSIBLE_PYTHON_INTERPRETER=auto_silent")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for name := range outputs {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		outputs[name] = string(text)
	}
	return outputs
}

func unpack(t *testing.T, etc, text string) {
	t.Helper()
	for _, part := range strings.Split(text, "#### ")[1:] {
		name, text, _ := strings.Cut(part, "\n")
		write(t, filepath.Join(etc, name), text)
	}
}

// The module is checked by the real shellcheck, and ends well where it says so.
func TestModule(t *testing.T) {
	shellcheck := needs.Program(t, "shellcheck", "nobody has checked the module")
	if out, err := exec.Command(shellcheck, "module.sh").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if !bytes.Contains(module, []byte("\n<<INCLUDE_ANSIBLE_MODULE_JSON_ARGS>>\n")) {
		t.Error("Ansible finds no place for the arguments")
	}
	for _, sh := range []string{"dash", "bash"} {
		if out, err := exec.Command(sh, "-n", "module.sh").CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", sh, err, out)
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
