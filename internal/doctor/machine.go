package doctor

import (
	"context"
	"os/exec"
	"strconv"
	"strings"

	"github.com/kinectl/kinectl/internal/lazyregexp"
)

// program is one that this machine needs, or could use.
type program struct {
	name, pkg string
	level     Level  // when it is missing
	what      string // it is for
}

// Machine are the checks of this machine. Nothing is changed by them.
func Machine() []Check {
	checks := []Check{{Name: "ansible-core", Look: ansible}}
	for _, p := range []program{
		{"ansible-inventory", "ansible-core", Fail, "reading inventories"},
		{"ssh", "openssh-client", Fail, "reaching hosts"},
		{"python3", "python3", Fail, "Ansible"},
		{"git", "git", Warn, "versions of services by git describe"},
		{"go", "golang-go", Warn, "building services here"},
		{"promtool", "prometheus", Warn, "checking alerts before they are released"},
		{"systemd-analyze", "systemd", Warn, "checking units before they are released"},
		{"ansible-lint", "ansible-lint", Warn, "changing the roles of an infra repository"},
	} {
		checks = append(checks, Check{Name: p.name, Look: p.look})
	}
	return checks
}

func (p program) look(context.Context) []Finding {
	path, err := exec.LookPath(p.name)
	if err != nil {
		return one(p.level, "not installed; it is for "+p.what, "apt-get install "+p.pkg)
	}
	return one(OK, path, "")
}

var coreVersion = lazyregexp.New(`\[core (\d+)\.(\d+)`)

// oldestCore is the minor of ansible-core 2 that the playbooks are tested with.
const oldestCore = 14

func ansible(ctx context.Context) []Finding {
	const mend = "apt-get install ansible-core"
	out, err := exec.CommandContext(ctx, "ansible-playbook", "--version").Output()
	if err != nil {
		return one(Fail, "not installed", mend)
	}
	first, _, _ := strings.Cut(string(out), "\n")
	return core(first, mend)
}

// core judges the first line of ansible-playbook --version.
func core(line, mend string) []Finding {
	m := coreVersion.FindStringSubmatch(line)
	if m == nil {
		return one(Warn, "its version cannot be read: "+line, mend)
	}
	major, _ := strconv.Atoi(m[1])
	minor, _ := strconv.Atoi(m[2])
	if major < 2 || major == 2 && minor < oldestCore {
		return one(Fail, m[1]+"."+m[2]+" is older than 2."+strconv.Itoa(oldestCore), mend)
	}
	return one(OK, m[1]+"."+m[2], "")
}
