package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestReport(t *testing.T) {
	path := filepath.Join(t.TempDir(), "report.txt")
	for _, day := range []int{1, 2} { // the second one replaces the first
		if err := report(t.Context(), path, time.Date(2030, 5, day, 4, 0, 0, 0, time.UTC)); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if want := "2030-05-02T04:00:00Z\n"; err != nil || string(got) != want {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
	if err := report(t.Context(), filepath.Join(path, "x"), time.Now()); err == nil {
		t.Error("a report below a file was written")
	}
}
