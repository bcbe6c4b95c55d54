package ansible

import (
	"encoding/base64"
	"strings"
	"testing"

	goyaml "go.yaml.in/yaml/v4"

	"github.com/kinectl/kinectl/internal/plan"
)

// TestFreeze reads the playbook back: the stage, the group, and the reason to the
// letter, without a letter of it that YAML, Jinja or a shell could take for its own.
func TestFreeze(t *testing.T) {
	type play struct {
		Hosts string
		Tasks []struct {
			Transaction struct{ Stage, Reason string } `yaml:"kinectl_transaction"`
			Lost        bool                           `yaml:"ignore_unreachable"`
		}
	}
	f := func(text []byte, group, stage, reason string) {
		t.Helper()
		var plays []play
		if err := goyaml.Unmarshal(text, &plays); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if len(plays) != 1 || len(plays[0].Tasks) != 1 || plays[0].Hosts != group || !plays[0].Tasks[0].Lost {
			t.Fatalf("not one task on %s:\n%s", group, text)
		}
		got := plays[0].Tasks[0].Transaction
		said, err := base64.StdEncoding.DecodeString(got.Reason)
		if got.Stage != stage || string(said) != reason || err != nil {
			t.Errorf("stage %q, reason %q, want %q and %q", got.Stage, said, stage, reason)
		}
		if strings.Contains(string(text), "{{") {
			t.Errorf("Jinja has something to do in:\n%s", text)
		}
	}
	const hostile = "the \"sale\" {{ lookup('env', 'HOME') }} $(id)\n: # it's {% over %} größe"
	everything := plan.Plan{Name: Everything, Group: "all"}
	f(Freeze(hello("1"), hostile)[0].Body, "applications", "freeze", hostile)
	f(Freeze(everything, "racks")[0].Body, "all", "freeze", "racks")
	f(Unfreeze(hello("1"))[0].Body, "applications", "unfreeze", "")
	f(Unfreeze(everything)[0].Body, "all", "unfreeze", "")
}
