package spec

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/kinectl/kinectl/internal/diag"
)

// listener is an address on which the service listens, as far as the spec
// tells.
type listener struct {
	name     string // "HTTP_ADDRESS", "a socket"
	path     string
	at       Pos
	protocol string // "tcp" or "udp"
	host     string // "" for all
	port     int
	socket   bool // held by systemd
	implied  bool // nobody wrote it down
}

// Names of variables that say where the service listens, and not where
// somebody else does: HTTP_ADDRESS, GRPC_PORT, LISTEN, METRICS_LISTEN_ADDR.
var listenName = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(?:(?:[A-Z0-9]+_)*(?:LISTEN|BIND)(?:_[A-Z0-9]+)*|(?:(?:HTTP|HTTPS|HTTP3|QUIC|GRPC|METRICS|HEALTH|ADMIN|DEBUG|PPROF|DNS|UDP|TCP|TLS|API|WEB|SERVER|PUBLIC|INTERNAL)_)*(?:ADDRESS|ADDR|PORT))$`)
})

// listeners returns what is certain: the sockets, variables with a port on
// all addresses, and those whose name says that they listen.
func (s *Spec) listeners() []listener {
	var all []listener
	for i, v := range s.Sockets {
		if v.V.Port == 0 {
			continue
		}
		l := listener{"a socket", fmt.Sprintf("service.sockets[%d]", i), v.At, v.V.Protocol, "", v.V.Port, true, false}
		if at, err := netip.ParseAddrPort(v.V.Address); err == nil {
			l.host = everywhere(at.Addr().String())
		}
		all = append(all, l)
	}
	for _, v := range s.Environment {
		l := listener{name: v.Name, path: "service.environments", at: v.Value, protocol: "tcp"}
		if isDatagram(v.Name) {
			l.protocol = "udp"
		}
		text, literal := v.Literal()
		if !literal {
			continue
		}
		named := listenName().MatchString(v.Name)
		if strings.HasSuffix(v.Name, "PORT") && named {
			l.port, _ = strconv.Atoi(text)
		} else if isAddress(v.Name) || named {
			i := strings.LastIndexByte(text, ':')
			if i < 0 {
				continue
			}
			l.host = everywhere(strings.Trim(text[:i], "[]"))
			l.port, _ = strconv.Atoi(text[i+1:])
			if l.host != "" && (!named || !isLocal(l.host)) {
				continue // more likely where somebody else listens
			}
		}
		if l.port > 0 && l.port <= 65_535 {
			all = append(all, l)
		}
	}
	return all
}

func isAddress(name string) bool {
	return name == "ADDRESS" || slices.ContainsFunc([]string{"_ADDRESS", "_ADDR", "_LISTEN", "_BIND"}, func(end string) bool { return strings.HasSuffix(name, end) })
}

func isDatagram(name string) bool {
	return slices.ContainsFunc(strings.Split(name, "_"), func(word string) bool { return word == "UDP" || word == "QUIC" || word == "HTTP3" })
}

// everywhere is a host, or "" for one that means all of them.
func everywhere(host string) string {
	if host == "*" || host == "0.0.0.0" || host == "::" {
		return ""
	}
	return host
}

func isLocal(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil || host == "localhost"
}

// clash reports whether two listeners cannot be there at once. A socket that
// a variable names too is one listener, which systemd hands over.
func (l listener) clash(other listener) bool {
	return l.port == other.port && l.protocol == other.protocol && (l.host == "" || other.host == "" || l.host == other.host)
}

// portClash finds two listeners of one service on one port.
func portClash(s *Spec) diag.Findings {
	var all diag.Findings
	byPort := map[int][]listener{}
	for _, l := range s.listeners() {
		for _, other := range byPort[l.port] {
			if l.clash(other) && l.socket == other.socket {
				all = append(all, s.finding("port-clash", diag.Error, l.path, l.at, "give one of them another port",
					fmt.Sprintf("%s listens on port %d, as %s in line %d does", l.name, l.port, other.name, other.at.Line)))
				break
			}
		}
		byPort[l.port] = append(byPort[l.port], l)
	}
	return all
}

// groupListeners are the listeners, each port once, and the metrics port that
// nobody has to write down.
func (s *Spec) groupListeners() []listener {
	all := s.listeners()
	if !s.Name.Set || !s.Group.Set || s.Exec.None {
		return nil
	}
	declared := slices.ContainsFunc(s.Environment, func(v Variable) bool { return v.Name == "METRICS_ADDRESS" })
	if !declared && s.Deploy.Probe.Version.Or(DefaultProbeVersion) && s.probesMetrics() {
		all = append(all, listener{"the metrics port of " + s.Name.V, "service.name", s.Name.At, "tcp", "", DefaultProbePort, false, true})
	}
	var once []listener
	for _, l := range all {
		if !slices.ContainsFunc(once, l.clash) {
			once = append(once, l)
		}
	}
	return once
}

// probesMetrics reports whether the default port of METRICS_ADDRESS is one
// that the release asks.
func (s *Spec) probesMetrics() bool {
	p := s.Deploy.Probe
	return p.Type.Or(DefaultProbeType) != "http" || p.Path.Or(DefaultProbePath) != DefaultProbePath || p.Port.Or(DefaultProbePort) == DefaultProbePort
}
