package release

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestPrune(t *testing.T) {
	dir := t.TempDir()
	start := time.Now().Add(-time.Hour)
	for i := range 6 {
		file := filepath.Join(dir, fmt.Sprintf("%d.log", (i*5)%6)) // names say nothing of the age
		write(t, file, "", 0o600)
		if err := os.Chtimes(file, start, start.Add(time.Duration(i)*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(dir, "other.txt"), "", 0o600)
	if err := os.Mkdir(filepath.Join(dir, "folder.log"), 0o700); err != nil {
		t.Fatal(err)
	}
	f := func(keep int, fresh time.Duration, want string) {
		t.Helper()
		prune(dir, "*.log", keep, fresh)
		var got []string
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			got = append(got, e.Name())
		}
		if strings.Join(got, " ") != want {
			t.Errorf("keep %d: %q, want %s", keep, got, want)
		}
	}
	f(6, 0, "0.log 1.log 2.log 3.log 4.log 5.log folder.log other.txt")
	f(2, 2*time.Hour, "0.log 1.log 2.log 3.log 4.log 5.log folder.log other.txt")
	f(2, time.Minute, "1.log 2.log folder.log other.txt")
	f(0, 0, "folder.log other.txt")
	prune(filepath.Join(dir, "nowhere"), "*", 0, 0)
}
