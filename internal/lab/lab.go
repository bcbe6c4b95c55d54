// Package lab runs real Debian hosts on one Linux machine: each is a
// systemd-nspawn container with systemd as PID 1, journald, sshd and apt, a disk
// of its own (an overlay on a shared base image) and an address of its own in a
// network that exists only inside the lab. Start at [Up]; [Open] finds a lab that
// runs already, [Down] ends one.
//
// What a lab is made of, so that it can be found again after any crash, is never
// only remembered but can always be listed from its name L:
//
//	/var/lib/kinectl-lab/L          disks, keys, inventory; lab.json is written last
//	/run/netns/kinectl-L[-hN]       network namespaces, as `ip netns` names them
//	/sys/fs/cgroup/…/kinectl-L/hN   every process of a host, however it was started
//
// Everything needs root and Linux; elsewhere the functions return an error that
// says so. Labs of different names do not see each other, even though they use the
// same addresses. Up and Down of one name exclude each other; all else may be
// called from several goroutines.
package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"regexp"
	"time"
)

// MaxHosts is how many hosts one lab may have.
const MaxHosts = 200

// Gateway is the lab's own address in its network: what [Lab.Command] and
// [Options].Service listen on for the hosts to reach.
const Gateway = "198.51.100.1"

// Options says what lab to start. Name and Hosts are required.
type Options struct {
	Name    string          // [a-z][a-z0-9-]{0,19}, not ending in -hN
	Hosts   int             // 1 to MaxHosts; they are called h1, h2, …
	Groups  []string        // inventory groups, each with all hosts; default applications
	Vars    map[string]any  // written to group_vars/all.yml
	Files   map[string]File // absolute path to file, put into every host before it boots
	Service []string        // argv of a process of this machine to run in the lab's network
	DiskMiB int             // size of each host's disk; 0 leaves it unbounded
	Program string          // the kinectl program that ssh runs to connect; required
	Image   ImageOptions
}

// File is a file for a host, owned by root.
type File struct {
	Mode fs.FileMode
	Body []byte
}

// Event is one step of progress. Host is empty for steps of the whole lab.
type Event struct {
	Host string
	Text string
	Took time.Duration // since Up began
}

// Host is one host of a lab.
type Host struct {
	Name    string `json:"name"`
	Address string `json:"address"`
	Leader  int    `json:"leader"` // the host's PID 1 as this machine numbers it; 0 when it is off
}

// OptionError is what is wrong with what the caller asked for: a name, a number,
// a host that the lab does not have. Nothing has been touched.
type OptionError string

func (e OptionError) Error() string { return string(e) }

func wrong(format string, args ...any) error { return OptionError(fmt.Sprintf(format, args...)) }

// ErrNoLab is returned by Open when there is no complete lab of that name.
var ErrNoLab = errors.New("no such lab")

var (
	labName     = regexp.MustCompile(`^[a-z][a-z0-9-]{0,19}$`)
	likeHost    = regexp.MustCompile(`-h[0-9]+$`)
	groupName   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	firstOfHost = netip.MustParseAddr("198.51.100.11")
)

// CheckName reports what is wrong with a lab's name. A name that ends like a
// host's is refused because its namespace could belong to another lab's host.
func CheckName(name string) error {
	if !labName.MatchString(name) || likeHost.MatchString(name) {
		return wrong("lab name %q: want up to 20 lower-case letters, digits and dashes, a letter first, not ending in -h and a number", name)
	}
	return nil
}

func (o *Options) check() error {
	if err := CheckName(o.Name); err != nil {
		return err
	}
	if o.Hosts < 1 || o.Hosts > MaxHosts {
		return wrong("%d hosts: want 1 to %d", o.Hosts, MaxHosts)
	}
	if o.DiskMiB != 0 && o.DiskMiB < 64 {
		return wrong("a disk of %d MiB: want at least 64, or 0 for no bound", o.DiskMiB)
	}
	if o.Program == "" {
		return wrong("lab options name no program for ssh to connect with")
	}
	if len(o.Groups) == 0 {
		o.Groups = []string{"applications"}
	}
	for _, g := range o.Groups {
		if !groupName.MatchString(g) || g == "all" || g == "ungrouped" {
			return wrong("inventory group %q: want letters, digits and underscores, and not all or ungrouped", g)
		}
	}
	return nil
}

// hostsOf names n hosts and gives them their addresses, h1 first.
func hostsOf(n int) []Host {
	hosts := make([]Host, n)
	addr := firstOfHost
	for i := range hosts {
		hosts[i] = Host{Name: fmt.Sprintf("h%d", i+1), Address: addr.String()}
		addr = addr.Next()
	}
	return hosts
}
