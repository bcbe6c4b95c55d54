package spec

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Capability is one of capabilities(7).
type Capability struct {
	Name string
	Doc  string // what the service may do with it, in one line
	Cost int    // what it alone adds to the exposure, as [Permission.Cost]
}

// Capabilities are all that a spec can ask for: those that Linux 6.1 and
// systemd 252 know.
func Capabilities() []Capability {
	return []Capability{
		{"CAP_AUDIT_CONTROL", "turn auditing on and off", 4},
		{"CAP_AUDIT_READ", "read the audit log", 4},
		{"CAP_AUDIT_WRITE", "write to the audit log", 4},
		{"CAP_BLOCK_SUSPEND", "keep the host from going to sleep", 2},
		{"CAP_BPF", "load programs into the kernel (eBPF)", 3},
		{"CAP_CHECKPOINT_RESTORE", "freeze and restore processes", 2},
		{"CAP_CHOWN", "give files to others", 5},
		{"CAP_DAC_OVERRIDE", "read and write files whatever their permissions say", 4},
		{"CAP_DAC_READ_SEARCH", "read files whatever their permissions say", 5},
		{"CAP_FOWNER", "treat the files of others as its own", 4},
		{"CAP_FSETID", "keep the set-user-ID bit of files that it changes", 6},
		{"CAP_IPC_LOCK", "keep as much memory from being swapped out as it likes", 2},
		{"CAP_IPC_OWNER", "use the shared memory of others", 4},
		{"CAP_KILL", "send signals to the processes of others", 3},
		{"CAP_LEASE", "take leases on the files of others", 2},
		{"CAP_LINUX_IMMUTABLE", "make files unchangeable", 2},
		{"CAP_MAC_ADMIN", "change the rules of mandatory access control", 2},
		{"CAP_MAC_OVERRIDE", "pass over mandatory access control", 2},
		{"CAP_MKNOD", "make device nodes", 5},
		{"CAP_NET_ADMIN", "change interfaces, routes and the firewall", 4},
		{"CAP_NET_BIND_SERVICE", "listen on ports below 1024", 3},
		{"CAP_NET_BROADCAST", "send to broadcast addresses, and listen to multicast", 3},
		{"CAP_NET_RAW", "send and see raw packets", 5},
		{"CAP_PERFMON", "measure other processes and the kernel", 5},
		{"CAP_SETFCAP", "give capabilities to files", 4},
		{"CAP_SETGID", "become any group", 6},
		{"CAP_SETPCAP", "change its bounding set of capabilities", 6},
		{"CAP_SETUID", "become any user", 6},
		{"CAP_SYSLOG", "read and clear the kernel's log", 5},
		{"CAP_SYS_ADMIN", "do nearly all that root may", 9},
		{"CAP_SYS_BOOT", "restart the host", 5},
		{"CAP_SYS_CHROOT", "change its root folder", 5},
		{"CAP_SYS_MODULE", "load modules into the kernel", 9},
		{"CAP_SYS_NICE", "change priority and CPUs of any process", 4},
		{"CAP_SYS_PACCT", "turn process accounting on and off", 3},
		{"CAP_SYS_PTRACE", "look into and steer the processes of others", 8},
		{"CAP_SYS_RAWIO", "reach ports and memory of the hardware", 9},
		{"CAP_SYS_RESOURCE", "pass over limits and quotas", 4},
		{"CAP_SYS_TIME", "set the clock", 8},
		{"CAP_SYS_TTY_CONFIG", "hang up terminals", 3},
		{"CAP_WAKE_ALARM", "wake the host up", 3},
	}
}

// capabilities is a list of their names.
type capabilities struct{ to *[]Value[string] }

func (c capabilities) read(p *parser, n *yaml.Node, path string) {
	var named []Value[string]
	names{to: &named, like: capabilityPattern, hint: "a name of capabilities(7), like CAP_NET_BIND_SERVICE"}.read(p, n, path)
	var known []string
	for _, k := range Capabilities() {
		known = append(known, strings.ToLower(k.Name))
	}
	for i, v := range named {
		if slices.Contains(known, strings.ToLower(v.V)) {
			*c.to = append(*c.to, v)
			continue
		}
		hint := "see capabilities(7)"
		if best := nearest(v.V, known); best != "" {
			hint = "did you mean " + strings.ToUpper(best) + "?"
		}
		p.fault("bad-value", fmt.Sprintf("%s[%d]", path, i), v.At, hint, "there is no capability %s", quoted(v.V))
	}
}
