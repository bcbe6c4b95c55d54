//go:build !linux

package lab

import (
	"context"
	"errors"
	"net"
	"syscall"
)

var errNotLinux = errors.New("the lab needs Linux: it boots hosts with systemd-nspawn")

func mountOverlay(lower, upper, work, at string) error { return errNotLinux }
func unmount(at string) error                          { return errNotLinux }
func createNetwork(lab string) error                   { return errNotLinux }
func createLink(lab string, host Host) error           { return errNotLinux }
func removeNamespaces(lab string) error                { return errNotLinux }
func namespaceExists(ns string) bool                   { return false }
func labNetns(lab string) string                       { return "" }
func hostNetns(lab, host string) string                { return "" }
func netnsPath(ns string) string                       { return "" }
func ownSession() *syscall.SysProcAttr                 { return nil }
func contained() *syscall.SysProcAttr                  { return nil }

func identity(path string) (device, inode uint64, err error) { return 0, 0, errNotLinux }

func dialIn(ctx context.Context, d net.Dialer, ns, address string) (net.Conn, error) {
	return nil, errNotLinux
}
