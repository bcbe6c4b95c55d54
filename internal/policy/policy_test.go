package policy

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/kinectl/kinectl/internal/spec"
)

// parsed is a spec of the service films in the group apps, with more lines.
func parsed(t *testing.T, lines string) *spec.Spec {
	t.Helper()
	s, findings := spec.Parse("spec.yml", []byte("service:\n  name: films\n  group: apps\n  description: d\n"+lines))
	if findings.HasErrors() {
		t.Fatalf("%+v", findings)
	}
	return s
}

func TestDefaultIsWhole(t *testing.T) {
	p, findings := read("default.yml", defaultSource)
	if len(findings) > 0 || len(p.grants) != 1 || len(p.grants[0].files) < 7 {
		t.Errorf("%+v, %+v", p, findings)
	}
	page, err := os.ReadFile("../../docs/policy.md")
	if err != nil || !strings.Contains(string(page), "```yaml\n"+string(defaultSource)+"```\n") {
		t.Errorf("docs/policy.md does not show the default as it is: %v", err)
	}
}

// TestEveryKeyIsOpen: what an ordinary service asks for needs no policy.yml.
func TestEveryKeyIsOpen(t *testing.T) {
	src, err := os.ReadFile("../spec/testdata/every-key.yml")
	if err != nil {
		t.Fatal(err)
	}
	s, _ := spec.Parse("every-key.yml", src)
	if findings := Check(Default(), s); len(findings) > 0 {
		t.Errorf("%+v", findings)
	}
	// The control: nothing is open without the default.
	if findings := Check(Policy{}, s); len(findings) != 5 {
		t.Errorf("the zero policy finds %d things: %+v", len(findings), findings)
	}
}

func TestCheck(t *testing.T) {
	const cdn = "groups:\n  all: {files: [/usr/share/media]}\n  apps:\n    root: true\n    files: [/usr/bin/NAME-tool]\n    capabilities: [CAP_NET_ADMIN]\n    allow: [jit, {devices: [/dev/dri]}, {groups: [video]}, home-read]\n"
	// f compares the rules, with the columns that they point at.
	f := func(policy, lines string, want ...string) {
		t.Helper()
		p, findings := Read(File, []byte(policy))
		if len(findings) > 0 {
			t.Fatalf("%+v", findings)
		}
		var got []string
		for _, f := range Check(p, parsed(t, lines)) {
			if f.Line < 5 || f.Excerpt == "" || !strings.Contains(f.Hint, "groups: {apps: {") || !strings.HasSuffix(f.Message, "is not open to the group apps") {
				t.Errorf("unfit for people: %+v", f)
			}
			got = append(got, f.Rule+" "+f.Path)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s with\n%s\nfinds %q, want %q", lines, policy, got, want)
		}
	}
	f("", "")
	f("", "  security: {owner: root}\n", "policy-owner service.security.owner")
	f("", "  security: {owner: films, group: root}\n", "policy-owner service.security.group")
	f(cdn, "  security: {owner: root}\n")
	f(strings.ReplaceAll(cdn, "apps", "cdn"), "  security: {owner: root}\n", "policy-owner service.security.owner")

	f("", "  files: [{src: a, dst: /etc/films/a}, {src: a, dst: /etc/filmsx/a}]\n", "policy-files service.files[1].dst")
	f("", "  files: [{src: a, dst: /usr/share/films}, {src: a, dst: /usr/share/doc/films/}]\n")
	f("", "  files: [{src: a, dst: /usr/share/bash-completion/completions/films}, {src: a, dst: /usr/share/bash-completion/completions/ls}]\n", "policy-files service.files[1].dst")
	f("", "  files: [{src: a, dst: /usr/share/media/a}]\n", "policy-files service.files[0].dst")
	f(cdn, "  files: [{src: a, dst: /usr/share/media/a}, {src: a, dst: /usr/bin/films-tool}]\n")
	f("defaults: false\n", "  files: [{src: a, dst: /etc/films/a}]\n", "policy-files service.files[0].dst")
	f("defaults: true\n", "  files: [{src: a, dst: /etc/films/a}]\n")

	f("", "  capabilities: [CAP_NET_BIND_SERVICE, CAP_NET_ADMIN]\n", "policy-capability service.capabilities[1]")
	f(cdn, "  capabilities: [CAP_NET_BIND_SERVICE, CAP_NET_ADMIN]\n")

	f("", "  security: {allow: [jit, network-raw, {write: [/srv/films/a, /srv/x]}]}\n", "policy-allow service.security.allow[1]", "policy-allow service.security.allow[2]")
	f(cdn, "  security: {allow: [home-read, {devices: [/dev/dri/card0]}, {groups: [video]}]}\n")
	f(cdn, "  security: {allow: [{devices: [/dev/dri, /dev/sda]}, {groups: [disk]}]}\n", "policy-allow service.security.allow[0]", "policy-allow service.security.allow[1]")
	f("groups: {apps: {allow: [write]}}\n", "  security: {allow: [{write: [/any]}]}\n")
	f("defaults: false\ngroups: {apps: {allow: [{write: []}]}}\n", "  security: {allow: [{write: [/any]}]}\n", "policy-allow service.security.allow[0]")
}

