package e2e

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/spec"
)

// TestMetricsInSandbox compares what client_golang collects of a program in
// the sandbox and outside of it.
func TestMetricsInSandbox(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	program := filepath.Join(t.TempDir(), "gauges")
	if err := command(ctx, "go", "-C", "testdata/metrics", "build", "-o", program, "."); err != nil {
		t.Fatal(err)
	}
	body, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	p := planned(t, "service:\n  name: gauges\n  group: apps\n  description: Counts\n  exec: {start: \"/usr/bin/gauges 127.0.0.1:9198\"}\n")
	road.installed(t, "h1", string(body), "", p)
	t.Cleanup(func() { road.sh(t, "h1", `systemctl stop gauges-outside`) })
	road.sh(t, "h1", `systemctl start gauges && systemd-run -q --unit=gauges-outside -p User=gauges /usr/bin/gauges 127.0.0.1:9199`)
	names := func(port int) []string {
		t.Helper()
		get := fmt.Sprintf("curl -s http://127.0.0.1:%d/metrics", port)
		road.await(t, "h1", get+" >/dev/null")
		all := map[string]bool{}
		for _, m := range regexp.MustCompile(`(?m)^([a-z_]+)`).FindAllStringSubmatch(road.sh(t, "h1", get), -1) {
			all[m[1]] = true
		}
		return slices.Sorted(maps.Keys(all))
	}
	inside, outside := names(9198), names(9199)
	if !slices.Equal(inside, outside) {
		t.Errorf("inside of the sandbox:\n%q\noutside:\n%q", inside, outside)
	}
	for _, name := range []string{
		"go_goroutines", "go_memstats_alloc_bytes", "process_cpu_seconds_total", "process_open_fds", "process_max_fds",
		"process_resident_memory_bytes", "process_virtual_memory_bytes", "process_start_time_seconds",
		"process_network_receive_bytes_total", "process_network_transmit_bytes_total",
	} {
		if !slices.Contains(inside, name) {
			t.Errorf("there is no %s inside of the sandbox: %q", name, inside)
		}
	}
}

