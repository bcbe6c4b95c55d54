package transaction

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kinectl/kinectl/internal/needs"
	"github.com/kinectl/kinectl/internal/plan"
)

// sourced runs a line of shell with all functions of the script of p, whose
// ways in are left out.
func sourced(t *testing.T, p plan.Plan, line string, env ...string) (string, error) {
	t.Helper()
	text, _, ok := strings.Cut(string(Script(p)), "\nuptime\nstarted=")
	if !ok {
		t.Fatal("the script has another end")
	}
	cmd := exec.Command("sh", "-c", text+"\n"+line)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// sysfs makes a tree with nodes, by their CPUs, and network interfaces, by
// their node; "" stands for an interface without one, as a bridge has.
func sysfs(t *testing.T, nodes []string, interfaces map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	write := func(path, text string) {
		file := filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("devices/system/node/online", "0")
	for i, cpus := range nodes {
		write(fmt.Sprintf("devices/system/node/node%d/cpulist", i), cpus)
	}
	for name, node := range interfaces {
		write("class/net/"+name+"/mtu", "1500")
		if node != "" {
			write("class/net/"+name+"/device/numa_node", node)
		}
	}
	return dir
}

func TestNUMABinding(t *testing.T) {
	f := func(want string, nodes []string, interfaces map[string]string, netdevs ...string) {
		t.Helper()
		p := hello()
		p.Deploy.NUMANetdevs = netdevs
		got, err := sourced(t, p, `numa_binding || { say "refused: $reason"; }`, "KINECTL_SYSFS="+sysfs(t, nodes, interfaces))
		if err != nil || got != want {
			t.Errorf("%v on %v: %v, got\n%s\nwant\n%s", netdevs, interfaces, err, got, want)
		}
	}
	bound := func(node, names, cpus string) string {
		return "# Written by kinectl: NUMA node " + node + " has the network interface " + names + ".\n[Service]\nNUMAPolicy=bind\nNUMAMask=" + node + "\nCPUAffinity=" + cpus + "\nAllowedMemoryNodes=" + node + "\n"
	}
	two := []string{"0-7,16-23", "8-15,24-31"}
	cards := map[string]string{"eth0": "0", "eth1": "1", "eth2": "1", "wan0": "-1", "br0": ""}
	f(bound("0", "eth0", "0-7,16-23"), two, cards, "eth0")
	f(bound("1", "eth1 eth2", "8-15,24-31"), two, cards, "eth1", "eth2")
	f(bound("0,1", "eth1 eth0", "0-7,16-23,8-15,24-31"), two, cards, "eth1", "eth0")
	f(bound("1", "wan0 eth1", "8-15,24-31"), two, cards, "wan0", "eth1")
	f("", two, cards, "wan0") // a card that is nowhere
	f("", two, cards, "br0")  // not even a card
	f("", two, cards)
	f("", []string{"0-7"}, map[string]string{"eth0": "0"}, "eth0") // one node only
	f("", nil, map[string]string{"eth0": "-1"}, "eth0")            // no NUMA
	f("refused: deploy.numa_netdevs: this host has no network interface eth7\n", two, cards, "eth0", "eth7")
}

// TestNUMADropIn gives a drop-in to the real systemd, which must not doubt it.
func TestNUMADropIn(t *testing.T) {
	program := needs.Program(t, "systemd-analyze", "the drop-in was not given to systemd")
	p := hello()
	p.Deploy.NUMANetdevs = []string{"eth1"}
	text, err := sourced(t, p, "numa_binding", "KINECTL_SYSFS="+sysfs(t, []string{"0", "1"}, map[string]string{"eth1": "1"}))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "numa.service")
	if err := os.WriteFile(file, []byte(text+"ExecStart=/bin/true\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "verify", "--man=no", file)
	cmd.Env = append(os.Environ(), "SYSTEMD_LOG_LEVEL=info")
	out, _ := cmd.CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "numa.service") {
			t.Errorf("systemd says %s", line)
		}
	}
}

// TestWords gives words to a shell, as the script does, and expects what
// systemd would make of them.
func TestWords(t *testing.T) {
	f := func(want string, c plan.Command) {
		t.Helper()
		p := hello()
		p.Deploy.Before = c
		got, err := sourced(t, p, `eval "set -- $before"; printf '<%s>' "$@"`)
		if err != nil || got != want {
			t.Errorf("%v: %v, got %s, want %s", c, err, got, want)
		}
	}
	f("</usr/bin/hello><migrate>", plan.Line("/usr/bin/hello", "migrate"))
	f("</x><two  words><it's><\"><\\><$$HOME><`id`><;><*><100%>", plan.Line("/x", "two  words", "it's", `"`, `\`, "$HOME", "`id`", ";", "*", "100%"))
	f("</x><--dsn=${DSN}><>", plan.Command{{{Literal: "/x"}}, {{Literal: "--dsn="}, {Variable: "DSN"}}, {}})
	f("<>", nil)
}

// TestVariant chooses the package by /etc/os-release.
func TestVariant(t *testing.T) {
	f := func(want, here string, of ...string) {
		t.Helper()
		p := hello()
		p.Package.ByDistribution = map[string][]plan.Dependency{}
		for _, d := range of {
			p.Package.ByDistribution[d] = nil
		}
		release := filepath.Join(t.TempDir(), "os-release")
		if err := os.WriteFile(release, []byte(here), 0o644); err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(string(Script(p)), "/etc/os-release", release)
		text, _, _ = strings.Cut(text, "\nuptime\nstarted=")
		out, err := exec.Command("sh", "-c", text+"\nif choose_variant; then say $package_version; else say \"$reason\"; fi").CombinedOutput()
		if got := strings.TrimSuffix(string(out), "\n"); err != nil || !strings.HasPrefix(got, want) {
			t.Errorf("%q of %v: %v, got %s, want %s", here, of, err, got, want)
		}
	}
	f("1.2.0~rc1", "ID=debian\nVERSION_ID=\"12\"\n")
	f("1.2.0~~rc1~deb12", "ID=debian\nVERSION_ID=\"12\"\n", "debian12", "ubuntu22.04")
	f("1.2.0~~rc1~ubuntu22.04", "ID=ubuntu\nVERSION_ID=22.04\n", "debian12", "ubuntu22.04")
	f("1.2.0~rc1", "ID=debian\nVERSION_ID=12\n", "rhel9") // an rpm distribution has no deb
	f("this host is ubuntu24.04; hello 1.2.0-rc1 is made for debian12 ubuntu22.04", "ID=ubuntu\nVERSION_ID=24.04\n", "debian12", "ubuntu22.04")
	f("this host is debian; hello", "ID=debian\n", "debian12")
}
