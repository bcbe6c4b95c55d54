package e2e

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The drop-in for the NUMA node of a network interface, on a made-up sysfs
// whose first node is the real one.
func TestNUMA(t *testing.T) {
	f := road
	f.offer(t, "6.9.0", "", quick+", numa_netdevs: [eth0]}"+variables)
	f.offer(t, "6.9.1", "probe500", failing+"}"+variables)
	f.offer(t, "6.9.2", "", quick+", numa_netdevs: [eth7]}"+variables)
	f.deploy(t, 0, first, "--limit", "h1")
	out := f.deploy(t, 1, "6.9.2", "--limit", "h1")
	contains(t, out, "this host has no network interface eth7")
	f.runs(t, "h1", first)

	const dropIn = `cat /etc/systemd/system/hello.service.d/50-kinectl-numa.conf`
	f.deploy(t, 0, "6.9.0", "--limit", "h1") // one node only, as on every host of the lab
	f.expect(t, "h1", `ls -d /etc/systemd/system/hello.service.d 2>&1 | grep -c 'No such'; true`, "1")
	f.sh(t, "h1", `mkdir -p /root/sys/class/net/eth0/device /root/sys/devices/system/node/node0 /root/sys/devices/system/node/node1
		echo 0 >/root/sys/class/net/eth0/device/numa_node; echo 0 >/root/sys/devices/system/node/node0/cpulist; echo 1 >/root/sys/devices/system/node/node1/cpulist
		systemctl set-environment KINECTL_SYSFS=/root/sys`)
	t.Cleanup(func() { f.sh(t, "h1", `systemctl unset-environment KINECTL_SYSFS; rm -r /root/sys`) })
	f.deploy(t, 0, "6.9.0", "--limit", "h1")
	f.runs(t, "h1", "6.9.0")
	written := f.sh(t, "h1", dropIn)
	contains(t, written, "NUMAMask=0\nCPUAffinity=0\n")
	f.expect(t, "h1", `systemctl show -P NUMAPolicy -P NUMAMask -P CPUAffinity hello; grep Cpus_allowed_list /proc/$(systemctl show -P MainPID hello)/status`, "0\nbind\n0\nCpus_allowed_list:\t0")
	f.sh(t, "h1", `printf '# by hand\n' >>/etc/systemd/system/hello.service.d/50-kinectl-numa.conf`)
	f.deploy(t, 3, "6.9.1", "--limit", "h1")
	f.expect(t, "h1", dropIn, written+"\n# by hand")
	f.deploy(t, 0, first, "--limit", "h1")
	f.expect(t, "h1", `find /etc/systemd/system -name 'hello.service.d'; grep Cpus_allowed_list /proc/$(systemctl show -P MainPID hello)/status | grep -c '0$'; true`, "0")
	f.clean(t, "h1")
}

