package assets

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestKilled kills writers at all their moments. The folder is then that of a
// whole run, old or new, and the next run clears away what is beside it.
func TestKilled(t *testing.T) {
	var versions [2][]File
	for i := range 40 {
		name := fmt.Sprint(i, ".txt")
		for v := range versions {
			body := []byte(strings.Repeat(fmt.Sprint("version ", v), 100))
			versions[v] = append(versions[v], File{Path: name, body: body})
		}
	}
	put := func(dst string, version int) error {
		return (&target{dst}).write(t.Context(), versions[version], []byte("{}"))
	}
	if dst := os.Getenv("KINECTL_ASSETS_KILLED"); dst != "" { // the process to be killed
		for i := 0; ; i++ {
			if err := put(dst, i%2); err != nil {
				fmt.Println(err)
				os.Exit(1)
			}
			fmt.Println("written")
		}
	}
	parent := t.TempDir()
	dst := filepath.Join(parent, "dist")
	want := map[string]bool{}
	for v := range versions {
		if err := put(dst, v); err != nil {
			t.Fatal(err)
		}
		want[fmt.Sprint(read(t, dst))] = true
	}
	left := 0
	for round := range 20 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilled$")
		cmd.Env = append(os.Environ(), "KINECTL_ASSETS_KILLED="+dst)
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		if line, err := bufio.NewReader(out).ReadString('\n'); line != "written\n" {
			t.Fatalf("%q, %v", line, err)
		}
		time.Sleep(time.Duration(round) * time.Millisecond) // any moment will do
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
		if !want[fmt.Sprint(read(t, dst))] {
			t.Fatalf("round %d: neither the old folder nor the new: %d files", round, len(read(t, dst)))
		}
		entries, err := os.ReadDir(parent)
		if err != nil {
			t.Fatal(err)
		}
		left += len(entries) - 1
	}
	if left == 0 {
		t.Error("no run was killed while it wrote: the test proves nothing")
	}
	if err := put(dst, 0); err != nil {
		t.Fatal(err)
	}
	if entries, _ := os.ReadDir(parent); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
}
