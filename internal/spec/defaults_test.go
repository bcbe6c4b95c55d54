package spec_test

import (
	"reflect"
	"testing"

	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/spec"
)

// TestDefaultsAreThoseOfThePlan writes every documented default out, and wants
// the same plan as without them.
func TestDefaultsAreThoseOfThePlan(t *testing.T) {
	build := func(src []byte) plan.Plan {
		s, findings := spec.Parse("spec.yml", src)
		if findings.HasErrors() {
			t.Fatalf("%+v\n%s", findings, src)
		}
		p := plan.Build(s, plan.Facts{})
		p.Spec = nil
		return p
	}
	short, long, written := spec.WithDefaults()
	got, want := build(long), build(short)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("with the defaults written out:\n%+v\nwithout:\n%+v\nspec:\n%s", got, want, long)
	}
	if written < 20 {
		t.Errorf("%d defaults only were written out", written)
	}
	// The control: another value makes another plan.
	other := build(append(short, "  license: MIT\n"...))
	if reflect.DeepEqual(other, want) {
		t.Error("a license makes no difference: the comparison sees nothing")
	}
}
