package doctor

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestInventory holds which variables site.yml would stumble over.
func TestInventory(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "repository.asc"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	const good = `{"admins": [{"name": "alice", "ssh_keys": ["ssh-ed25519 AAAAC3 alice"]}], "kinectl_repository": "https://apt.films.tv",
		"kinectl_repository_url": "https://apt.films.tv", "kinectl_repository_key": "repository.asc", "ansible_host": "10.0.0.1"}`
	f := func(base bool, change, want string) {
		t.Helper()
		hosts := map[string]map[string]any{}
		for name, text := range map[string]string{"h1": good, "h2": good} {
			vars := map[string]any{}
			if err := json.Unmarshal([]byte(text), &vars); err != nil {
				t.Fatal(err)
			}
			hosts[name] = vars
		}
		changes := map[string]map[string]any{}
		if err := json.Unmarshal([]byte(change), &changes); err != nil {
			t.Fatal(err)
		}
		for name, vars := range changes {
			maps.Copy(hosts[name], vars)
		}
		var got []string
		for _, g := range inventory(hosts, dir, "e", base, Fail) {
			if g.Level != Fail || g.Mend == "" {
				t.Errorf("%+v", g)
			}
			got = append(got, g.Check+": "+strings.ReplaceAll(g.Detail, dir, "DIR"))
		}
		if text := strings.Join(got, "; "); text != want {
			t.Errorf("%s: got\n%s, want\n%s", change, text, want)
		}
	}
	const closed = ": the base role would lock everybody out"
	f(true, `{}`, "")
	f(true, `{"h1": {"admins": []}}`, `e admins: admins names nobody`+closed+` (h1)`)
	f(true, `{"h1": {"admins": null, "kinectl_repository_key": null}, "h2": {"admins": null, "kinectl_repository_key": null}}`, `e admins: admins names nobody`+closed+`; e repository key: kinectl_repository_key does not name the public key of the package repository`)
	f(false, `{"h1": {"admins": null, "kinectl_repository_key": null}, "h2": {"admins": null, "kinectl_repository_key": null}}`, "")
	f(true, `{"h1": {"admins": "{{ ours }}", "kinectl_repository_key": "{{ key }}x", "ansible_host": "{{ where }}"}}`,
		"e repository key: kinectl_repository_key does not name the public key of the package repository (h1)")
	f(true, `{"h1": {"admins": [{"name": "bob"}]}}`, `e admins: the admin bob has no key in ssh_keys`+closed+` (h1)`)
	f(true, `{"h1": {"admins": [{"name": "bob", "ssh_keys": ["ssh-ed25519 AAAA… bob"]}]}}`, `e admins: the key of the admin bob is still the example`+closed+` (h1)`)
	f(false, `{"h1": {"kinectl_repository_key": "other.asc"}}`, "e repository key: DIR/other.asc is not there: the public key of the package repository (h1)")
	f(false, `{"h1": {"kinectl_repository": "s3://packages.example.com/apt"}}`, "e addresses: kinectl_repository is still the example: s3://packages.example.com/apt")
	f(false, `{"h1": {"kinectl_repository": "/srv/example.com"}}`, "")
	f(false, `{"h2": {"ansible_host": "198.51.100.11"}}`, "e addresses: ansible_host of h2 is an address of documentation: 198.51.100.11")
	f(false, `{"h2": {"ansible_host": "198.51.100.11", "ansible_ssh_common_args": "-F lab"}}`, "") // goes elsewhere
	f(false, `{"h2": {"ansible_host": "2001:db8::1"}}`, "e addresses: ansible_host of h2 is an address of documentation: 2001:db8::1")
}