// Packages by distribution: each host takes its own; one that has none is
// refused. A dependency comes from the repository with it.
func TestDistributions(t *testing.T) {
	f := road
	data := filepath.Join(t.TempDir(), "data", "spec.yml")
	write(t, data, "service:\n  name: hello-data\n  group: applications\n  description: What hello needs beside it\n  exec: {start: none}\n  files: [{src: data.txt, dst: /usr/share/hello-data/data.txt}]\n")
	write(t, filepath.Join(filepath.Dir(data), "data.txt"), "data\n")
	f.publishSpec(t, data, "1.0.0")
	f.offer(t, "7.0.0", "", quick+"}\nrequired_packages: {debian12: [\"hello-data >= 1.0\"], ubuntu22.04: []}"+variables)
	f.offer(t, "7.1.0-rc1", "", quick+"}\nrequired_packages: {debian12: [hello-data], ubuntu22.04: []}"+variables)
	f.deploy(t, 0, first, "--limit", "h1,h2")
	f.sh(t, "h2", `cp /etc/os-release /root/os-release; cp --remove-destination /root/os-release /etc/os-release; sed -i 's/^ID=.*/ID=fedora/; s/^VERSION_ID=.*/VERSION_ID=40/' /etc/os-release`)
	out := f.deploy(t, 1, "7.0.0", "--limit", "h1,h2")
	contains(t, out, "this host is fedora40; hello 7.0.0 is made for debian12 ubuntu22.04")
	f.runs(t, "h1", first)
	f.sh(t, "h2", `cp /root/os-release /etc/os-release`)

	contains(t, f.deploy(t, 0, "7.0.0", "--limit", "h1,h2"), "1.0.0 → 7.0.0, healthy")
	f.expect(t, "h1", `dpkg-query -W hello hello-data; cat /usr/share/hello-data/data.txt`, "hello\t7.0.0~deb12\nhello-data\t1.0.0\ndata")
	contains(t, f.deploy(t, 0, "7.0.0", "--limit", "h1,h2"), "2 unchanged")
	out, code := f.run(t, f.fleet("status", "", "--limit", "h1,h2")...)
	if code != 0 {
		t.Errorf("status: exit code %d", code)
	}
	contains(t, out, "h1    7.0.0    healthy", "h2    7.0.0    healthy")
	if strings.Contains(out, "deb12") {
		t.Errorf("status tells of a distribution:\n%s", out)
	}
	f.deploy(t, 0, "7.1.0-rc1", "--limit", "h1,h2")
	f.expect(t, "h1", `dpkg-query -W -f '${Version}' hello`, "7.1.0~~rc1~deb12")
	out, code = f.run(t, f.fleet("rollback", "", "--limit", "h1,h2")...)
	if code != 0 {
		t.Fatalf("rollback: exit code %d\n%s", code, out)
	}
	contains(t, out, "7.1.0-rc1 → 7.0.0, healthy", "2 restored")
	f.expect(t, "h2", `dpkg-query -W -f '${Version}' hello; cat /etc/apt/preferences.d/kinectl-hello | grep Pin:`, "7.0.0~deb12Pin: version 7.0.0~deb12")
	for _, h := range []string{"h1", "h2"} {
		f.deploy(t, 0, first, "--limit", h)
		f.sh(t, h, `dpkg --purge hello-data`)
	}
}

// The playbook without kinectl: --check --diff changes nothing on a host, and
// a variable that nobody defines ends it before the first transaction.
func TestPlaybook(t *testing.T) {
	f := road
	f.offer(t, "7.2.0", "", quick+", before: /usr/bin/hello migrate}\nexec: {type: notify}\nsockets: [\":8080\"]"+variables+"\n  NOBODY={{ nobody }}")
	f.deploy(t, 0, first)
	dir := t.TempDir()
	if out, code := f.run(t, "render", "-f", f.spec("7.2.0"), "--version", "7.2.0", "-o", dir); code != 0 {
		t.Fatalf("render: exit code %d\n%s", code, out)
	}
	play := func(more ...string) (string, error) {
		argv := append([]string{"-i", filepath.Join(f.infra, "inventories", "lab"), filepath.Join(dir, "ansible", "deploy.yml")}, more...)
		out, err := exec.Command("ansible-playbook", argv...).CombinedOutput()
		return string(out), err
	}
	before := f.sh(t, "h1", everyFile)
	out, err := play("--check", "--diff", "-e", "nobody=x")
	if err != nil {
		t.Errorf("--check --diff: %v\n%s", err, out)
	}
	f.expect(t, "h1", everyFile, before)
	if out, err := play(); err == nil || !strings.Contains(out, "'nobody' is undefined") {
		t.Errorf("a variable that nobody defines: %v\n%s", err, out)
	}
	f.expect(t, "h1", everyFile, before)
	contains(t, f.deploy(t, 2, "7.2.0"), "the variable nobody is not defined for h1 h2 h3 h4")
	if out, err := play("-e", "nobody=x", "--limit", "h1"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	f.runs(t, "h1", "7.2.0")
	f.expect(t, "h1", `journalctl -q -o cat -u hello-before | grep -c 'hello 7.2.0: migrate'`, "1")
}
