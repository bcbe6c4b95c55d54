package unit

import (
	"fmt"

	"github.com/kinectl/kinectl/internal/plan"
)

// sysusers renders sysusers.d(5): the user, and its group where that has
// another name. root needs none. Services that share a user write the same
// line, which does nothing where the user is there; so it names neither the
// service nor its description, in which a colon would break /etc/passwd.
func sysusers(p plan.Plan) []byte {
	user, group := identifier(p.Unit.User), identifier(p.Unit.Group)
	switch {
	case !p.Unit.Runs() && len(p.Timers) == 0 && p.Deploy.Before == nil:
		return nil // nothing would run as that user
	case user == "root" && group == "root":
		return nil
	case user == "root":
		return fmt.Appendf(nil, "g %s -\n", group)
	case user == group:
		return fmt.Appendf(nil, "u %s - \"%[1]s service\"\n", user)
	case group == "root":
		return fmt.Appendf(nil, "u %s -:root \"%[1]s service\"\n", user)
	}
	return fmt.Appendf(nil, "g %s -\nu %s -:%[1]s \"%[2]s service\"\n", group, user)
}

// tmpfiles renders tmpfiles.d(5), for one folder only: a socket in /run/NAME is
// there before the service, whose RuntimeDirectory= makes that folder otherwise,
// and the folder must be the service's own from the start. What has to last is
// made by StateDirectory= and CacheDirectory=, and the folders of the loosening
// "write" belong to whoever runs the host.
func tmpfiles(p plan.Plan) []byte {
	if !socketFolder(p) {
		return nil
	}
	return fmt.Appendf(nil, "d /run/%s 0755 %s %s -\n", p.Name, identifier(p.Unit.User), identifier(p.Unit.Group))
}
