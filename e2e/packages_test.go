package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// A package by itself, in the hands of apt alone: what each step leaves.
func TestPackageLife(t *testing.T) {
	f := road
	const host = "h1"
	f.publishCatalogue(t)
	f.sh(t, host, `apt-get -q update`)
	t.Cleanup(func() {
		f.sh(t, host, `apt-get -q -y purge catalogue; rm -rf /var/lib/catalogue /etc/catalogue /etc/systemd/system/catalogue.service.d`)
	})
	apt := func(verb string) {
		t.Helper()
		f.sh(t, host, `DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Options::=--force-confold --allow-downgrades `+verb)
	}
	const (
		left    = `find /etc /usr /var -xdev -name '*catalogue*' ! -path '/var/lib/dpkg/*' ! -path '/var/cache/apt/*' ! -path '/var/log/*' | sort`
		running = `for u in catalogue.service catalogue-cleanup.timer; do systemctl is-active $u; systemctl is-enabled $u 2>&1; done; true`
		user    = `getent passwd catalogue-owner | cut -d: -f1,7; getent group catalogue-owner | cut -d: -f1`
		pid     = `systemctl show -P MainPID catalogue`
		config  = `cat /etc/catalogue/catalogue.conf`
	)
	lines := func(l ...string) string { return strings.Join(l, "\n") }
	const stays = "catalogue-owner:/usr/sbin/nologin\ncatalogue-owner"
	files := []string{
		"/etc/catalogue", "/etc/catalogue/catalogue.conf", "/usr/bin/catalogue", "/usr/lib/systemd/system/catalogue-cleanup.service",
		"/usr/lib/systemd/system/catalogue-cleanup.timer", "/usr/lib/systemd/system/catalogue.service", "/usr/lib/sysusers.d/catalogue.conf",
		"/usr/share/catalogue", "/usr/share/doc/catalogue", "/usr/share/kinectl/catalogue", "/usr/share/lintian/overrides/catalogue",
	}

	apt(`install catalogue=1.0.0`)
	f.expect(t, host, left, lines(files...))
	f.expect(t, host, running, lines("inactive", "disabled", "inactive", "disabled"))
	f.expect(t, host, user, stays)
	f.expect(t, host, `stat -c '%U:%G %a' /etc/catalogue/catalogue.conf; runuser -u catalogue-owner -- cat /etc/catalogue/catalogue.conf`, lines("root:catalogue-owner 640", "size=1.0.0"))
	f.expect(t, host, `dpkg --verify catalogue; systemctl show -P NeedDaemonReload catalogue; ls /usr/share/catalogue /usr/share/doc/catalogue`,
		lines("no", "/usr/share/catalogue:", "logo.svg", "", "/usr/share/doc/catalogue:", "changelog.gz", "copyright", "sbom.cdx.json"))

	f.sh(t, host, `printf 'HTTP_ADDRESS=:18080\nMETRICS_ADDRESS=:19090\n' >/etc/catalogue/environment
		systemctl enable -q --now catalogue.service catalogue-cleanup.timer
		echo size=mine >/etc/catalogue/catalogue.conf
		mkdir -p /etc/systemd/system/catalogue.service.d /var/lib/catalogue /var/cache/catalogue
		printf '[Service]\nNice=1\n' >/etc/systemd/system/catalogue.service.d/numa.conf
		printf '[Service]\nNice=2\n' >/etc/systemd/system/catalogue.service.d/50-kinectl-numa.conf
		echo mine >/etc/catalogue/notes; echo data >/var/lib/catalogue/data; echo x >/var/cache/catalogue/x`)
	f.expect(t, host, running, lines("active", "enabled", "active", "enabled"))
	since := f.sh(t, host, pid)

	t.Log("1.1.0 is without the timer, and has a newer configuration")
	apt(`install catalogue=1.1.0`)
	f.expect(t, host, pid, since)
	f.expect(t, host, running, lines("active", "enabled", "inactive", "Failed to get unit file state for catalogue-cleanup.timer: No such file or directory"))
	f.expect(t, host, config, "size=mine")
	f.expect(t, host, `find /etc/systemd/system -name '*catalogue*' | sort`, lines("/etc/systemd/system/catalogue.service.d", "/etc/systemd/system/multi-user.target.wants/catalogue.service"))

	apt(`install catalogue=1.0.0`)
	f.expect(t, host, pid, since)
	f.expect(t, host, running, lines("active", "enabled", "inactive", "disabled"))
	f.expect(t, host, config, "size=mine")
	f.sh(t, host, `systemctl enable -q --now catalogue-cleanup.timer`)

	apt(`remove catalogue`)
	f.expect(t, host, `systemctl is-active catalogue.service catalogue-cleanup.timer catalogue-cleanup.service; systemctl show -P LoadState catalogue catalogue-cleanup.timer`,
		lines("inactive", "inactive", "inactive", "not-found", "", "not-found"))
	f.expect(t, host, left, lines("/etc/catalogue", "/etc/catalogue/catalogue.conf", "/etc/catalogue/catalogue.conf.dpkg-dist",
		"/etc/systemd/system/catalogue.service.d", "/var/cache/catalogue", "/var/lib/catalogue", "/var/lib/systemd/timers/stamp-catalogue-cleanup.timer"))
	f.expect(t, host, config+`; cat /etc/catalogue/environment | wc -l; cat /var/lib/catalogue/data`, lines("size=mine", "2", "data"))
	f.expect(t, host, user, stays)

	apt(`install catalogue=1.0.0`)
	f.expect(t, host, running, lines("inactive", "disabled", "inactive", "disabled"))
	f.expect(t, host, config, "size=mine")

	apt(`purge catalogue`)
	// What somebody put beside ours is not ours to delete.
	f.expect(t, host, left, lines("/etc/catalogue", "/etc/systemd/system/catalogue.service.d", "/var/lib/catalogue"))
	f.expect(t, host, `ls /etc/catalogue /etc/systemd/system/catalogue.service.d`, lines("/etc/catalogue:", "notes", "", "/etc/systemd/system/catalogue.service.d:", "numa.conf"))
	f.expect(t, host, `cat /var/lib/catalogue/data; dpkg-query -W catalogue 2>&1 | grep -v 'no packages found'; true`, "data")
	f.expect(t, host, user, stays)
	f.expect(t, host, `systemctl list-units --all --no-legend '*catalogue*'; systemctl list-units --failed --no-legend '*catalogue*'`, "")
}

