//go:build !linux

package server

import (
	"net"
	"time"
)

// giveUpAfter is Linux's; elsewhere the kernel's own patience holds.
func giveUpAfter(*net.TCPConn, time.Duration) error { return nil }
