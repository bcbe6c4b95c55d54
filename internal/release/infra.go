package release

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Infra is one environment of an infra repository, as Ansible sees it.
type Infra struct {
	Dir       string // the repository
	Env       string // "production"
	Inventory string // DIR/inventories/ENV
	groups    map[string]group
	hostVars  map[string]map[string]any
}

type group struct {
	Hosts    []string `json:"hosts"`
	Children []string `json:"children"`
}

// OpenInfra reads the inventory of one environment through ansible-inventory,
// which alone knows Ansible's precedence. It takes about half a second.
func OpenInfra(ctx context.Context, dir, env string) (*Infra, error) {
	root := filepath.Join(dir, "inventories")
	in := &Infra{Dir: dir, Env: env, Inventory: filepath.Join(root, env)}
	if _, err := os.Stat(in.Inventory); err != nil {
		return nil, fmt.Errorf("no inventory of %q at %s%s", env, in.Inventory, environments(root))
	}
	program, err := exec.LookPath("ansible-inventory")
	if err != nil {
		return nil, errors.New("ansible-inventory is not on this machine: install it with `apt-get install ansible-core`")
	}
	cmd := exec.CommandContext(ctx, program, "-i", in.Inventory, "--list")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "ANSIBLE_DEPRECATION_WARNINGS=False", "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED=True")
	var problem strings.Builder
	cmd.Stderr = &problem
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("read the inventory %s: %w: %s", in.Inventory, err, strings.TrimSpace(problem.String()))
	}
	if err := in.parse(out); err != nil {
		return nil, fmt.Errorf("read the inventory %s: %w", in.Inventory, err)
	}
	return in, nil
}

// environments lists what is there instead, for an error message.
func environments(root string) string {
	entries, _ := os.ReadDir(root)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if len(names) == 0 {
		return ""
	}
	return "; there is " + strings.Join(names, ", ")
}

// parse reads the document that `ansible-inventory --list` prints: one object
// a group, and the variables of all hosts under _meta.
func (in *Infra) parse(document []byte) error {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(document, &raw); err != nil {
		return err
	}
	var meta struct {
		HostVars map[string]map[string]any `json:"hostvars"`
	}
	if m, ok := raw["_meta"]; ok {
		if err := json.Unmarshal(m, &meta); err != nil {
			return err
		}
	}
	in.hostVars = meta.HostVars
	in.groups = map[string]group{}
	for name, m := range raw {
		if name == "_meta" {
			continue
		}
		var g group
		if err := json.Unmarshal(m, &g); err != nil {
			return fmt.Errorf("group %s: %w", name, err)
		}
		in.groups[name] = g
	}
	return nil
}

// Hosts returns the hosts of a group and of the groups below it, in the
// inventory's order, or an error that names the groups there are.
func (in *Infra) Hosts(name string) ([]string, error) {
	if _, ok := in.groups[name]; !ok {
		var names []string
		for g := range in.groups {
			if g != "all" && g != "ungrouped" {
				names = append(names, g)
			}
		}
		slices.Sort(names)
		return nil, fmt.Errorf("the inventory %s has no group %q; it has %s", in.Inventory, name, strings.Join(names, ", "))
	}
	var hosts []string
	seen := map[string]bool{}
	var walk func(string)
	walk = func(name string) {
		if seen[name] {
			return
		}
		seen[name] = true
		for _, h := range in.groups[name].Hosts {
			if !slices.Contains(hosts, h) {
				hosts = append(hosts, h)
			}
		}
		for _, c := range in.groups[name].Children {
			walk(c)
		}
	}
	walk(name)
	if len(hosts) == 0 {
		return nil, fmt.Errorf("the group %q of %s has no host", name, in.Inventory)
	}
	return hosts, nil
}

// Variable returns a variable of a host as text, and false when it is not
// defined or not a plain value.
func (in *Infra) Variable(host, name string) (string, bool) {
	v, ok := in.hostVars[host][name].(string)
	return v, ok
}
