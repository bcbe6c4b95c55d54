package release

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kinectl/kinectl/internal/resources"
	"github.com/kinectl/kinectl/internal/spec"
)

// Infra is one environment of an infra repository, as Ansible sees it.
type Infra struct {
	Dir       string // the repository
	Env       string // "production"
	Inventory string // DIR/inventories/ENV
	answer    answer
	state     string // of all files of the inventory; empty when they do not tell
}

// answer is what this program needs of the inventory. It is kept in a cache on
// disk, so it has the values of our own variables only, and of those that say how a
// host is reached.
type answer struct {
	Format  int // answerFormat
	Groups  map[string]group
	Defined map[string][]string          // host → names of its variables
	Ours    map[string]map[string]string // host → kinectl_… variables
	Secrets map[string]secrets           // host → what its values are, by name
	Connect map[string]map[string]string // host → how it is reached, see connectionVariables
}

// answerFormat goes up with every change of answer, and of what is looked for in
// the values: an older answer in the cache is none.
const answerFormat = 3

type group struct {
	Hosts    []string `json:"hosts"`
	Children []string `json:"children"`
}

// OpenInfra reads the inventory of one environment through ansible-inventory,
// which alone knows Ansible's precedence. That takes about half a second, so
// the answer is kept until a file of the inventory changes.
func OpenInfra(ctx context.Context, dir, env string) (*Infra, error) {
	root := filepath.Join(dir, "inventories")
	in := &Infra{Dir: dir, Env: env, Inventory: filepath.Join(root, env)}
	if _, err := os.Stat(in.Inventory); err != nil {
		return nil, fmt.Errorf("no inventory of %q at %s%s", env, in.Inventory, environments(root))
	}
	key := inventoryKey(dir, in.Inventory)
	in.state = key[:min(16, len(key))]
	if in.cached(key) {
		return in, nil
	}
	program, err := ansibleProgram("ansible-inventory")
	if err != nil {
		return nil, err
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
	in.keep(key)
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
	in.answer = answer{
		Format: answerFormat,
		Groups: map[string]group{}, Defined: map[string][]string{}, Ours: map[string]map[string]string{}, Secrets: map[string]secrets{}, Connect: map[string]map[string]string{},
	}
	known := map[string]bool{}
	for host, vars := range meta.HostVars {
		ours := map[string]string{}
		for name, value := range vars {
			known[name] = true
			in.answer.Defined[host] = append(in.answer.Defined[host], name)
			if text, ok := value.(string); ok && strings.HasPrefix(name, "kinectl_") {
				ours[name] = text
			}
		}
		in.answer.Ours[host] = ours
		in.answer.Connect[host] = connectionOf(vars)
	}
	for host, vars := range meta.HostVars {
		in.answer.Secrets[host] = secretsOf(vars, known)
	}
	for name, m := range raw {
		if name == "_meta" {
			continue
		}
		var g group
		if err := json.Unmarshal(m, &g); err != nil {
			return fmt.Errorf("group %s: %w", name, err)
		}
		in.answer.Groups[name] = g
	}
	return nil
}

// Hosts returns the hosts of a group and of the groups below it, in the
// inventory's order, or an error that names the groups there are.
func (in *Infra) Hosts(name string) ([]string, error) {
	if _, ok := in.answer.Groups[name]; !ok {
		var names []string
		for g, has := range in.answer.Groups {
			if slices.Contains(has.Children, name) { // ansible-inventory tells of an empty group only there
				return nil, fmt.Errorf("the group %q of %s has no host yet", name, in.Inventory)
			}
			if g != "all" && g != "ungrouped" {
				names = append(names, g)
			}
		}
		if len(names) == 0 {
			return nil, fmt.Errorf("the inventory %s has no group %q, nor any other with a host", in.Inventory, name)
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
		for _, h := range in.answer.Groups[name].Hosts {
			if !slices.Contains(hosts, h) {
				hosts = append(hosts, h)
			}
		}
		for _, c := range in.answer.Groups[name].Children {
			walk(c)
		}
	}
	walk(name)
	if len(hosts) == 0 {
		return nil, fmt.Errorf("the group %q of %s has no host", name, in.Inventory)
	}
	return hosts, nil
}

// resources are the kinds that the infra repository adds to those that kinectl
// knows: none when it has no resources.yml.
func (in *Infra) resources() ([]spec.Resource, error) {
	name := filepath.Join(in.Dir, resources.File)
	src, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	kinds, findings := resources.Read(name, src)
	if findings.HasErrors() {
		var text strings.Builder
		findings.Write(&text, false)
		return nil, errors.New(text.String())
	}
	return kinds, nil
}

// magic are the variables that Ansible itself defines for every host (Ansible
// documentation, "Special variables").
func magic() []string {
	return []string{
		"inventory_hostname", "inventory_hostname_short", "inventory_dir", "inventory_file", "groups", "group_names", "hostvars",
		"ansible_play_hosts", "ansible_play_hosts_all", "ansible_play_batch", "ansible_play_name", "ansible_version", "ansible_check_mode", "playbook_dir",
	}
}

// Undefined returns a sentence for every variable that the inventory does not
// define for one of these hosts: all of them at once, before any host is asked.
func (in *Infra) Undefined(hosts, needs []string) []string {
	var missing []string
	for _, name := range needs {
		if slices.Contains(magic(), name) {
			continue
		}
		var lack []string
		for _, h := range hosts {
			if !slices.Contains(in.answer.Defined[h], name) {
				lack = append(lack, h)
			}
		}
		if len(lack) > 0 {
			missing = append(missing, fmt.Sprintf("the variable %s is not defined for %s", name, strings.Join(lack, " ")))
		}
	}
	return missing
}