// TestPathsAreCleaned: Check is safe alone, whatever the spec lets pass. The
// values are made by hand, as Parse refuses some of them.
func TestPathsAreCleaned(t *testing.T) {
	p, findings := Read(File, []byte("groups: {apps: {files: [/srv/films], allow: [{write: [/srv/films]}, {devices: [/dev/dri]}, jit]}}\n"))
	if len(findings) > 0 {
		t.Fatalf("%+v", findings)
	}
	f := func(name string, values []string, open bool) {
		t.Helper()
		s := parsed(t, "  state: true\n")
		s.Security.Allow = []spec.Value[spec.Loosening]{{V: spec.Loosening{Name: name, Values: values}, Set: true, At: spec.Pos{Line: 5, Column: 3}}}
		if got := Check(p, s); (len(got) == 0) != open {
			t.Errorf("%s %q: %+v, want it open: %v", name, values, got, open)
		}
		if name != "write" {
			return
		}
		s.Security.Allow = nil
		s.Files = []spec.File{{Destination: spec.Value[string]{V: values[0], Set: true, At: spec.Pos{Line: 5, Column: 3}}}}
		if got := Check(p, s); (len(got) == 0) != open {
			t.Errorf("a file at %q: %+v, want it open: %v", values, got, open)
		}
	}
	f("write", []string{"/srv/films"}, true)
	f("write", []string{"/srv/films/"}, true)
	f("write", []string{"/srv//films/./a"}, true)
	f("write", []string{"/srv/x/../films/a"}, true)
	f("write", []string{"/srv/films/../../etc"}, false)
	f("write", []string{"/srv/films/.."}, false)
	f("write", []string{"/srv/films/a/../../x"}, false)
	f("write", []string{"/srv/filmsx"}, false)
	f("devices", []string{"/dev/dri/../sda"}, false)
	f("jit", nil, true)
	// Without a value nothing is asked for that the list could hold.
	f("write", []string{""}, false)
	f("devices", nil, false)
}

func TestReadFaults(t *testing.T) {
	f := func(text, rule string, line, column int) {
		t.Helper()
		_, findings := Read(File, []byte(text))
		if len(findings) != 1 || findings[0].Rule != rule || findings[0].Line != line || findings[0].Column != column || !findings.HasErrors() {
			t.Errorf("%q: %+v, want %s at %d:%d", text, findings, rule, line, column)
		}
	}
	f("group: {}\n", "unknown-key", 1, 1)
	f("defaults: 'no'\n", "wrong-type", 1, 11)
	f("groups: {my-apps: {root: true}}\n", "bad-value", 1, 10)
	f("groups:\n  apps: {owner: root}\n", "unknown-key", 2, 10)
	f("groups:\n  apps: {root: root}\n", "wrong-type", 2, 16)
	f("groups:\n  apps: {files: [srv]}\n", "bad-value", 2, 18)
	f("groups:\n  apps: {files: [/]}\n", "bad-value", 2, 18)
	f("groups:\n  apps: {files: [/srv/../etc]}\n", "bad-value", 2, 18)
	f("groups:\n  apps: {capabilities: [CAP_ALL]}\n", "unknown-capability", 2, 25)
	f("groups:\n  apps: {allow: [everything]}\n", "bad-value", 2, 18)
	f("groups:\n  apps: {allow: [{everything: [a]}]}\n", "bad-value", 2, 19)
	f("groups:\n  apps: {allow: [{jit: [a]}]}\n", "wrong-type", 2, 24)
	f("groups:\n  apps: {allow: [{write: /srv}]}\n", "wrong-type", 2, 26)
	f("groups:\n  apps: {allow: jit}\n", "wrong-type", 2, 17)
}

func FuzzRead(f *testing.F) {
	f.Add(string(defaultSource))
	f.Add("defaults: false\ngroups: {a: {root: true, files: [/], allow: [{write: [/a]}, {}, []]}}\n")
	s, _ := spec.Parse("spec.yml", []byte("service:\n  name: films\n  group: apps\n  description: d\n  security: {owner: root}\n"))
	f.Fuzz(func(t *testing.T, src string) {
		p, findings := Read(File, []byte(src))
		for _, f := range findings {
			if f.Rule == "" || f.Message == "" || f.Line < 0 {
				t.Errorf("unfit for people: %+v", f)
			}
		}
		if !strings.Contains(strings.ToLower(src), "true") && len(Check(p, s)) == 0 {
			t.Errorf("root is open by %q", src)
		}
	})
}
