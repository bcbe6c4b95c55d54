package release

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// document is what `ansible-inventory --list` prints of an inventory with
// groups in groups, hosts in two groups, and a host without a variable.
const document = `{
  "_meta": {"hostvars": {
    "h1": {"ansible_host": "198.51.100.11", "log_level": "info", "kinectl_repository": "../repo", "vault_token": "planted-value"},
    "h2": {"log_level": "debug", "limits": {"a": 1}, "kinectl_ports": [1, 2]},
    "h3": {"log_level": "info"}
  }},
  "all": {"children": ["ungrouped", "applications", "sites", "monitoring", "empty"]},
  "applications": {"hosts": ["h2", "h1"]},
  "north": {"hosts": ["h3", "h1", "h4"]},
  "sites": {"children": ["north", "applications", "round"]},
  "round": {"children": ["sites"]},
  "monitoring": {"hosts": ["m1"]},
  "empty": {}
}`

func parsed(t *testing.T) *Infra {
	t.Helper()
	in := &Infra{Dir: "/infra", Env: "production", Inventory: "/infra/inventories/production"}
	if err := in.parse([]byte(document)); err != nil {
		t.Fatal(err)
	}
	return in
}

func TestHosts(t *testing.T) {
	in := parsed(t)
	f := func(group, want string) {
		t.Helper()
		hosts, err := in.Hosts(group)
		got := strings.Join(hosts, " ")
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("hosts of %s: got %s, want %s", group, got, want)
		}
	}
	f("applications", "h2 h1")
	f("monitoring", "m1")
	f("sites", "h3 h1 h4 h2") // each once, though h1 is in two of its groups
	f("round", "h3 h1 h4 h2")
	f("all", "h2 h1 h3 h4 m1")
	f("empty", `the group "empty" of /infra/inventories/production has no host`)
	f("nobody", `the inventory /infra/inventories/production has no group "nobody"; it has applications, empty, monitoring, north, round, sites`)
}

func TestParseFaults(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		if err := (&Infra{}).parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v", text, err)
		}
	}
	f("", "unexpected end")
	f("[]", "array")
	f(`{"_meta": 1}`, "number")
	f(`{"applications": {"hosts": "h1"}}`, "group applications: ")
}

// TestUndefined names every variable and host at once.
func TestUndefined(t *testing.T) {
	in := parsed(t)
	f := func(hosts, needs, want string) {
		t.Helper()
		if got := strings.Join(in.Undefined(strings.Fields(hosts), strings.Fields(needs)), "; "); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	f("h1 h2", "", "")
	f("h1 h2 h3", "log_level", "")
	f("h1", "vault_token log_level", "")
	f("h1 h2 h3", "vault_token", "the variable vault_token is not defined for h2 h3")
	f("h1 h2", "log_level limits nothing", "the variable limits is not defined for h1; the variable nothing is not defined for h1 h2")
	f("h1 h4", "inventory_hostname groups hostvars", "")                 // Ansible's own
	f("h4", "log_level", "the variable log_level is not defined for h4") // a host without any
}

// TestRepository says where the packages are, seen from the infra repository.
func TestRepository(t *testing.T) {
	f := func(location, want string) {
		t.Helper()
		in := parsed(t)
		in.answer.Ours["h2"] = map[string]string{repositoryVariable: location}
		got, key, err := in.repository("applications")
		if err != nil || got != want || key != nil {
			t.Errorf("%s: got %s, key %q, %v", location, got, key, err)
		}
	}
	f("../repo", "/repo")
	f("repo", "/infra/repo")
	f("/srv/repo", "/srv/repo")

	in := parsed(t)
	in.answer.Ours["h2"] = map[string]string{repositoryVariable: "https://packages.example.com/apt"}
	if _, _, err := in.repository("applications"); !errors.Is(err, ErrInventory) || !strings.Contains(err.Error(), "set kinectl_repository_key to the file of its public key") {
		t.Errorf("a URL without a key: %v", err)
	}
	in.answer.Ours["h2"] = map[string]string{repositoryVariable: "https://ann:planted-value@packages.example.com/apt"}
	if _, _, err := in.repository("applications"); err == nil || !strings.Contains(err.Error(), "signs https://ann:xxxxx@packages.example.com/apt:") {
		t.Errorf("a URL with a password: %v", err)
	}
	in.answer.Ours["h2"] = map[string]string{repositoryVariable: "https://ann:planted%value@packages.example.com/apt"}
	if _, _, err := in.repository("applications"); err == nil || strings.Contains(err.Error(), "planted") {
		t.Errorf("a URL that cannot be read: %v", err)
	}
	in = parsed(t)
	if _, _, err := in.repository("applications"); err == nil || !strings.Contains(err.Error(), "set kinectl_repository in group_vars/all.yml") {
		t.Errorf("without the variable: %v", err)
	}
	in.answer.Ours["h2"] = map[string]string{repositoryVariable: "repo", keyVariable: "nowhere.asc"}
	if _, _, err := in.repository("applications"); err == nil || !strings.Contains(err.Error(), "/infra/nowhere.asc") {
		t.Errorf("without the key: %v", err)
	}
}

// TestResources reads the kinds that an infra repository adds.
func TestResources(t *testing.T) {
	f := func(files map[string]string, want, fault string) {
		t.Helper()
		kinds, err := (&Infra{Dir: infra(t, files)}).resources()
		if fault != "" {
			if err == nil || !strings.Contains(err.Error(), fault) {
				t.Errorf("%v: error %v, want %q in it", files, err, fault)
			}
			return
		}
		if got := fmt.Sprint(kinds); err != nil || got != want {
			t.Errorf("%v: %s, %v; want %s", files, got, err, want)
		}
	}
	f(nil, "[]", "")
	f(map[string]string{"resources.yml": "resources:\n  billing: {variable: BILLING_URL, needs: billing_url}\n"}, "[{billing BILLING_URL billing_url}]", "")
	f(map[string]string{"resources.yml": "resources:\n  billing: {variable: BILLING_URL}\n"}, "", "needs both variable and needs")
}
