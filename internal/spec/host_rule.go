package spec

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/kinectl/kinectl/internal/diag"
)

// lowPort warns of a port that only root may listen on, which the sandbox has
// nobody be: the service would fail on its first host.
func lowPort(s *Spec) diag.Findings {
	const capability = "CAP_NET_BIND_SERVICE"
	if s.Exec.None || slices.ContainsFunc(s.Capabilities, func(v Value[string]) bool { return v.V == capability }) {
		return nil
	}
	var all diag.Findings
	for _, l := range s.listeners() {
		handed := slices.ContainsFunc(s.Sockets, func(v Value[Socket]) bool { return v.V.Port == l.port && v.V.Protocol == l.protocol })
		if l.port < 1024 && !l.socket && !handed {
			all = append(all, s.finding("low-port", diag.Warning, l.path, l.at,
				"add "+capability+" to capabilities, let systemd listen with sockets, or take a port from 1024 on", fmt.Sprintf("port %d takes the capability %s", l.port, capability)))
		}
	}
	return all
}

// bareAddress warns of an address that is a number alone: Go's net.Listen, and
// most programs, want a colon before the port.
func bareAddress(s *Spec) diag.Findings {
	var all diag.Findings
	for _, v := range s.Environment {
		value, literal := v.Literal()
		if _, err := strconv.ParseUint(value, 10, 16); err != nil || !literal || !isAddress(v.Name) {
			continue
		}
		all = append(all, s.finding("bare-address", diag.Warning, "service.environments", v.Value, "write "+v.Name+"=:"+value, value+" is no address: the colon before the port is missing"))
	}
	return all
}

// misplacedProgram warns of a command that looks for the service's program
// where its package does not put it.
func misplacedProgram(s *Spec) diag.Findings {
	var all diag.Findings
	for _, c := range s.commands() {
		if len(c.line.V) == 0 {
			continue
		}
		program, _ := c.line.V[0].literal()
		shipped := slices.ContainsFunc(s.Files, func(f File) bool { return strings.HasPrefix(program, f.Destination.V) })
		if own := "/usr/bin/" + s.Name.V; path.Base(program) == s.Name.V && program != own && !shipped {
			all = append(all, s.finding("misplaced-program", diag.Warning, c.path, c.line.At, "write "+own, "the package puts the program at "+own+", not at "+program))
		}
	}
	return all
}
