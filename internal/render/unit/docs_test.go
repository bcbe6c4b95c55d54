package unit

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/kinectl/kinectl/internal/spec"
)

// TestDocs wants each loosening on the page about units, with its cost.
func TestDocs(t *testing.T) {
	page, err := os.ReadFile("../../../docs/units.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range spec.Permissions() {
		row, cost := "| `"+q.Name, "| less than 0.1 |"
		if q.Takes != "" {
			row += ": " + q.Takes
		}
		if q.Cost > 0 {
			cost = fmt.Sprintf("| %d.%d |", q.Cost/10, q.Cost%10)
		}
		found := false
		for line := range strings.Lines(string(page)) {
			found = found || strings.HasPrefix(line, row+"` |") && strings.HasSuffix(strings.TrimSpace(line), cost)
		}
		if !found {
			t.Errorf("docs/units.md has no row %q … %q", row, cost)
		}
	}
}
