package spec

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/kinectl/kinectl/internal/diag"
)

// HTTPPort returns the port of HTTP_ADDRESS, and 0 where that is not known.
func (s *Spec) HTTPPort() int {
	for _, v := range s.Environment {
		if v.Name == "HTTP_ADDRESS" {
			port, _ := listenPort(v)
			return port
		}
	}
	return 0
}

// MetricsPort returns the port of METRICS_ADDRESS, whose default is :9090. It
// is 0 when Ansible decides.
func (s *Spec) MetricsPort() int {
	for _, v := range s.Environment {
		if v.Name == "METRICS_ADDRESS" {
			if port, known := listenPort(v); known {
				return port
			}
			return 0
		}
	}
	return DefaultProbePort
}

// listenPort returns the port of a variable that holds host:port or a port,
// and whether it is known; it is not where an expression decides.
func listenPort(v Variable) (int, bool) {
	if len(v.Parts) == 0 {
		return 0, false
	}
	// An expression for the host only leaves the port in the text after it.
	text := v.Parts[len(v.Parts)-1].Literal
	if i := strings.LastIndexByte(text, ':'); i >= 0 {
		text = text[i+1:]
	} else if len(v.Parts) > 1 || !strings.HasSuffix(v.Name, "PORT") {
		return 0, false
	}
	port, err := strconv.Atoi(text)
	return port, err == nil && port > 0 && port <= 65_535
}

// probePort finds a probe that asks where nothing listens. Where Ansible
// decides an address it keeps silent.
func probePort(s *Spec) diag.Findings {
	kind, port := s.Deploy.Probe.Type.Or(DefaultProbeType), s.Deploy.Probe.Port.V
	if kind != "http" && kind != "tcp" || s.Exec.None || port == 0 {
		return nil
	}
	if p := s.MetricsPort(); p == port || p == 0 || s.started(port) {
		return nil
	}
	for _, socket := range s.Sockets {
		if socket.V.Port == port && socket.V.Protocol == "tcp" {
			return nil
		}
	}
	for _, v := range s.Environment {
		if !isAddress(v.Name) && !listenName().MatchString(v.Name) {
			continue
		}
		if p, known := listenPort(v); p == port || !known && dynamic(v) {
			return nil
		}
	}
	return diag.Findings{s.finding("probe-port", diag.Error, "service.deploy.probe.port", s.Deploy.Probe.Port.At,
		"one of "+s.knownPorts()+", or add the …_ADDRESS variable that makes it listen there",
		fmt.Sprintf("the probe asks port %d, where the service does not listen", port))}
}

// probeSocket finds a probe that cannot fail: systemd listens on the sockets itself,
// so a connection is there before the service takes it, and also without the service.
func probeSocket(s *Spec) diag.Findings {
	if s.Deploy.Probe.Type.Or(DefaultProbeType) != "tcp" || s.Exec.None {
		return nil
	}
	asked := listener{protocol: "tcp", host: "127.0.0.1", port: s.ProbePort()}
	for _, l := range s.listeners() {
		if l.socket && l.clash(asked) {
			return diag.Findings{s.finding("probe-socket", diag.Warning, "service.deploy.probe.type", s.Deploy.Probe.Type.At,
				"ask for an answer, best of the metrics port: {type: http, port: 9090, path: /metrics}; or with type: exec",
				fmt.Sprintf("systemd holds port %d (sockets) open: a tcp probe connects also when the new version serves nobody", l.port))}
		}
	}
	return nil
}

// knownPorts are those on which the service listens for all that is known,
// for people.
func (s *Spec) knownPorts() string {
	var ports []int
	if p := s.MetricsPort(); p != 0 {
		ports = append(ports, p)
	}
	for _, l := range s.listeners() {
		if l.protocol == "tcp" {
			ports = append(ports, l.port)
		}
	}
	slices.Sort(ports)
	var words []string
	for _, p := range slices.Compact(ports) {
		words = append(words, strconv.Itoa(p))
	}
	return strings.Join(words, ", ")
}

// ProbePort is the port that the probe asks: the one it names, or that of the
// metrics, or the default where Ansible decides.
func (s *Spec) ProbePort() int {
	return s.Deploy.Probe.Port.Or(cmp.Or(s.MetricsPort(), DefaultProbePort))
}

func dynamic(v Variable) bool {
	_, literal := v.Literal()
	return !literal
}

var portInWord = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?:^|[^0-9:])(?:\d+\.\d+\.\d+\.\d+|localhost|\[[0-9a-f:]+\])?:([0-9]{1,5})$`)
})

// started reports whether the words of exec.start name the port: --listen=:8080.
func (s *Spec) started(port int) bool {
	for _, word := range s.Exec.Start.V {
		text := ""
		if len(word) > 0 {
			text = word[len(word)-1].Literal // a host may come from a variable before it
		}
		if m := portInWord().FindStringSubmatch(text); m != nil && m[1] == strconv.Itoa(port) {
			return true
		}
	}
	return false
}
