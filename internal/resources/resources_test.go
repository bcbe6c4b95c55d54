package resources

import (
	"reflect"
	"testing"

	"github.com/kinectl/kinectl/internal/spec"
)

func TestRead(t *testing.T) {
	got, findings := Read(File, []byte("# ours\nresources:\n  billing: {variable: BILLING_URL, needs: billing_url}\n  search:\n    variable: SEARCH_HOSTS\n    needs: search_hosts\n"))
	want := []spec.Resource{{Kind: "billing", Variable: "BILLING_URL", Needs: "billing_url"}, {Kind: "search", Variable: "SEARCH_HOSTS", Needs: "search_hosts"}}
	if len(findings) > 0 || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %+v", got, findings)
	}
	for _, empty := range []string{"", "# nothing yet\n", "resources: {}\n"} {
		if got, findings := Read(File, []byte(empty)); got != nil || findings != nil {
			t.Errorf("%q: %+v, %+v", empty, got, findings)
		}
	}
}

func TestReadFaults(t *testing.T) {
	f := func(text, rule string, line, column int) {
		t.Helper()
		_, findings := Read(File, []byte(text))
		if len(findings) != 1 || findings[0].Rule != rule || findings[0].Line != line || findings[0].Column != column || !findings.HasErrors() {
			t.Errorf("%q: %+v, want %s at %d:%d", text, findings, rule, line, column)
		}
	}
	f("resource: {}\n", "unknown-key", 1, 1)
	f("- a\n", "wrong-type", 1, 1)
	f("resources: [a]\n", "wrong-type", 1, 12)
	f("resources:\n  Billing: {variable: B, needs: b}\n", "bad-value", 2, 3)
	f("resources:\n  billing: {variable: b, needs: b}\n", "bad-value", 2, 23)
	f("resources:\n  billing: {variable: B, needs: '{{ b }}'}\n", "bad-value", 2, 33)
	f("resources:\n  billing: {variable: B}\n", "missing-key", 2, 3)
	f("resources:\n  billing: {variable: 1, needs: b}\n", "wrong-type", 2, 23)
	f("resources:\n  billing: {variable: B, needs: b, port: 1}\n", "unknown-key", 2, 36)
	f("resources:\n  nats: {variable: B, needs: b}\n", "duplicate-value", 2, 3)
	f("resources:\n  billing: {variable: NATS_URL, needs: b}\n", "duplicate-variable", 2, 3)
	f("resources:\n  a: {variable: B, needs: b}\n  a: {variable: C, needs: c}\n", "duplicate-key", 3, 3)
	f("resources:\n  a: &x {variable: B, needs: b}\n", "no-aliases", 2, 6)
	f("resources:\n  a: {variable: B, needs: b\n", "syntax", 3, 1)
	f("resources: {}\n---\nresources: {}\n", "several-documents", 2, 1)
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("resources:\n  billing: {variable: BILLING_URL, needs: billing_url}\n"))
	f.Add([]byte("resources: {a: *b, ? [] : 1, <<: x}\n---\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		kinds, findings := Read(File, src)
		for _, k := range kinds {
			if !findings.HasErrors() && (k.Kind == "" || k.Variable == "" || k.Needs == "") {
				t.Errorf("half a kind: %+v", k)
			}
		}
		for _, f := range findings {
			if f.Line < 0 || f.Column < 0 || f.Rule == "" || f.Message == "" {
				t.Errorf("unfit for people: %+v", f)
			}
		}
	})
}
