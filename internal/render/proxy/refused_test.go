package proxy

import (
	"encoding/base64"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestRefused: what the proxy refuses never comes, and the files of other services
// never go away.
func TestRefused(t *testing.T) {
	f := func(wanted, says string, after map[string]string) {
		t.Helper()
		dir := t.TempDir()
		etc := filepath.Join(dir, "nginx")
		write(t, filepath.Join(etc, "kinectl/films.conf"), "old\n")
		write(t, filepath.Join(etc, "kinectl/other.conf"), "other\n")
		write(t, filepath.Join(etc, "kinectl/hosts/a.conf"), "server\n")
		write(t, filepath.Join(etc, "kinectl/hosts/a.d/films.conf"), "old\n")
		before, err := os.Stat(filepath.Join(etc, "kinectl/other.conf"))
		if err != nil {
			t.Fatal(err)
		}
		text := strings.NewReplacer("/etc/$kind", dir+"/$kind", "/run/kinectl-proxy", dir+"/run", "\nmain\n", "\nsystemctl() { false; }\nnginx() { :; }\nunshare() { ! grep -rq bad \"$etc\"; }\nmain\n",
			"<<INCLUDE_ANSIBLE_MODULE_JSON_ARGS>>", `{"stage": "routes", "service": "films", "kind": "nginx", "files": "`+base64.StdEncoding.EncodeToString([]byte(wanted))+`"}`).Replace(string(module))
		out, err := exec.Command("sh", "-c", text).CombinedOutput()
		if err != nil || !strings.Contains(string(out), says) {
			t.Errorf("%q: %s, want %s; %v", wanted, out, says, err)
		}
		got := map[string]string{}
		if err := filepath.WalkDir(etc, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			text, err := os.ReadFile(path)
			got[strings.TrimPrefix(path, etc+"/kinectl/")] = string(text)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		for name := range got {
			if got[name] != after[name] {
				t.Errorf("%q: %s is %q, want %q", wanted, name, got[name], after[name])
			}
		}
		now, err := os.Stat(filepath.Join(etc, "kinectl/other.conf"))
		if err != nil || len(got) != len(after) || !os.SameFile(before, now) {
			t.Errorf("%q: %d files, want %d, or other.conf was written anew; %v", wanted, len(got), len(after), err)
		}
	}
	old := map[string]string{"films.conf": "old\n", "other.conf": "other\n", "hosts/a.conf": "server\n", "hosts/a.d/films.conf": "old\n"}
	f("#### kinectl/films.conf\nbad\n#### kinectl/hosts/b.conf\nserver\n#### kinectl/hosts/b.d/films.conf\nnew\n", `"failed":true,"changed":false,"msg":"nginx refuses`, old)
	f("#### kinectl/films.conf\nnew\n#### kinectl/hosts/b.conf\nserver\n#### kinectl/hosts/b.d/films.conf\nnew\n", `"failed":false,"changed":true`,
		map[string]string{"films.conf": "new\n", "other.conf": "other\n", "hosts/b.conf": "server\n", "hosts/b.d/films.conf": "new\n"})
	f("", `"failed":false,"changed":true`, map[string]string{"other.conf": "other\n"})
}

// TestKeptOut: a host whose mark stays is not said to be in, and keeps its timer.
func TestKeptOut(t *testing.T) {
	f := func(words, want, asked string) {
		t.Helper()
		dir := t.TempDir()
		write(t, filepath.Join(dir, "run/films/h1"), "kinectl-proxy-1\n")
		text := strings.NewReplacer("/run/kinectl-proxy", dir+"/run", "\nmain\n", "\nsystemctl() { echo \"$*\" >"+dir+"/asked; }\n"+words+"\nmain\n",
			"<<INCLUDE_ANSIBLE_MODULE_JSON_ARGS>>", `{"stage": "in", "service": "films", "host": "h1"}`).Replace(string(module))
		out, err := exec.Command("sh", "-c", text).CombinedOutput()
		if err != nil || !strings.HasPrefix(string(out), want) {
			t.Errorf("%s, want %s; %v", out, want, err)
		}
		if got, _ := os.ReadFile(filepath.Join(dir, "asked")); string(got) != asked {
			t.Errorf("systemctl was asked to %q, want %q", got, asked)
		}
	}
	f("", `{"failed":false,"changed":true,"msg":"h1 is in"}`, "--quiet stop kinectl-proxy-1.timer\n")
	f("rm() { echo 'Device or resource busy'; return 1; }", `{"failed":true,"changed":false,"msg":"h1 could not be brought back: Device or resource busy"}`, "")
}
