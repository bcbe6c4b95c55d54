package spec

import (
	"slices"
	"testing"

	"github.com/kinectl/kinectl/internal/diag"
)

func TestLoosened(t *testing.T) {
	s, findings := Parse("spec.yml", []byte(`service:
  name: films
  group: applications
  description: Films
  security:
    allow:
      - netlink
      - write: [/srv/films, /srv/cache]
      - namespaces
  capabilities: [CAP_SYS_TIME]
`))
	if len(findings) > 0 {
		t.Fatalf("%+v", findings)
	}
	want := []struct {
		path, message, hint string
		line                int
	}{
		{"service.security.allow[0]", "netlink lets the service ask the kernel for interfaces and routes", "remove it if the service can do without; it adds less than 0.1 to the exposure of 1.1", 7},
		{"service.security.allow[1]", "write lets the service write to these folders, where their owner lets it; root's own are as good as root (/srv/films, /srv/cache)", "remove it if the service can do without; it adds less than 0.1 to the exposure of 1.1", 8},
		{"service.security.allow[2]", "namespaces lets the service make namespaces, as programs do that start sandboxes", "remove it if the service can do without; it adds 1.0 to the exposure of 1.1", 9},
		{"service.capabilities[0]", "CAP_SYS_TIME lets the service set the clock", "remove it if the service can do without; it adds 0.8 to the exposure of 1.1", 10},
	}
	got := loosened(s)
	if len(got) != len(want) {
		t.Fatalf("%d notes: %+v", len(got), got)
	}
	for i, w := range want {
		if g := got[i]; g.Path != w.path || g.Message != w.message || g.Hint != w.hint || g.Line != w.line || g.Severity != diag.Note || g.Rule != "sandbox-loosened" {
			t.Errorf("got %+v\nwant %+v", g, w)
		}
	}
	if tight, _ := Parse("spec.yml", []byte("service:\n  name: films\n  group: a\n  description: d\n")); loosened(tight) != nil {
		t.Error("a spec that asks for nothing has notes")
	}
}

func TestSystemCalls(t *testing.T) {
	f := func(list string, faults int) {
		t.Helper()
		_, findings := Parse("spec.yml", []byte("service:\n  name: films\n  group: a\n  description: d\n  security: {allow: [system-calls: "+list+"]}\n"))
		if len(findings) != faults {
			t.Errorf("%s: %+v", list, findings)
		}
	}
	f("[perf_event_open, \"@mount\", \"@raw-io\"]", 0)
	f("[\"@mounts\"]", 1)
	f("[\"~mount\", \"mount umount\", Mount]", 3)
}

func TestCapabilities(t *testing.T) {
	f := func(list, message, hint string) {
		t.Helper()
		_, findings := Parse("spec.yml", []byte("service:\n  name: films\n  group: a\n  description: d\n  capabilities: "+list+"\n"))
		if message == "" {
			if len(findings) > 0 {
				t.Errorf("%s: %+v", list, findings)
			}
			return
		}
		if len(findings) != 1 || findings[0].Message != message || findings[0].Hint != hint || findings[0].Line != 5 {
			t.Errorf("%s: %+v", list, findings)
		}
	}
	f("[CAP_NET_RAW, CAP_CHOWN]", "", "")
	f("[CAP_NET_BIND_SERVISE]", `there is no capability "CAP_NET_BIND_SERVISE"`, "did you mean CAP_NET_BIND_SERVICE?")
	f("[CAP_EVERYTHING_AT_ONCE]", `there is no capability "CAP_EVERYTHING_AT_ONCE"`, "see capabilities(7)")
	f("[net_raw]", `capabilities cannot be "net_raw"`, "a name of capabilities(7), like CAP_NET_BIND_SERVICE")
	if !slices.IsSortedFunc(Capabilities(), func(a, b Capability) int { return slices.Compare([]byte(a.Name), []byte(b.Name)) }) {
		t.Error("the capabilities are not sorted")
	}
}
