package spec

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// sockets is a list of addresses: ":8080", "udp://127.0.0.1:53", "/run/x/y.sock".
type sockets struct{ to *[]Value[Socket] }

func (s sockets) read(p *parser, n *yaml.Node, path string) {
	if n.Kind != yaml.SequenceNode {
		p.wrongType(n, path, "a list", `one line each, like: - ":8080"`)
		return
	}
	seen := map[Socket]bool{}
	for i, item := range n.Content {
		inner := fmt.Sprintf("%s[%d]", path, i)
		if item.Kind == yaml.ScalarNode && item.Tag == "!!int" {
			p.wrongType(item, inner, "an address", `write ":`+item.Value+`"`)
			continue
		}
		line, at, ok := p.oneLine(item, inner, "an address", 107) // sun_path of unix(7)
		if !ok {
			continue
		}
		socket, ok := address(line)
		switch {
		case !ok:
			p.fault("bad-value", inner, at, `like ":8080", "127.0.0.1:8080", "udp://:53" or /run/films/api.sock`, "a socket cannot be %s", quoted(line))
		case seen[socket]:
			p.fault("duplicate-value", inner, at, "remove it", "%s is listed twice", quoted(line))
		default:
			seen[socket] = true
			*s.to = append(*s.to, Value[Socket]{socket, true, at})
		}
	}
}

// address reads one address of sockets.
func address(line string) (Socket, bool) {
	if absolutePattern.MatchString(line) && !strings.HasSuffix(line, "/") {
		return Socket{Protocol: "unix", Address: line}, true
	}
	protocol, rest, ok := strings.Cut(line, "://")
	if !ok {
		protocol, rest = "tcp", line
	}
	if protocol != "tcp" && protocol != "udp" {
		return Socket{}, false
	}
	if digits, ok := strings.CutPrefix(rest, ":"); ok {
		port, err := strconv.Atoi(digits)
		if err != nil || port < 1 || port > 65_535 || strconv.Itoa(port) != digits {
			return Socket{}, false
		}
		return Socket{protocol, digits, port}, true
	}
	at, err := netip.ParseAddrPort(rest)
	if err != nil || at.Port() == 0 || at.Addr().Zone() != "" {
		return Socket{}, false
	}
	return Socket{protocol, at.String(), int(at.Port())}, true
}
