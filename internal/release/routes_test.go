package release

import (
	"encoding/json"
	"slices"
	"testing"
)

// What is done at the proxies is no result of the host, until it fails.
func TestProxiesAreNoResult(t *testing.T) {
	const out, transaction, lost = "Take the host out at the proxies", "Run the transaction", "Stop where a host was lost"
	f := func(want []Result, lines ...line) {
		t.Helper()
		o := &Outcome{}
		teller := teller{out: o, began: map[string]string{}, told: map[string]bool{}, lost: map[string]line{}}
		for _, l := range lines {
			l.Play, l.Host = stageDeploy, "h1"
			teller.event(l)
		}
		teller.unreachable()
		var got []Result
		for _, h := range o.Hosts {
			got = append(got, h.Result)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%v: %v, want %v", lines, got, want)
		}
	}
	deployed := json.RawMessage(`{"result":"deployed"}`)
	f(nil, line{Event: "start", Task: out}, line{Event: "ok", Task: out})
	f([]Result{"deployed"}, line{Event: "ok", Task: out}, line{Event: "ok", Task: transaction, Result: deployed}, line{Event: "ok", Task: "Bring the host back at the proxies"})
	f([]Result{Failed}, line{Event: "unreachable", Task: out}, line{Event: "failed", Task: "See that every proxy knows"})
	f([]Result{Failed}, line{Event: "failed", Task: out}, line{Event: "failed", Task: "See that every proxy knows"})
	f([]Result{Failed}, line{Event: "ok", Task: transaction, Result: deployed}, line{Event: "failed", Task: "Bring the host back at the proxies"}, line{Event: "failed", Task: "Stop where a proxy has not taken the host back"})
	f([]Result{Unreachable}, line{Event: "ok", Task: out}, line{Event: "unreachable", Task: transaction}, line{Event: "failed", Task: lost})
}

func TestMessageOfALoop(t *testing.T) {
	got := message(line{Result: json.RawMessage(`{"msg":"One or more items failed","results":[{"msg":"h1 is out"},{"msg":"no timer: bus is gone"}]}`)})
	if want := "h1 is out no timer: bus is gone"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
