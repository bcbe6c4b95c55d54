package unit

import "github.com/kinectl/kinectl/internal/plan"

// setting is one directive.
type setting struct{ Key, Value string }

// asked is what one entry of the spec adds to the sandbox. In a unit the last
// line of a directive holds, or adds to those before where it is a list.
type asked struct {
	For      string // "security.allow: jit"
	Settings []setting
}

// loosened returns what the spec has asked for beyond the tight sandbox, in
// the order of the spec.
func loosened(s plan.Sandbox) []asked {
	var all []asked
	for _, l := range s.Allow {
		all = append(all, asked{"security.allow: " + text(l.Name), allowed(l)})
	}
	for _, c := range s.Capabilities {
		all = append(all, asked{"capabilities: " + text(c), kept(text(c))})
	}
	return all
}

// allowed returns the directives of one entry of security.allow.
func allowed(l plan.Loosening) []setting {
	switch l.Name {
	case "devices":
		return devices(l.Values)
	case "groups":
		return []setting{{"SupplementaryGroups", list(l.Values)}}
	case "home-read":
		return []setting{{"ProtectHome", "read-only"}}
	case "host-processes":
		return []setting{{"ProtectProc", "default"}}
	case "host-users":
		return []setting{{"PrivateUsers", "no"}}
	case "jit":
		return []setting{{"MemoryDenyWriteExecute", "no"}}
	case "namespaces":
		// Inside of a namespace of its own a program is root: it mounts, and changes
		// to other users.
		return []setting{{"RestrictNamespaces", "no"}, {"SystemCallFilter", "@mount @setuid"}}
	case "netlink":
		return []setting{{"RestrictAddressFamilies", "AF_NETLINK"}}
	case "network-raw":
		return kept("CAP_NET_RAW")
	case "realtime":
		// 49 is below the kernel's own threads for interrupts, which have 50.
		return []setting{{"RestrictRealtime", "no"}, {"LimitRTPRIO", "49"}, {"SystemCallFilter", "sched_setattr sched_setparam sched_setscheduler"}}
	case "system-calls":
		return []setting{{"SystemCallFilter", list(l.Values)}}
	case "write":
		return []setting{{"ReadWritePaths", list(l.Values)}}
	}
	return nil
}

// devices opens these devices and no others. DeviceAllow= knows single nodes
// and the groups of /proc/devices, but no folders; those that servers have are
// each the nodes of one group.
func devices(paths []string) []setting {
	groups := map[string]string{
		"/dev/bus/usb": "char-usb_device",
		"/dev/dri":     "char-drm",
		"/dev/dvb":     "char-DVB",
		"/dev/input":   "char-input",
		"/dev/snd":     "char-alsa",
		"/dev/v4l":     "char-video4linux",
	}
	all := []setting{{"PrivateDevices", "no"}}
	for _, path := range paths {
		device := text(path)
		if group, ok := groups[device]; ok {
			device = group
		}
		all = append(all, setting{"DeviceAllow", device + " rw"})
	}
	return all
}

// kept returns the directives that let a service keep a capability, and use it:
// the kernel asks for it in the user namespace of the host, and some are of use
// in system calls only that the tight sandbox refuses.
func kept(capability string) []setting {
	all := []setting{{"CapabilityBoundingSet", capability}, {"AmbientCapabilities", capability}, {"PrivateUsers", "no"}}
	calls := func(names string) setting { return setting{"SystemCallFilter", names} }
	family := func(name string) setting { return setting{"RestrictAddressFamilies", name} }
	var more []setting
	switch capability {
	case "CAP_AUDIT_CONTROL", "CAP_AUDIT_READ", "CAP_AUDIT_WRITE", "CAP_NET_ADMIN":
		more = []setting{family("AF_NETLINK")}
	case "CAP_BPF":
		more = []setting{calls("bpf")}
	case "CAP_CHOWN":
		more = []setting{calls("@chown")}
	case "CAP_DAC_READ_SEARCH":
		more = []setting{calls("open_by_handle_at")}
	case "CAP_FSETID":
		more = []setting{{"RestrictSUIDSGID", "no"}}
	case "CAP_MKNOD":
		more = []setting{{"PrivateDevices", "no"}}
	case "CAP_NET_RAW":
		more = []setting{family("AF_PACKET")}
	case "CAP_PERFMON":
		more = []setting{calls("bpf perf_event_open")}
	case "CAP_SETGID", "CAP_SETUID":
		more = []setting{calls("@setuid setfsgid setfsuid")}
	case "CAP_SETPCAP":
		more = []setting{calls("capset")}
	case "CAP_SYSLOG":
		more = []setting{{"ProtectKernelLogs", "no"}, calls("syslog")}
	case "CAP_SYS_ADMIN":
		more = []setting{calls("@mount bpf fanotify_init fanotify_mark perf_event_open quotactl quotactl_fd")}
	case "CAP_SYS_BOOT":
		more = []setting{calls("@reboot")}
	case "CAP_SYS_CHROOT":
		more = []setting{calls("chroot")}
	case "CAP_SYS_MODULE":
		more = []setting{{"ProtectKernelModules", "no"}, calls("@module")}
	case "CAP_SYS_NICE", "CAP_SYS_RESOURCE":
		more = []setting{calls("@resources")}
	case "CAP_SYS_PACCT":
		more = []setting{calls("acct")}
	case "CAP_SYS_PTRACE":
		more = []setting{{"ProtectProc", "default"}, calls("@debug process_madvise process_vm_readv process_vm_writev")}
	case "CAP_SYS_RAWIO":
		more = []setting{{"PrivateDevices", "no"}, calls("@raw-io")}
	case "CAP_SYS_TIME":
		more = []setting{{"ProtectClock", "no"}, calls("@clock")}
	case "CAP_SYS_TTY_CONFIG":
		more = []setting{calls("vhangup")}
	case "CAP_WAKE_ALARM":
		more = []setting{{"ProtectClock", "no"}}
	}
	return append(all, more...)
}
