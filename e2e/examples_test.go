package e2e

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// released packages the spec at file, publishes it and deploys it on h1, from
// where it is removed at the end of the test.
func (f *fixture) released(t *testing.T, file, name, version string) {
	t.Helper()
	dist := t.TempDir()
	fleet := []string{"-f", file, "--infra", f.infra, "--env", "lab", "--limit", "h1"}
	for _, argv := range [][]string{
		{"lint", file},
		{"package", "-f", file, "--version", version, "--format", "deb", "--arch", runtime.GOARCH, "-o", dist},
		{"repo", "publish", f.repo, "--key", filepath.Join(f.dir, "key.asc"), filepath.Join(dist, name+"_"+version+"_"+runtime.GOARCH+".deb")},
		append([]string{"deploy", "--version", version}, fleet...),
	} {
		if out, code := f.run(t, argv...); code != 0 {
			t.Fatalf("kinectl %v: exit code %d\n%s", argv, code, out)
		}
	}
	t.Cleanup(func() {
		if out, code := f.run(t, append([]string{"remove"}, fleet...)...); code != 0 {
			t.Errorf("remove: exit code %d\n%s", code, out)
		}
	})
}

// edited writes the spec of an example into a new folder, changed for this lab.
func edited(t *testing.T, example string, change func(string) string) string {
	t.Helper()
	src, err := os.ReadFile(filepath.Join("..", "services", example, "spec.yml"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "spec.yml")
	text := regexp.MustCompile(`(?m)^  group: .*`).ReplaceAllString(change(string(src)), "  group: applications")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// exporter returns Debian's build of the node exporter, which stands for that
// of upstream: tests download nothing from there.
func exporter(t *testing.T) string {
	t.Helper()
	if path, err := exec.LookPath("prometheus-node-exporter"); err == nil {
		return path
	}
	dir := t.TempDir()
	cmd := exec.Command("sh", "-c", "apt-get -q download prometheus-node-exporter && dpkg-deb -x ./*.deb .")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		if os.Getenv("KINECTL_E2E") == "required" {
			t.Fatalf("%v: %s", err, out)
		}
		t.Skip("there is no prometheus-node-exporter here, and apt-get has none: nothing was packaged")
	}
	return filepath.Join(dir, "usr/bin/prometheus-node-exporter")
}

// TestThirdParty takes somebody else's program from an archive to a healthy
// service, with a spec and no code.
func TestThirdParty(t *testing.T) {
	f := road
	program, err := os.ReadFile(exporter(t))
	if err != nil {
		t.Fatal(err)
	}
	folder := "node_exporter-1.8.2.linux-" + runtime.GOARCH
	sum := ""
	file := edited(t, "node-metrics", func(s string) string {
		return regexp.MustCompile(`https://.*/(node_exporter-\{version\})`).ReplaceAllString(s, "$1")
	})
	archive, err := os.Create(filepath.Join(filepath.Dir(file), folder+".tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	z := gzip.NewWriter(archive)
	w := tar.NewWriter(z)
	if err := w.WriteHeader(&tar.Header{Name: folder + "/node_exporter", Mode: 0o755, Size: int64(len(program))}); err != nil {
		t.Fatal(err)
	}
	_, _ = w.Write(program)
	for _, close := range []func() error{w.Close, z.Close, archive.Close} {
		if err := close(); err != nil {
			t.Fatal(err)
		}
	}
	if body, err := os.ReadFile(archive.Name()); err != nil {
		t.Fatal(err)
	} else {
		sum = fmt.Sprintf("%x", sha256.Sum256(body))
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text = regexp.MustCompile(runtime.GOARCH+`: [0-9a-f]{64}`).ReplaceAll(text, []byte(runtime.GOARCH+": "+sum))
	if err := os.WriteFile(file, text, 0o644); err != nil {
		t.Fatal(err)
	}

	f.released(t, file, "node-metrics", "1.8.2")
	metrics := f.sh(t, "h1", `curl -s http://127.0.0.1:9100/metrics`)
	for _, want := range []string{"node_exporter_build_info{", "node_cpu_seconds_total{", "node_memory_MemTotal_bytes ", "node_boot_time_seconds ", `node_network_receive_bytes_total{device="eth0"}`} {
		contains(t, metrics, "\n"+want)
	}
	for _, collector := range []string{"cpu", "diskstats", "filesystem", "loadavg", "meminfo", "netdev", "netstat", "sockstat", "stat", "vmstat"} {
		contains(t, metrics, fmt.Sprintf("node_scrape_collector_success{collector=%q} 1\n", collector))
	}
	f.expect(t, "h1", `systemctl show -P User -P Nice -P ActiveState -P NRestarts node-metrics | sort`, "0\n10\nactive\nnode-metrics")
}

// site returns the spec of the static site, with its program beside it.
func site(t *testing.T) string {
	t.Helper()
	// The code is beside the spec: here it is taken as built.
	file := edited(t, "site", func(s string) string { return strings.Replace(s, "generate: true", "binary: program", 1) })
	const library = "github.com/kinectl/kinectl/service"
	for _, argv := range [][]string{
		{"generate", "../services/site"},
		{"build", "-trimpath", "-ldflags", "-X " + library + ".name=site -X " + library + ".version=1.0.0", "-o", filepath.Join(filepath.Dir(file), "program"), "../services/site"},
	} {
		cmd := exec.Command("go", argv...)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "PATH="+filepath.Dir(road.kinectl)+":"+os.Getenv("PATH"))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go %v: %v: %s", argv, err, out)
		}
	}
	return file
}

// TestSite releases the static site and reads its pages.
func TestSite(t *testing.T) {
	f := road
	file := site(t)
	taken(t, file)
	f.released(t, file, "site", "1.0.0")
	contains(t, f.sh(t, "h1", `curl -s http://127.0.0.1:8081/`), "<title>A site in one program</title>")
	f.expect(t, "h1", `curl -s -o /dev/null -w '%{http_code} %{content_type}' http://127.0.0.1:8081/style.css`, "200 text/css; charset=utf-8")
	contains(t, f.sh(t, "h1", `curl -sI -H 'Accept-Encoding: br' http://127.0.0.1:8081/$(curl -s http://127.0.0.1:8081/ | grep -o 'style[^"]*css')`), "immutable", "Content-Encoding: br")
	contains(t, f.sh(t, "h1", `curl -s http://127.0.0.1:9091/metrics | grep ^build_info`), `name="site"`, `version="1.0.0"`)
}

// taken finds the first release refused on a host where the name of the service
// is another's, whatever the package manager would let pass.
func taken(t *testing.T, file string) {
	t.Helper()
	f, dist := road, t.TempDir()
	for _, argv := range [][]string{
		{"package", "-f", file, "--version", "1.0.0", "--format", "deb", "--arch", runtime.GOARCH, "-o", dist},
		{"repo", "publish", f.repo, "--key", filepath.Join(f.dir, "key.asc"), filepath.Join(dist, "site_1.0.0_"+runtime.GOARCH+".deb")},
	} {
		if out, code := f.run(t, argv...); code != 0 {
			t.Fatalf("kinectl %v: exit code %d\n%s", argv, code, out)
		}
	}
	refused := func(prepare, undo, want string) {
		t.Helper()
		f.sh(t, "h1", prepare)
		out, code := f.run(t, "deploy", "--version", "1.0.0", "-f", file, "--infra", f.infra, "--env", "lab", "--limit", "h1")
		if code != 1 {
			t.Errorf("exit code %d", code)
		}
		contains(t, out, want)
		f.expect(t, "h1", `test -e /usr/bin/site || echo untouched`, "untouched")
		f.sh(t, "h1", undo)
	}
	refused(`mkdir -p /run/other/DEBIAN /run/other/etc/site && echo x >/run/other/etc/site/x &&
		printf 'Package: other\nVersion: 1\nArchitecture: all\nMaintainer: x <x@example.com>\nDescription: x\n' >/run/other/DEBIAN/control &&
		dpkg-deb -b /run/other /run/other.deb && dpkg -i /run/other.deb`, `dpkg -P other; rm -rf /run/other*`, "/etc/site belongs to the package other on this host")
	refused(`useradd -u 1234 site`, `userdel site; groupdel site 2>/dev/null; true`, "the user site is a person's on this host (uid 1234)")
}

// TestOwnPackage installs kinectl by its own package and uses it on a host.
func TestOwnPackage(t *testing.T) {
	f := road
	dir := t.TempDir()
	spec, err := os.ReadFile("../spec.yml")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "spec.yml"), spec, 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "run", "../cmd/kinectl-man", filepath.Join(dir, "dist"), "1.0.0").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	program := filepath.Join(dir, "program")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w -X main.version=1.0.0", "-o", program, "../cmd/kinectl")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	out, code := f.run(t, "deb", "-f", filepath.Join(dir, "spec.yml"), "--version", "1.0.0", "--binary", program, "-o", dir)
	if code != 0 {
		t.Fatal(out)
	}
	file := filepath.Join(dir, "kinectl_1.0.0~deb12_"+runtime.GOARCH+".deb")
	if _, err := exec.LookPath("lintian"); err == nil {
		if out, err := exec.Command("lintian", "--allow-root", "--fail-on", "error", file).CombinedOutput(); err != nil {
			t.Errorf("lintian: %v\n%s", err, out)
		}
	} else if os.Getenv("KINECTL_E2E") == "required" {
		t.Error("lintian is not installed")
	}
	deb, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	f.place(t, "h1", map[string]string{"/root/kinectl.deb": string(deb)})
	// A host of the lab has no Ansible and no mirror to get it from.
	f.sh(t, "h1", `dpkg --force-depends -i /root/kinectl.deb 2>&1`)
	t.Cleanup(func() { f.sh(t, "h1", `dpkg --purge kinectl; rm -rf /root/kinectl.deb /root/own`) })
	f.expect(t, "h1", `kinectl --version`, "kinectl version 1.0.0")
	f.sh(t, "h1", `kinectl init /root/own --name own && kinectl lint -f /root/own/spec.yml`)
	f.expect(t, "h1", `bash --norc -c '. /usr/share/bash-completion/completions/kinectl; complete -p kinectl'`, "complete -o default -F __start_kinectl kinectl")
	contains(t, f.sh(t, "h1", `zcat /usr/share/man/man1/kinectl-package.1.gz`), `.TH "KINECTL-PACKAGE" "1"`, "kinectl 1.0.0")
	if units := strings.TrimSpace(f.sh(t, "h1", `dpkg -L kinectl | grep -c systemd || true`)); units != "0" {
		t.Errorf("it brings %s units", units)
	}
}
