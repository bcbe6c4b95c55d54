package proxy

import (
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kinectl/kinectl/internal/needs"
)

// nginxAt makes the folder of an nginx below dir that real nginx can read, and
// returns how to ask it.
func nginxAt(t *testing.T, dir string) (etc string, ask []string) {
	t.Helper()
	nginx := needs.Program(t, "nginx", "nobody has read what a power cut leaves")
	etc = filepath.Join(dir, "nginx")
	main := filepath.Join(etc, "nginx.conf")
	write(t, main, "pid "+dir+"/pid;\nerror_log stderr;\nevents {}\nhttp { access_log off; include "+etc+"/conf.d/*.conf; }\n")
	return etc, []string{nginx, "-t", "-q", "-p", dir, "-c", main}
}

// told runs the module's stage routes with /etc/nginx and /run below dir, after
// words of the shell that change it.
func told(dir, files, words string) (string, error) {
	etc := dir + "/nginx"
	files = strings.NewReplacer("/etc/nginx", etc, "listen 80", "listen unix:"+dir+"/four", "listen [::]:80", "listen unix:"+dir+"/six").Replace(files)
	text := strings.NewReplacer("/etc/$kind", dir+"/$kind", "/run/kinectl-proxy", dir+"/run", "\nmain\n", "\nsystemctl() { false; }\n"+words+"\nmain\n",
		"nginx -t -q", "nginx -t -q -p "+dir+" -c "+etc+"/nginx.conf",
		"<<INCLUDE_ANSIBLE_MODULE_JSON_ARGS>>", `{"stage": "routes", "service": "my-films", "kind": "nginx", "files": "`+base64.StdEncoding.EncodeToString([]byte(files))+`"}`).Replace(string(module))
	out, err := exec.Command("sh", "-c", text).CombinedOutput()
	return string(out), err
}

// TestCut kills the module before each change of the files that a boot would find,
// while routes come, change and go: the real nginx reads what is there every time, and
// the next run does the rest.
func TestCut(t *testing.T) {
	all := filled(t)
	const untried = "unshare() { :; }\nsync() { :; }\n" // a kill loses nothing that was written
	f := func(before, after string) {
		t.Helper()
		dir := t.TempDir()
		etc, ask := nginxAt(t, dir)
		step := func(files, words, says string) error {
			t.Helper()
			out, err := told(dir, files, untried+words)
			if err == nil && !strings.Contains(out, says) {
				t.Errorf("%s, want %s", out, says)
			}
			return err
		}
		copied := func(from, to string) {
			t.Helper()
			if out, err := exec.Command("sh", "-c", `rm -rf "$2" && cp -a "$1" "$2"`, "sh", from, to).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
		}
		_ = step(before, "", `"failed":false`)
		copied(etc, dir+"/before")
		for cut := 0; ; cut++ {
			copied(dir+"/before", etc)
			killed := step(after, fmt.Sprintf(`left=%d
				count() { case "$*" in *"$live/"*) [ "$left" -gt 0 ] || kill -9 $$; left=$((left - 1)) ;; esac; }
				for each in mv rm rmdir; do eval "$each() { count \"\$@\"; command $each \"\$@\"; }"; done`, cut), `"changed":true`)
			if out, err := exec.Command(ask[0], ask[1:]...).CombinedOutput(); err != nil {
				t.Errorf("cut before change %d: %v\n%s", cut, err, out)
			}
			if killed == nil {
				if cut < 5 {
					t.Errorf("only %d changes", cut)
				}
				_ = step(after, "", "nothing new")
				return
			}
			if err := step(after, "", `"changed":true`); err != nil {
				t.Errorf("after a cut before change %d: %v", cut, err)
			}
			left, _ := filepath.Glob(filepath.Join(dir, "run", ".work.*"))
			if pending, _ := filepath.Glob(filepath.Join(etc, "kinectl", ".pending")); len(left)+len(pending) > 0 {
				t.Errorf("cut before change %d: %v %v are left", cut, left, pending)
			}
		}
	}
	f("", all["nginx"])
	f(all["nginx"], strings.ReplaceAll(all["nginx without h2"], "_.films", "_.movies"))
	f(all["nginx"], "")
}

// TestTriedInACopy: the real nginx sees the new files where its own are, and nobody
// else ever does before it agrees.
func TestTriedInACopy(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("a mount namespace needs root")
	}
	dir := t.TempDir()
	etc, ask := nginxAt(t, dir)
	const conf, good = "#### conf.d/kinectl.conf\ninclude /etc/nginx/kinectl/*.conf;\n", "#### kinectl/my-films.conf\nmap $host $a { default 1; }\n"
	// Whatever is in place when nginx is asked.
	seen := fmt.Sprintf("unshare() { ls -A %s >%s/seen; command unshare \"$@\"; }", etc, dir)
	f := func(files, says, inPlace string) {
		t.Helper()
		if out, err := told(dir, files, seen); err != nil || !strings.Contains(out, says) {
			t.Errorf("%s, want %s; %v", out, says, err)
		}
		if names, _ := os.ReadFile(filepath.Join(dir, "seen")); strings.Join(strings.Fields(string(names)), " ") != inPlace {
			t.Errorf("in place while nginx tries: %q, want %q", names, inPlace)
		}
		if out, err := exec.Command(ask[0], ask[1:]...).CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}
	f(conf+strings.Replace(good, "default", "default 2 3", 1), `"failed":true,"changed":false,"msg":"nginx refuses the routes of my-films, which stay as they were: `, "nginx.conf")
	f(conf+good, `"failed":false,"changed":true`, "nginx.conf")
	f(conf+strings.Replace(good, "map", "mop", 1), `unknown directive \"mop\"`, "conf.d kinectl nginx.conf")
	if text, err := os.ReadFile(filepath.Join(etc, "kinectl", "my-films.conf")); err != nil || !strings.Contains(string(text), "map $host") {
		t.Errorf("%q; %v", text, err)
	}
	if _, err := os.Stat(filepath.Join(etc, "kinectl", ".pending")); err == nil {
		t.Error(".pending is left")
	}
}
