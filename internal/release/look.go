package release

import (
	"context"
	"errors"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/kinectl/kinectl/internal/repo"
)

// All returns all hosts of the inventory, sorted by name.
func (in *Infra) All() []string {
	hosts, _ := in.Hosts("all") // an error means that there is none
	slices.Sort(hosts)
	return hosts
}

// HasGroups reports whether the inventory names groups of its own.
func (in *Infra) HasGroups() bool {
	for name := range in.answer.Groups {
		if name != "all" && name != "ungrouped" {
			return true
		}
	}
	return false
}

// Look runs a command line on a host over ssh, reached as Ansible reaches it, and
// returns what it printed. Nobody is asked for a password.
func (in *Infra) Look(ctx context.Context, host, line string) (string, error) {
	argv, err := sshCommand(host, in.Inventory, in.answer.Connect[host], readSettings(in.Dir), line)
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir = in.Dir
	cmd.WaitDelay = time.Second
	var problem strings.Builder
	cmd.Stderr = &problem
	out, err := cmd.Output()
	if said := strings.Join(strings.Fields(problem.String()), " "); err != nil && said != "" {
		return string(out), errors.New(said)
	}
	return string(out), err
}

// OpenRepository reads the package repository that the inventory names for a group,
// which may be "all", with the key that it names. The caller closes it.
func (in *Infra) OpenRepository(ctx context.Context, group string) (*repo.Reader, error) {
	location, key, err := in.repository(group)
	if err != nil {
		return nil, err
	}
	var options []repo.OpenOption
	if key != nil {
		options = append(options, repo.WithKey(key))
	}
	return repo.Open(ctx, location, options...)
}