// TestLoosenings does in the sandbox what each loosening, and a choice of
// capabilities, are for: it must work with that one, and fail without.
func TestLoosenings(t *testing.T) {
	python := func(code string) plan.Command { return plan.Line("/usr/bin/python3", "-c", code) }
	shell := func(code string) plan.Command { return plan.Line("/bin/sh", "-c", code) }
	cases := map[string]struct {
		values []string
		do     plan.Command
	}{
		"devices":        {[]string{"/dev/net/tun"}, shell(`exec 3<>/dev/net/tun`)},
		"groups":         {[]string{"video"}, shell(`cat /srv/loose/of-video`)},
		"home-read":      {nil, shell(`ls /home/deploy`)},
		"host-processes": {nil, shell(`cat /proc/1/stat`)},
		"host-users":     {nil, shell(`[ "$(stat -c %U /srv/loose/of-deploy)" = deploy ]`)},
		"jit":            {nil, python(`import mmap; mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)`)},
		"namespaces":     {nil, shell(`unshare --user --map-root-user --mount sh -c 'mount -t tmpfs none /srv'`)},
		"netlink":        {nil, python(`import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)`)},
		"network-raw":    {nil, python(`import socket; socket.socket(socket.AF_INET, socket.SOCK_RAW, 1); socket.socket(socket.AF_PACKET, socket.SOCK_RAW)`)},
		// The lab's hosts may not raise limits, and get no real time on cgroup v1: what
		// can be tried is the system call.
		"realtime":             {nil, shell(`chrt --batch 0 true`)},
		"system-calls":         {[]string{"setpriority"}, python(`import os; os.setpriority(os.PRIO_PROCESS, 0, 5)`)},
		"write":                {[]string{"/srv/loose"}, shell(`touch /srv/loose/written`)},
		"CAP_CHOWN":            {nil, python(`import os; os.chown("/var/lib/" + os.environ["UNIT"] + "/file", 0, 0)`)},
		"CAP_DAC_READ_SEARCH":  {nil, shell(`cat /etc/shadow`)},
		"CAP_NET_BIND_SERVICE": {nil, python(`import socket; socket.socket().bind(("127.0.0.1", 81))`)},
		"CAP_SETUID":           {nil, python(`import os; os.setuid(1234)`)},
		"CAP_SYS_CHROOT":       {nil, python(`import os; os.chroot("/")`)},
		"CAP_SYS_NICE":         {nil, python(`import os; os.setpriority(os.PRIO_PROCESS, 0, -5)`)},
		"CAP_SYS_PTRACE":       {nil, shell(`readlink /proc/1/exe`)},
	}
	for _, q := range spec.Permissions() {
		if _, ok := cases[q.Name]; !ok {
			t.Errorf("the loosening %s is not tried", q.Name)
		}
	}
	road.sh(t, "h1", `mkdir -p /srv/loose && chmod 0777 /srv/loose /dev/net && chmod 0666 /dev/net/tun && chmod 0755 /home/deploy && cd /srv/loose &&
		touch of-video of-deploy && chown root:video of-video && chmod 0040 of-video && chown deploy of-deploy`)
	t.Cleanup(func() {
		road.sh(t, "h1", `rm -rf /srv/loose; chmod 0755 /dev/net; chmod 0600 /dev/net/tun; chmod 0700 /home/deploy`)
	})
	var plans []plan.Plan
	for i, name := range slices.Sorted(maps.Keys(cases)) {
		for _, kind := range []string{"tight", "loose"} {
			p := planned(t, fmt.Sprintf("service:\n  name: %s%d\n  group: apps\n  description: Tries\n  state: true\n  deploy: {probe: {type: exec, command: /bin/true}}\n", kind, i))
			p.Unit.User, p.Unit.Group = "loosened", "loosened"
			p.Deploy.Probe.Command = cases[name].do
			switch {
			case kind == "tight":
			case strings.HasPrefix(name, "CAP_"):
				p.Unit.Sandbox.Capabilities = []string{name}
			default:
				p.Unit.Sandbox.Allow = []plan.Loosening{{Name: name, Values: cases[name].values}}
			}
			plans = append(plans, p)
		}
	}
	road.installed(t, "h1", "#!/bin/sh\n", "", plans...)
	for i, name := range slices.Sorted(maps.Keys(cases)) {
		for _, kind := range []string{"tight", "loose"} {
			unit := fmt.Sprintf("%s%d", kind, i)
			road.sh(t, "h1", fmt.Sprintf(`echo UNIT=%s >/etc/%[1]s/environment; install -d -o loosened /var/lib/%[1]s; install -o loosened /dev/null /var/lib/%[1]s/file`, unit))
			got := road.sh(t, "h1", "systemctl start "+unit+"-probe 2>/dev/null; systemctl show -P Result "+unit+"-probe; rm -rf /var/lib/"+unit)
			want := map[string]string{"tight": "exit-code", "loose": "success"}[kind]
			if got != want {
				t.Errorf("%s, %s: %s, want %s\n%s", name, kind, got, want, road.sh(t, "h1", "journalctl --no-pager -q -n 5 -o cat -u "+unit+"-probe"))
			}
		}
	}
}

// TestDevices reads back what opens a folder of devices, which systemd has no
// word for, and a single node.
func TestDevices(t *testing.T) {
	p := planned(t, "service:\n  name: screens\n  group: apps\n  description: Draws\n  security: {allow: [devices: [/dev/dri, /dev/input, /dev/net/tun]]}\n")
	road.installed(t, "h1", "#!/bin/sh\n", "", p)
	road.expect(t, "h1", `systemctl show -P DevicePolicy -P PrivateDevices -P DeviceAllow screens`,
		"closed\nchar-rtc r\n/dev/net/tun rw\nchar-input rw\nchar-drm rw\nno")
	road.sh(t, "h1", `systemctl start screens`)
}
