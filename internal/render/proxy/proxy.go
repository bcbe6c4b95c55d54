// Package proxy renders what nginx and HAProxy need to know of a service's
// routes. Start at [Files]. Which hosts answer is no part of it: the templates
// are Ansible's, which takes the hosts from the inventory.
package proxy

import (
	"bytes"
	"embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/template"

	"github.com/kinectl/kinectl/internal/artifact"
	"github.com/kinectl/kinectl/internal/plan"
)

//go:embed *.j2.tmpl
var templates embed.FS

//go:embed module.sh
var module []byte

// Files returns the Ansible module that works on a proxy, and, for a service
// with routes, one Jinja template for each kind of proxy. What a template gives
// is the text of several files, each below a line "#### PATH" with its path
// below /etc/nginx or /etc/haproxy; it is empty when no host is left. The
// variable kinectl_leaving lists hosts of the group that go. The same plan gives
// the same bytes.
func Files(p plan.Plan) []artifact.File {
	all := []artifact.File{{Path: "ansible/library/kinectl_proxy.sh", Mode: 0o644, Body: module}}
	if len(p.Routes) == 0 {
		return all
	}
	for _, kind := range []string{"nginx", "haproxy"} {
		funcs := template.FuncMap{"yaml": strconv.Quote}
		t := template.Must(template.New(kind+".j2.tmpl").Delims("[[", "]]").Funcs(funcs).ParseFS(templates, kind+".j2.tmpl"))
		var b bytes.Buffer
		if err := t.Execute(&b, view(p)); err != nil {
			panic(fmt.Sprintf("proxy: template %s: %v", kind, err)) // the template is ours, the data is plain
		}
		all = append(all, artifact.File{Path: "ansible/templates/" + p.Name + "." + kind + ".j2", Mode: 0o644, Body: b.Bytes()})
	}
	return all
}

// site is a service as the templates want it.
type site struct {
	Name     string
	Variable string // Name as a part of a variable's name in nginx
	Group    string
	Check    int   // port with /ready; 0 when there is none
	Ports    []int // sorted, each once
	Hosts    []host
}

// host is one name that the service is known by.
type host struct {
	Name   string
	File   string // Name as the name of a file: no wildcard of the shell, nor of nginx's include
	Routes []plan.Route
}

// view sorts the routes of p by host, as both proxies have them, and the
// longest path first, for the reader: neither proxy needs that.
func view(p plan.Plan) site {
	s := site{Name: p.Name, Variable: strings.ReplaceAll(p.Name, "-", "_"), Group: p.Group, Check: p.Deploy.Probe.Metrics}
	routes := slices.Clone(p.Routes)
	slices.SortStableFunc(routes, func(a, b plan.Route) int {
		if a.Host != b.Host {
			return strings.Compare(a.Host, b.Host)
		}
		return len(b.Path) - len(a.Path)
	})
	for _, r := range routes {
		s.Ports = append(s.Ports, r.Port)
		if n := len(s.Hosts); n == 0 || s.Hosts[n-1].Name != r.Host {
			s.Hosts = append(s.Hosts, host{Name: r.Host, File: strings.ReplaceAll(r.Host, "*", "_")})
		}
		last := &s.Hosts[len(s.Hosts)-1]
		last.Routes = append(last.Routes, r)
	}
	slices.Sort(s.Ports)
	s.Ports = slices.Compact(s.Ports)
	return s
}
