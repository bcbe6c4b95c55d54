package spec

import (
	"slices"
	"strconv"
	"strings"
)

// Ports returns the TCP addresses on which the service certainly listens, sorted, each
// once: "*:8080", "127.0.0.1:9090", "[::1]:53". These are its sockets, the ports of the
// metrics and of the probe, HTTP_ADDRESS, and variables like GRPC_ADDRESS=:8081. Where
// Ansible decides, or a variable may as well say where somebody else listens
// (API_ADDRESS=10.0.0.9:80, API_PORT=80), nothing is certain.
func (s *Spec) Ports() []string {
	if s.Exec.None {
		return nil
	}
	var all []string
	for _, l := range s.groupListeners() {
		own := l.socket || l.implied || l.name == "METRICS_ADDRESS" || l.name == "HTTP_ADDRESS"
		if l.protocol == "tcp" && (own || l.host == "" && !strings.HasSuffix(l.name, "PORT")) {
			all = append(all, tcpAddress(l.host, l.port))
		}
	}
	// The probe asks at this address, whatever else the service listens on.
	kind, port := s.Deploy.Probe.Type.Or(DefaultProbeType), s.ProbePort()
	asked := func(address string) bool { return strings.HasSuffix(address, ":"+strconv.Itoa(port)) }
	if (kind == "http" || kind == "tcp") && len(probePort(s)) == 0 && !slices.ContainsFunc(all, asked) && s.MetricsPort() != 0 {
		all = append(all, tcpAddress("127.0.0.1", port))
	}
	slices.Sort(all)
	return slices.Compact(all)
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
