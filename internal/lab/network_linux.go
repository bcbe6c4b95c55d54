package lab

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"runtime"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

const netnsDir = "/run/netns" // where ip-netns(8) looks

const bridgeName = "lab0"

func labNetns(lab string) string        { return "kinectl-" + lab }
func hostNetns(lab, host string) string { return labNetns(lab) + "-" + host }
func netnsPath(ns string) string        { return filepath.Join(netnsDir, ns) }

// createNetwork makes the lab's namespace with a bridge in it. Nothing leads
// from there to the machine's own network.
func createNetwork(lab string) error {
	if err := createNamespace(labNetns(lab)); err != nil {
		return err
	}
	return withLinks(labNetns(lab), func(h *netlink.Handle, _ netns.NsHandle) error {
		attrs := netlink.NewLinkAttrs()
		attrs.Name = bridgeName
		bridge := &netlink.Bridge{LinkAttrs: attrs}
		if err := h.LinkAdd(bridge); err != nil {
			return fmt.Errorf("add bridge %s: %w", bridgeName, err)
		}
		return addressUp(h, bridge, Gateway)
	})
}

// createLink makes a host's namespace and joins it to the bridge: hN on the
// lab's side, eth0 on the host's.
func createLink(lab string, host Host) error {
	ns := hostNetns(lab, host.Name)
	if err := createNamespace(ns); err != nil {
		return err
	}
	return withLinks(ns, func(inside *netlink.Handle, insideNS netns.NsHandle) error {
		return withLinks(labNetns(lab), func(h *netlink.Handle, _ netns.NsHandle) error {
			bridge, err := h.LinkByName(bridgeName)
			if err != nil {
				return err
			}
			attrs := netlink.NewLinkAttrs()
			attrs.Name, attrs.MasterIndex = host.Name, bridge.Attrs().Index
			veth := &netlink.Veth{LinkAttrs: attrs, PeerName: "eth0", PeerNamespace: netlink.NsFd(insideNS)}
			if err := h.LinkAdd(veth); err != nil {
				return fmt.Errorf("add the link of %s: %w", host.Name, err)
			}
			if err := h.LinkSetUp(veth); err != nil {
				return err
			}
			eth0, err := inside.LinkByName("eth0")
			if err != nil {
				return err
			}
			return addressUp(inside, eth0, host.Address)
		})
	})
}

func addressUp(h *netlink.Handle, link netlink.Link, address string) error {
	addr, err := netlink.ParseAddr(address + "/24")
	if err != nil {
		return err
	}
	if err := h.AddrAdd(link, addr); err != nil {
		return fmt.Errorf("give %s the address %s: %w", link.Attrs().Name, address, err)
	}
	return h.LinkSetUp(link)
}

func withLinks(ns string, f func(*netlink.Handle, netns.NsHandle) error) error {
	handle, err := netns.GetFromName(ns)
	if err != nil {
		return fmt.Errorf("open network namespace %s: %w", ns, err)
	}
	defer handle.Close()
	h, err := netlink.NewHandleAt(handle)
	if err != nil {
		return fmt.Errorf("open network namespace %s: %w", ns, err)
	}
	defer h.Close()
	return f(h, handle)
}

// createNamespace makes a named namespace with its loopback up.
func createNamespace(ns string) error {
	err := onOwnThread(func() error {
		handle, err := netns.NewNamed(ns)
		if err != nil {
			return err
		}
		return handle.Close()
	})
	if err != nil {
		return fmt.Errorf("create network namespace %s: %w", ns, err)
	}
	return withLinks(ns, func(h *netlink.Handle, _ netns.NsHandle) error {
		lo, err := h.LinkByName("lo")
		if err != nil {
			return err
		}
		return h.LinkSetUp(lo)
	})
}

// removeNamespaces deletes those of one lab: its own and its hosts'.
func removeNamespaces(lab string) error {
	ours := regexp.MustCompile("^" + regexp.QuoteMeta(labNetns(lab)) + "(-h[0-9]+)?$")
	entries, err := os.ReadDir(netnsDir)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !ours.MatchString(e.Name()) {
			continue
		}
		path := netnsPath(e.Name())
		// EINVAL: a killed up made the file but had mounted nothing on it yet.
		if err := unmount(path); err != nil && err != unix.EINVAL {
			return fmt.Errorf("remove network namespace %s: %w", e.Name(), err)
		}
		if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	return nil
}

func namespaceExists(ns string) bool {
	var fs unix.Statfs_t
	return unix.Statfs(netnsPath(ns), &fs) == nil && fs.Type == unix.NSFS_MAGIC
}

// dialIn connects from inside a namespace; the connection may be used anywhere.
// The address must be numeric, or a resolver thread would dial outside.
func dialIn(ctx context.Context, d net.Dialer, ns, address string) (conn net.Conn, err error) {
	err = onOwnThread(func() error {
		handle, err := netns.GetFromName(ns)
		if err != nil {
			return fmt.Errorf("open network namespace %s: %w", ns, err)
		}
		defer handle.Close()
		if err := netns.Set(handle); err != nil {
			return fmt.Errorf("enter network namespace %s: %w", ns, err)
		}
		conn, err = d.DialContext(ctx, "tcp", address)
		return err
	})
	return conn, err
}

// onOwnThread runs f on a thread that ends with it, so that a change of
// namespace cannot leak into other goroutines.
func onOwnThread(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread dies with the goroutine
		done <- f()
	}()
	return <-done
}
