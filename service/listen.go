package service

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// handed is a socket that systemd has handed over.
type handed struct {
	name     string
	listener net.Listener
}

// firstHanded is the first descriptor that systemd hands over (SD_LISTEN_FDS_START).
const firstHanded = 3

// handedNames are the names of the sockets that were handed over to the process with
// this id, in the order of their descriptors (sd_listen_fds_with_names(3)).
func handedNames(variables map[string]string, pid int) []string {
	count, err := strconv.Atoi(variables["LISTEN_FDS"])
	if err != nil || count <= 0 || count > 1000 || variables["LISTEN_PID"] != strconv.Itoa(pid) {
		return nil
	}
	names := make([]string, count)
	copy(names, strings.Split(variables["LISTEN_FDNAMES"], ":"))
	return names
}

// takeHanded takes the sockets over. What does not listen, like a socket for
// datagrams, is an error and not among them.
func takeHanded(names []string, open func(fd uintptr) *os.File) ([]handed, error) {
	var all []handed
	var faults []error
	for i, name := range names {
		file := open(uintptr(firstHanded + i))
		listener, err := net.FileListener(file) // a copy, which programs that are started do not inherit
		_ = file.Close()
		if err != nil {
			faults = append(faults, fmt.Errorf("take socket %d %q of systemd: %w", firstHanded+i, name, err))
			continue
		}
		all = append(all, handed{name, listener})
	}
	return all, errors.Join(faults...)
}

// listenAll gives each part its listener: the socket of systemd with its
// address, else the one with its name, else a new one. It returns those that nobody wants as
// well, or all that failed at once, and then everything is closed.
func listenAll(parts []listenPart, sockets []handed) (listeners []net.Listener, unused []handed, err error) {
	listeners = make([]net.Listener, len(parts))
	unused = append(unused, sockets...)
	take := func(i int, fits func(handed) bool) {
		for j, h := range unused {
			if listeners[i] == nil && fits(h) {
				listeners[i] = h.listener
				unused = append(unused[:j:j], unused[j+1:]...)
				return
			}
		}
	}
	for i, p := range parts {
		take(i, func(h handed) bool { return p.address.is(h.listener.Addr()) })
	}
	for i, p := range parts {
		take(i, func(h handed) bool { return h.name == p.name })
	}
	var faults []error
	for i, p := range parts {
		if listeners[i] != nil {
			continue
		}
		l, err := listenOn(p.address)
		if err != nil {
			faults = append(faults, fmt.Errorf("listen for %s: %w", p.name, err))
			continue
		}
		listeners[i] = l
	}
	if len(faults) == 0 {
		return listeners, unused, nil
	}
	for _, l := range listeners {
		if l != nil {
			_ = l.Close()
		}
	}
	for _, h := range unused {
		_ = h.listener.Close()
	}
	return nil, nil, errors.Join(faults...)
}

func listenOn(address Address) (net.Listener, error) {
	if err := address.check(); err != nil {
		return nil, fmt.Errorf("address %q: %w", string(address), err)
	}
	l, err := net.Listen(address.network(), string(address))
	if address.network() != "unix" || !errors.Is(err, syscall.EADDRINUSE) {
		return l, err
	}
	// A killed process leaves its socket behind: one that nobody answers is in the way.
	conn, asked := net.Dial("unix", string(address))
	if asked == nil {
		_ = conn.Close()
		return nil, err
	}
	info, unknown := os.Lstat(string(address)) // a connection to a plain file is refused too
	if !errors.Is(asked, syscall.ECONNREFUSED) || unknown != nil || info.Mode().Type() != os.ModeSocket {
		return nil, err
	}
	if err := os.Remove(string(address)); err != nil {
		return nil, err
	}
	return net.Listen("unix", string(address))
}
