// Package transaction renders the script that releases one service on one
// host: it writes down the old state, installs, judges, and commits or rolls
// back, alone, whatever becomes of the deployer. Start at [Script]; the
// script's own text is in the .sh files beside this one, in the order of
// their numbers.
package transaction

import (
	"embed"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/version"
)

// Format is the version of the script, of its record on the host and of its
// result. A script undoes records of its own format only; the record of another
// one carries the script that can.
const Format = 1

//go:embed *.sh
var parts embed.FS

// body lists the parts of the script in their order.
var body = [...]string{
	"10-pieces.sh", "15-units.sh", "20-begin.sh", "25-lease.sh", "30-act.sh", "33-swap.sh", "35-drain.sh", "36-numa.sh", "40-judge.sh",
	"50-commit.sh", "60-rollback.sh", "70-remove.sh", "75-power.sh", "80-status.sh", "81-drift.sh", "82-plan.sh", "83-ports.sh", "84-prepare.sh", "85-before.sh", "90-main.sh",
}

// Script returns the transaction of p: a POSIX shell script whose only
// difference between two services, or two versions, is its first lines. It
// holds no value of the environment; those travel beside it.
func Script(p plan.Plan) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, `#!/bin/sh
# The release of %s %s on one host. Written by kinectl; what the record on the
# host means and how to go on by hand is told in docs/recovery.md.
# shellcheck disable=SC1090,SC1091,SC2034
`, p.Name, p.Version.Label)
	for _, v := range parameters(p) {
		fmt.Fprintf(&b, "%s=%s\n", v.name, quote(v.value))
	}
	b.WriteString("# end of parameters\n\n")
	for i, name := range body {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.Write(part(name))
	}
	return []byte(b.String())
}

// Module returns the Ansible module that carries [Script] of p to a host, runs
// it there and prints its one line of result (Ansible developer guide, "New-style
// JSONARGS modules"). Its arguments are stage (prepare, before,
// release or status), action (install, restore or remove), environment in
// base64 or only its SHA-256 as digest, and release, the number of a kept one.
func Module(p plan.Plan) []byte {
	var b strings.Builder
	b.Write(part("module.sh"))
	fmt.Fprintf(&b, "\nname=%s\nlimit=%d\n", quote(p.Name), int(Limit(p).Seconds()))
	fmt.Fprintf(&b, "\nscript() {\n\tcat <<'%s'\n%s%s\n}\n\nmain\n", endOfScript, Script(p), endOfScript)
	return []byte(b.String())
}

// endOfScript ends the script inside of the module. No line of the script is
// this word: its parts are ours and its parameters are one quoted line each.
const endOfScript = "KINECTL_END_OF_SCRIPT"

// Limit bounds one transaction of p, and once more its roll-back. When it is
// over, systemd ends the transaction and the guard restores the old release.
func Limit(p plan.Plan) time.Duration {
	judged := p.Deploy.Probe.Timeout + p.Deploy.Probe.Settle
	if p.Deploy.Overlap {
		judged *= 2 // the next one first
	}
	return 10*time.Minute + judged + p.Deploy.Drain
}

type parameter struct{ name, value string }

func parameters(p plan.Plan) []parameter {
	probe := p.Deploy.Probe
	return []parameter{
		{"format", fmt.Sprint(Format)},
		{"name", p.Name},
		{"version", p.Version.Label},
		{"package_version", p.Version.Deb},
		{"probe_type", probe.Type},
		{"probe_port", fmt.Sprint(probe.Port)},
		{"probe_path", probe.Path},
		{"probe_status", fmt.Sprint(probe.Status)},
		{"probe_timeout", hundredths(probe.Timeout)},
		{"probe_settle", hundredths(probe.Settle)},
		{"probe_version", fmt.Sprint(probe.Version)},
		{"metrics_port", fmt.Sprint(probe.Metrics)},
		{"ports", strings.Join(p.Ports, " ")},
		{"user", p.Unit.User},
		{"group", p.Unit.Group},
		{"runs", fmt.Sprint(p.Unit.Runs())},
		{"drain", hundredths(p.Deploy.Drain)},
		{"before", words(p.Deploy.Before)},
		{"credentials", strings.Join(p.Unit.Credentials, " ")},
		{"numa_netdevs", strings.Join(p.Deploy.NUMANetdevs, " ")},
		{"distributions", strings.Join(distributions(p), " ")},
	}
}

// words writes a command as the words of a shell that systemd-run is called
// with: systemd puts in the variables, so a dollar of the text is doubled
// (systemd.service(5), "Command lines").
func words(c plan.Command) string {
	var all []string
	for _, word := range c {
		var b strings.Builder
		for _, part := range word {
			b.WriteString(strings.ReplaceAll(part.Literal, "$", "$$"))
			if part.Variable != "" {
				b.WriteString("${" + part.Variable + "}")
			}
		}
		all = append(all, quote(b.String()))
	}
	return strings.Join(all, " ")
}

// distributions are those with a Debian package of their own, by what their
// os-release(5) says of them, ID and VERSION_ID, each with its package's version.
func distributions(p plan.Plan) []string {
	var all []string
	for name := range p.Package.ByDistribution {
		if strings.HasPrefix(name, "debian") || strings.HasPrefix(name, "ubuntu") {
			all = append(all, name+"="+version.ForDistribution(p.Version.Deb, name))
		}
	}
	slices.Sort(all)
	return all
}

// hundredths is the unit of /proc/uptime, which the script counts in.
func hundredths(d time.Duration) string { return fmt.Sprint(d.Milliseconds() / 10) }

// quote makes one word of the POSIX shell of s (XCU 2.2.2, single-quotes).
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

func part(name string) []byte {
	b, err := parts.ReadFile(name)
	if err != nil {
		panic(err) // embedded at build time
	}
	return b
}
