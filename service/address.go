package service

import (
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// Address is host:port or :port, or /path of a unix socket; checked when the configuration is read.
type Address string

// UnmarshalText checks the form of an address, and not whether it can be listened on.
func (a *Address) UnmarshalText(text []byte) error {
	if err := Address(text).check(); err != nil {
		return err
	}
	*a = Address(text)
	return nil
}

// longestPath is that of a unix socket, without the final NUL (unix(7)).
const longestPath = 107

func (a Address) check() error {
	if a.network() == "unix" {
		if len(a) > longestPath {
			return errors.New("the path of a unix socket has at most " + strconv.Itoa(longestPath) + " bytes")
		}
		return nil
	}
	host, port, err := net.SplitHostPort(string(a))
	if err != nil || strings.ContainsAny(host, " /") {
		return errors.New("must be host:port, :port or the absolute path of a unix socket")
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || strconv.FormatUint(n, 10) != port {
		return errors.New("its port must be a number from 0 to 65535")
	}
	return nil
}

func (a Address) network() string {
	if strings.HasPrefix(string(a), "/") {
		return "unix"
	}
	return "tcp"
}

// is tells whether a socket that is bound to other is what would be listened on
// here. All the ways to write "every address of this host" are alike.
func (a Address) is(other net.Addr) bool {
	if unix, ok := other.(*net.UnixAddr); ok {
		return a.network() == "unix" && unix.Name == string(a)
	}
	tcp, ok := other.(*net.TCPAddr)
	if !ok || a.network() != "tcp" {
		return false
	}
	host, port, err := net.SplitHostPort(string(a))
	if err != nil || port != strconv.Itoa(tcp.Port) {
		return false
	}
	bound := tcp.AddrPort().Addr().Unmap()
	if host == "localhost" {
		return bound.IsLoopback()
	}
	if host == "" {
		return bound.IsUnspecified()
	}
	wanted, err := netip.ParseAddr(host)
	return err == nil && (wanted.Unmap() == bound || wanted.IsUnspecified() && bound.IsUnspecified())
}

// operationAddress is an address, or "off" for none.
type operationAddress string

const noOperation = "off"

// UnmarshalText checks the form.
func (a *operationAddress) UnmarshalText(text []byte) error {
	if string(text) != noOperation {
		if err := Address(text).check(); err != nil {
			return errors.New(err.Error() + `, or "off"`)
		}
	}
	*a = operationAddress(text)
	return nil
}
