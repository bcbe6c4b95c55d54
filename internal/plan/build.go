package plan

import (
	"io/fs"
	"slices"
	"time"

	"github.com/kinectl/kinectl/internal/spec"
	"github.com/kinectl/kinectl/internal/version"
)

// Facts are what a plan needs to know besides the spec.
type Facts struct {
	Version   version.Version
	BuildTime time.Time       // of the commit
	Resources []spec.Resource // kinds of the infra repository, beside those that kinectl knows
}

// Build settles every default of a spec that has no errors.
func Build(s *spec.Spec, facts Facts) Plan {
	environment, needs, secrets := variables(s, facts.Resources)
	var addresses []string
	for _, r := range resources(s, facts.Resources) {
		addresses = append(addresses, r.Needs)
	}
	return Plan{
		Name:        s.Name.V,
		Group:       s.Group.V,
		Description: s.Description.V,
		Version:     facts.Version,
		BuildTime:   facts.BuildTime.UTC().Truncate(time.Second),
		Program:     program(s),
		Package:     contents(s),
		Unit:        service(s),
		Sockets:     sockets(s),
		Ports:       s.Ports(),
		Timers:      timers(s),
		Deploy:      deploy(s),
		Environment: environment,
		Needs:       needs,
		Secrets:     secrets,
		Resources:   addresses,
		Alerts:      alerts(s),
		Routes:      routes(s),
		Spec:        s.Source,
	}
}

func program(s *spec.Spec) Program {
	b := Program{
		Main:     s.Build.Main.V,
		Generate: s.Build.Generate.V,
		Binary:   s.Build.Binary.V,
		Archive:  s.Build.Archive.V,
		Archs:    values(s.Build.Arch),
	}
	if s.Build.Archive.Set {
		b.SHA256 = map[string]string{}
		for _, sum := range s.Build.SHA256 {
			b.SHA256[sum.Arch] = sum.Sum.V
		}
	}
	// A package of files only has nothing to build, unless it says so.
	if b.Main == "" && b.Binary == "" && b.Archive == "" && !(s.Exec.None && len(s.Timers) == 0) {
		b.Main = spec.DefaultMain
	}
	if len(b.Archs) == 0 {
		b.Archs = []string{"amd64"}
	}
	slices.Sort(b.Archs)
	return b
}

func contents(s *spec.Spec) Package {
	p := Package{
		// RFC 2606 keeps .invalid for addresses that nobody must take for real ones.
		Maintainer: s.Maintainer.Or(s.Group.V + " <" + s.Group.V + "@kinectl.invalid>"),
		License:    s.License.Or(spec.DefaultLicense),
		Homepage:   s.Homepage.V,
		Depends:    dependencies(s.Requires.All),
	}
	for _, d := range s.Requires.ByDistribution {
		if p.ByDistribution == nil {
			p.ByDistribution = map[string][]Dependency{}
		}
		p.ByDistribution[d.Name.V] = dependencies(d.Packages)
	}
	for _, f := range s.Files {
		p.Files = append(p.Files, File{
			Source:      f.Source.V,
			Destination: f.Destination.V,
			Mode:        fs.FileMode(f.Mode.V), // 0: as the file has it
			Config:      f.Type.V == "config",
		})
	}
	return p
}

func dependencies(of []spec.Value[spec.Package]) []Dependency {
	var all []Dependency
	for _, d := range of {
		all = append(all, Dependency(d.V))
	}
	return all
}

func service(s *spec.Spec) Unit {
	u := Unit{
		User:        s.Security.Owner.Or(s.Name.V),
		Group:       s.Security.Group.Or(s.Security.Owner.Or(s.Name.V)),
		StopSignal:  spec.DefaultStop,
		Type:        s.Exec.Type.Or(spec.DefaultType),
		Limits:      limits(s.Limits, spec.Limits{}),
		State:       s.State.V,
		Cache:       s.Cache.V,
		Sandbox:     Sandbox{Capabilities: values(s.Capabilities)},
		Credentials: values(s.Security.Credentials),
	}
	for _, l := range s.Security.Allow {
		u.Sandbox.Allow = append(u.Sandbox.Allow, Loosening(l.V))
	}
	if s.Exec.None {
		return u
	}
	u.Start = Line("/usr/bin/" + s.Name.V)
	if s.Exec.Start.Set {
		u.Start = command(s.Exec.Start.V)
	}
	if s.Exec.Stop.V.Name != "" {
		u.StopSignal = s.Exec.Stop.V.Name
	}
	u.Stop = command(s.Exec.Stop.V.Command)
	u.Reload = command(s.Exec.Reload.V.Command)
	if name := s.Exec.Reload.V.Name; name != "" {
		// The shell has kill(1) in itself; a program of that name is not on every host.
		u.Reload = Command{{{Literal: "/bin/sh"}}, {{Literal: "-c"}}, {{Literal: "kill -s " + name[len("SIG"):] + ` "$MAINPID"`}}}
	}
	return u
}

// limits settles what a unit may use: what it says itself, or what the other
// one says, or the defaults.
func limits(l, other spec.Limits) Limits {
	out := Limits{
		MemoryMax:   l.Mem.Or(other.Mem.Or(spec.DefaultMem)),
		NoFile:      l.NoFile.Or(other.NoFile.Or(spec.DefaultNoFile)),
		TasksMax:    l.NProc.Or(other.NProc.Or(spec.DefaultNProc)),
		Nice:        l.Nice.Or(other.Nice.V),
		AllowedCPUs: l.AllowedCPUs.Or(other.AllowedCPUs.V),
		CPUQuota:    l.CPU.Or(other.CPU.V),
	}
	if out.MemoryMax == "unlimited" {
		out.MemoryMax = "infinity"
	}
	return out
}

func sockets(s *spec.Spec) []Socket {
	var all []Socket
	for _, v := range s.Sockets {
		all = append(all, Socket{v.V.Protocol, v.V.Address})
	}
	return all
}

func timers(s *spec.Spec) []Timer {
	var all []Timer
	for _, t := range s.Timers {
		out := Timer{Name: t.Name.V, OnCalendar: t.OnCalendar.V, Limits: limits(t.Limits, s.Limits)}
		out.Exec = Line("/usr/bin/"+s.Name.V, t.Name.V)
		if t.Exec.Set {
			out.Exec = command(t.Exec.V)
		}
		all = append(all, out)
	}
	return all
}

func alerts(s *spec.Spec) []Alert {
	var all []Alert
	for _, a := range s.Alerts {
		all = append(all, Alert{a.Name.V, a.Expr.V, a.For.V, a.Severity.Or(spec.DefaultAlertSeverity), a.Summary.Or(a.Name.V)})
	}
	return all
}

func routes(s *spec.Spec) []Route {
	var all []Route
	for _, r := range s.Routes {
		all = append(all, Route{r.Host.V, r.Path.Or(spec.DefaultRoutePath), r.Port.Or(s.HTTPPort())})
	}
	return all
}

func values(of []spec.Value[string]) []string {
	var all []string
	for _, v := range of {
		all = append(all, v.V)
	}
	return all
}
