package unit

import (
	"slices"
	"strings"
	"text/template"

	"github.com/kinectl/kinectl/internal/plan"
)

// socketUnit renders systemd.socket(5): one unit for all addresses, since a
// service is handed the sockets of its unit together.
func socketUnit(t *template.Template, p plan.Plan) []byte {
	return filled(t, "socket.tmpl", struct {
		Plan           plan.Plan
		Description    string
		Unix, FreeBind bool
	}{
		Plan:        p,
		Description: p.Description + ": sockets",
		Unix:        slices.ContainsFunc(p.Sockets, func(s plan.Socket) bool { return s.Protocol == "unix" }),
		FreeBind:    slices.ContainsFunc(p.Sockets, func(s plan.Socket) bool { return s.Protocol != "unix" && strings.Contains(s.Address, ":") }),
	})
}

// directive is what a socket's protocol listens by.
func directive(s plan.Socket) string {
	if s.Protocol == "udp" {
		return "ListenDatagram"
	}
	return "ListenStream"
}

// socketFolder reports whether a socket lies in /run/NAME, which is the
// service's runtime directory too.
func socketFolder(p plan.Plan) bool {
	return slices.ContainsFunc(p.Sockets, func(s plan.Socket) bool {
		return s.Protocol == "unix" && strings.HasPrefix(s.Address, "/run/"+p.Name+"/")
	})
}
