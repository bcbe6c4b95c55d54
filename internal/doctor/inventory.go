package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// newcomer is the name of a host that an inventory without one is asked for: what
// the first would be told.
const newcomer = "the-first-host"

// variables are those of every host of an inventory, by ansible-inventory, or of
// the newcomer alone.
func variables(ctx context.Context, dir, inventory string) (map[string]map[string]any, error) {
	cmd := exec.CommandContext(ctx, "ansible-inventory", "-i", inventory, "-i", newcomer+",", "--list")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "ANSIBLE_DEPRECATION_WARNINGS=False")
	var problem strings.Builder
	cmd.Stderr = &problem
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("read the inventory %s: %w: %s", inventory, err, strings.Join(strings.Fields(problem.String()), " "))
	}
	var list struct {
		Meta struct{ HostVars map[string]map[string]any } `json:"_meta"`
	}
	if err := json.Unmarshal(out, &list); err != nil {
		return nil, fmt.Errorf("read the inventory %s: %w", inventory, err)
	}
	if len(list.Meta.HostVars) > 1 {
		delete(list.Meta.HostVars, newcomer)
	}
	return list.Meta.HostVars, nil
}

// inventory says what the variables of an environment's hosts lack, or have as
// `kinectl init --infra` wrote it: what site.yml would stumble over. Each finding is of
// that level. With base the role of that name is there, which needs more.
func inventory(hosts map[string]map[string]any, dir, env string, base bool, level Level) []Finding {
	wrong := map[Finding][]string{} // → hosts
	all := filepath.Join("inventories", env, "group_vars", "all.yml")
	for host, vars := range hosts {
		add := func(check, detail, mend string) {
			f := Finding{Check: env + " " + check, Level: level, Detail: detail, Mend: mend}
			wrong[f] = append(wrong[f], host)
		}
		if reason := lockedOut(vars["admins"]); base && reason != "" {
			add("admins", reason+": the base role would lock everybody out", "write into "+all+`: admins: [{name: alice, ssh_keys: ["ssh-ed25519 AAAA… alice@laptop"]}]`)
		}
		if key := text(vars, "kinectl_repository_key"); base && key == "" {
			add("repository key", "kinectl_repository_key does not name the public key of the package repository", "write into "+all+": kinectl_repository_key: repository.asc")
		} else if file := beside(dir, key); key != "" && !there(file) {
			add("repository key", file+" is not there: the public key of the package repository", "cp REPO/key.asc "+file)
		}
		for _, name := range []string{"kinectl_repository", "kinectl_repository_url"} {
			if at, err := url.Parse(text(vars, name)); err == nil && example(at.Hostname()) && direct(vars) {
				add("addresses", name+" is still the example: "+at.Redacted(), "write the address of the package repository into "+all)
			}
		}
		for _, name := range []string{"ansible_host", "ansible_ssh_host"} {
			if address := text(vars, name); example(address) && direct(vars) {
				add("addresses", fmt.Sprintf("%s of %s is an address of documentation: %s", name, host, address), "write its own into "+filepath.Join("inventories", env, "hosts.yml"))
			}
		}
	}
	var found []Finding
	for f, names := range wrong {
		if slices.Sort(names); len(names) < len(hosts) && f.Check != env+" addresses" {
			f.Detail += " (" + strings.Join(names, " ") + ")"
		}
		found = append(found, f)
	}
	slices.SortFunc(found, func(a, b Finding) int { return strings.Compare(a.Check+a.Detail, b.Check+b.Detail) })
	return found
}

// lockedOut says why nobody could log in to a host with these admins; "" when
// somebody can, or when only Ansible could tell.
func lockedOut(admins any) string {
	if _, template := admins.(string); template {
		return ""
	}
	list, _ := admins.([]any)
	if len(list) == 0 {
		return "admins names nobody"
	}
	for _, a := range list {
		admin, _ := a.(map[string]any)
		keys, template := admin["ssh_keys"].(string)
		if all, _ := admin["ssh_keys"].([]any); len(all) == 0 && !template {
			return fmt.Sprintf("the admin %v has no key in ssh_keys", admin["name"])
		} else if strings.Contains(keys+fmt.Sprint(all...), "…") {
			return fmt.Sprintf("the key of the admin %v is still the example", admin["name"])
		}
	}
	return ""
}

// text is a variable that is no template: what one gives, only Ansible knows.
func text(vars map[string]any, name string) string {
	value, _ := vars[name].(string)
	if strings.Contains(value, "{{") {
		return ""
	}
	return value
}

// beside is a path as the inventory's are: from the infra repository.
func beside(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

func there(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// direct tells whether ssh goes to the address itself, and to no other by its
// arguments.
func direct(vars map[string]any) bool {
	for _, name := range []string{"ansible_connection", "ansible_ssh_args", "ansible_ssh_common_args", "ansible_ssh_extra_args"} {
		if vars[name] != nil {
			return false
		}
	}
	return true
}

// example tells whether a host is one that documents may name, so that there is
// none (RFC 2606, 3849, 5737).
func example(host string) bool {
	if address, err := netip.ParseAddr(host); err == nil {
		for _, reserved := range []string{"192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32"} {
			if netip.MustParsePrefix(reserved).Contains(address) {
				return true
			}
		}
		return false
	}
	for _, domain := range []string{"example", "invalid", "example.com", "example.net", "example.org"} {
		if host == domain || strings.HasSuffix(host, "."+domain) {
			return true
		}
	}
	return false
}
