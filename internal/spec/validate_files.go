package spec

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/kinectl/kinectl/internal/diag"
)

// files checks what else the package carries, and where to.
func (p *parser) files() {
	lines := map[string]int{}
	for i, f := range p.spec.Files {
		key := fmt.Sprintf("service.files[%d]", i)
		p.inside(key+".src", f.Source, "version", "arch")
		if !f.Destination.Set {
			continue
		}
		dst := f.Destination
		clean := path.Clean(dst.V)
		if line, twice := lines[clean]; twice {
			p.fault("duplicate-value", key+".dst", dst.At, "remove one of the two", "%s is filled twice, first in line %d", clean, line)
		}
		lines[clean] = dst.At.Line
		switch why, hint := p.spec.reserved(clean); {
		case slices.Contains(strings.Split(dst.V, "/"), ".."):
			p.fault("bad-path", key+".dst", dst.At, "write the path without ..", "%s has .. in it", quoted(dst.V))
		case why != "":
			p.fault("reserved-path", key+".dst", dst.At, hint, "%s %s", clean, why)
		}
	}
}

// reserved says why a package must not carry a path, or "". The places are
// those of the Filesystem Hierarchy Standard 3.0 and Debian Policy 9.1.
func (s *Spec) reserved(dst string) (why, hint string) {
	for _, place := range []struct{ under, why, hint string }{
		{"/home /root", "is in the home of a person", "/usr/share/NAME, or /etc/NAME for configuration"},
		{"/proc /sys /dev", "is the kernel's", "security.allow has devices"},
		{"/run /var/run /var/lock /tmp /var/tmp", "is gone after a boot", "the service has /run/NAME, made at its start"},
		{"/var/lib", "is where services keep what they write", "/usr/share/NAME; the service owns /var/lib/NAME with state: true"},
		{"/var/cache /var/log /var/spool /var/mail", "is where services write", "/usr/share/NAME; the service owns /var/cache/NAME with cache: true"},
		{"/usr/local /srv /opt /mnt /media", "belongs to the administrator of the host", "/usr/share/NAME"},
		{"/bin /sbin /lib /lib32 /lib64", "is a link on the hosts", "the same path below /usr"},
		{"/boot /lost+found", "belongs to the kernel's packages", "/usr/share/NAME"},
		{"/etc/systemd/system /etc/apt/preferences.d", "is written at a deploy", "/usr/lib/systemd/system is for units"},
	} {
		for under := range strings.FieldsSeq(place.under) {
			if dst == under || strings.HasPrefix(dst, under+"/") {
				return place.why, "use " + strings.ReplaceAll(place.hint, "NAME", s.Name.Or("NAME"))
			}
		}
	}
	if strings.Count(dst, "/") == 1 || slices.Contains(strings.Fields("/usr/bin /usr/sbin /usr/lib /usr/share /usr/lib/systemd /usr/lib/systemd/system"), dst) {
		return "is a folder that packages share", "name the file or the folder in it"
	}
	if s.Name.Set && s.owns(dst) {
		return "is made by kinectl itself", "leave it to kinectl, or choose another name"
	}
	return "", ""
}

// owns reports whether a path is one of those that the package or a deploy
// makes without being asked.
func (s *Spec) owns(dst string) bool {
	name := s.Name.V
	if share := "/usr/share/kinectl"; dst == share || dst == share+"/"+name || strings.HasPrefix(dst, share+"/"+name+"/") {
		return true
	}
	const units = "/usr/lib/systemd/system/"
	if strings.HasPrefix(dst, units+"kinectl-") || strings.HasPrefix(dst, units+name+".service.d/") {
		return true
	}
	own := []string{"/etc/" + name + "/environment", "/usr/lib/sysusers.d/" + name + ".conf", "/usr/lib/tmpfiles.d/" + name + ".conf", units + name + ".service", units + name + ".socket"}
	if !(s.Exec.None && len(s.Timers) == 0) {
		own = append(own, "/usr/bin/"+name)
	}
	tasks := reservedTasks()
	for _, t := range s.Timers {
		tasks = append(tasks, t.Name.V)
	}
	for _, t := range tasks {
		own = append(own, units+name+"-"+t+".service", units+name+"-"+t+".timer", units+name+"-"+t+".socket")
	}
	return slices.Contains(own, dst)
}

// configOutsideEtc warns of configuration where nobody looks for it, and which
// a package manager does not treat as such.
func configOutsideEtc(s *Spec) diag.Findings {
	var all diag.Findings
	for i, f := range s.Files {
		if f.Type.V == "config" && f.Destination.Set && !strings.HasPrefix(path.Clean(f.Destination.V), "/etc/") {
			all = append(all, s.finding("config-outside-etc", diag.Warning, fmt.Sprintf("service.files[%d].dst", i), f.Destination.At,
				"put it below /etc/"+s.Name.Or("NAME")+" (Debian Policy 10.7.2)", "a configuration file belongs below /etc"))
		}
	}
	return all
}
