package spec

import (
	"slices"
	"strconv"
	"strings"
)

// Ports returns the TCP addresses on which the service certainly listens, sorted, each
// once: "*:8080", "127.0.0.1:9090", "[::1]:53". These are its sockets, the ports of the
// metrics, HTTP_ADDRESS, variables like GRPC_ADDRESS=:8081, and the port of the probe
// where a variable that listens has it too. Where Ansible decides, or a variable may as
// well say where somebody else listens (API_ADDRESS=10.0.0.9:80, API_PORT=80,
// REDIS_ADDR=:6379), nothing is certain.
func (s *Spec) Ports() []string {
	if s.Exec.None {
		return nil
	}
	var all []string
	for _, l := range s.groupListeners() {
		own := l.socket || l.implied || l.name == "METRICS_ADDRESS" || l.name == "HTTP_ADDRESS"
		// A Go program dials :6379 too: this machine.
		named := l.host == "" && listenName().MatchString(l.name) && !strings.HasSuffix(l.name, "PORT")
		if l.protocol == "tcp" && (own || named) {
			all = append(all, tcpAddress(l.host, l.port))
		}
	}
	kind, port := s.Deploy.Probe.Type.Or(DefaultProbeType), s.ProbePort()
	there := func(address string) bool { return strings.HasSuffix(address, ":"+strconv.Itoa(port)) }
	if (kind == "http" || kind == "tcp") && !slices.ContainsFunc(all, there) && s.answers(port) {
		all = append(all, tcpAddress("127.0.0.1", port))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// answers reports whether what the probe hears on the port is the service, and not a
// proxy before it: the port is that of the metrics, or of a variable that listens, also
// one whose host Ansible decides.
func (s *Spec) answers(port int) bool {
	return port == s.MetricsPort() || slices.ContainsFunc(s.Environment, func(v Variable) bool {
		p, known := listenPort(v)
		return known && p == port && listenName().MatchString(v.Name) && !isDatagram(v.Name)
	})
}

func tcpAddress(host string, port int) string {
	switch host {
	case "":
		host = "*"
	case "localhost":
		host = "127.0.0.1"
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return host + ":" + strconv.Itoa(port)
}