// publishCatalogue puts two versions of another service into the repository.
func (f *fixture) publishCatalogue(t *testing.T) {
	t.Helper()
	ctx, dir := context.Background(), t.TempDir()
	publish := []string{f.kinectl, "repo", "publish", f.repo, "--key", filepath.Join(f.dir, "key.asc")}
	for version, timers := range map[string]string{"1.0.0": "  timers:\n    - {name: cleanup, on_calendar: daily}\n", "1.1.0": ""} {
		at := filepath.Join(dir, version)
		for name, text := range map[string]string{
			"spec.yml": `service:
  name: catalogue
  group: applications
  description: The service of the test of packages
  limits: {mem: 64M}
  cache: true
  security: {owner: catalogue-owner}
  files:
    - {src: catalogue.conf, dst: /etc/catalogue/catalogue.conf, mode: "0640", type: config}
    - {src: assets, dst: /usr/share/catalogue}
` + timers,
			"catalogue.conf":  "size=" + version + "\n",
			"assets/logo.svg": "<svg/>",
		} {
			path := filepath.Join(at, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		program := filepath.Join(at, "program")
		for _, argv := range [][]string{
			{"go", "build", "-trimpath", "-ldflags", "-s -w -X main.name=catalogue -X main.version=" + version, "-o", program, "../services/hello"},
			{f.kinectl, "package", "-f", filepath.Join(at, "spec.yml"), "--version", version, "--binary", program, "--format", "deb", "-o", dir},
		} {
			if err := command(ctx, argv...); err != nil {
				t.Fatal(err)
			}
		}
		publish = append(publish, filepath.Join(dir, fmt.Sprintf("catalogue_%s_%s.deb", version, runtime.GOARCH)))
	}
	if err := command(ctx, publish...); err != nil {
		t.Fatal(err)
	}
}
