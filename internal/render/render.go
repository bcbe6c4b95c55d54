// Package render turns a plan into the text of every artifact. Start at [All].
//
// Rendering is pure: the same plan gives the same bytes, and nothing here or
// below touches a file, the network or the clock.
package render

import (
	"github.com/kinectl/kinectl/internal/artifact"
	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/render/ansible"
	"github.com/kinectl/kinectl/internal/render/monitor"
	"github.com/kinectl/kinectl/internal/render/unit"
)

// All returns every artifact of a plan: the systemd units and what else the
// package carries, the playbook with the script that it hands to each host,
// and the monitoring.
func All(p plan.Plan) []artifact.File {
	var all []artifact.File
	all = append(all, unit.Files(p)...)
	all = append(all, ansible.Deploy(p)...)
	all = append(all, monitor.Files(p)...)
	return all
}
