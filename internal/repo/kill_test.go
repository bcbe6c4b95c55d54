package repo

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The environment of a publisher process: see publisher.
const (
	publisherDir   = "REPO_TEST_PUBLISHER"
	publisherKeys  = "REPO_TEST_KEYS"
	publisherFiles = "REPO_TEST_FILES"
	publisherKill  = "REPO_TEST_KILL" // kill yourself at this step, from 1
)

// publisher is the main function of this test program when it is started as a
// publisher. It initialises the repository and publishes.
func publisher(ctx context.Context) int {
	kill, _ := strconv.Atoi(os.Getenv(publisherKill))
	steps := 0
	o := Options{
		KeyDir: os.Getenv(publisherKeys),
		Now:    func() time.Time { return clock },
		Step: func(name string) {
			if steps++; steps == kill {
				fmt.Println(name)
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {}
			}
		},
	}
	dir := os.Getenv(publisherDir)
	if _, err := Init(ctx, dir, InitOptions{Options: o, KeyType: Ed25519}); err != nil {
		fmt.Println(err)
		return 1
	}
	if _, err := Publish(ctx, dir, filepath.SplitList(os.Getenv(publisherFiles)), o); err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

func startPublisher(t *testing.T, dir string, o Options, kill int, files ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0", // the race detector waits a second at the end
		publisherDir+"="+dir, publisherKeys+"="+o.KeyDir, publisherKill+"="+strconv.Itoa(kill),
		publisherFiles+"="+strings.Join(files, string(filepath.ListSeparator)))
	return cmd
}

// TestKilledPublisher kills a publisher at every file that it writes, aside
// and in place. What it leaves reads as the repository before or after, in
// full, and the next publisher mends the rest.
func TestKilledPublisher(t *testing.T) {
	old, files := debFile(t, "hello", "1.0", "amd64", "old"), []string{
		debFile(t, "hello", "1.1", "amd64", "new"), debFile(t, "hello", "1.1", "arm64", "new"), debFile(t, "docs", "1", "all", "new"),
	}
	kill := 1
	before, after := 0, 0
	for ; ; kill++ {
		dir, o := testRepo(t)
		testPublish(t, dir, o, old)
		out, err := startPublisher(t, dir, o, kill, files...).CombinedOutput()
		if err == nil {
			break // it had fewer steps than that
		}
		if killed := err.(*exec.ExitError).Sys().(syscall.WaitStatus); !killed.Signaled() {
			t.Fatalf("the publisher was not killed at step %d: %s", kill, out)
		}
		at := strings.TrimSpace(string(out))
		switch r := testOpen(t, dir); len(r.Entries()) {
		case 1:
			before++
		case 4:
			after++
		default:
			t.Errorf("killed at %q: %d packages", at, len(r.Entries()))
		}
		testPublish(t, dir, o, files...)
		if r := testOpen(t, dir); len(r.Entries()) != 4 {
			t.Errorf("killed at %q, then published: %d packages", at, len(r.Entries()))
		}
		checkTree(t, dir, at)
	}
	t.Logf("killed at %d steps: %d times the repository was the one before, %d times the one after", kill-1, before, after)
	if before < 20 || after < 1 {
		t.Errorf("too few kills: %d before, %d after", before, after)
	}
}

// checkTree checks what clients without by-hash and InRelease read, that
// nothing half-written is left, and that indexes made anew from the pool would
// be those that are there.
func checkTree(t *testing.T, dir, at string) {
	t.Helper()
	trusted := mustKeyring(t, dir)
	s, err := loadSuite(t.Context(), dirTree(dir), "stable", trusted, clock)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range s.release.files {
		if _, err := getChecked(t.Context(), dirTree(dir), suitePath("stable", f.path), f.size, f.sha256); err != nil {
			t.Errorf("killed at %q: %v", at, err)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "dists/stable/Release"))
	if err != nil || string(text) != s.text {
		t.Errorf("killed at %q: Release is not what InRelease says (%v)", at, err)
	}
	detached, err := os.ReadFile(filepath.Join(dir, "dists/stable/Release.gpg"))
	if err != nil || !trusted.holds(text, detached, clock) {
		t.Errorf("killed at %q: Release.gpg does not sign Release (%v)", at, err)
	}
	var pool []Entry
	for _, line := range snapshot(t, dir) {
		file := strings.Fields(line)[0]
		if strings.HasPrefix(file, filepath.Join(dir, "pool")) {
			e, err := readPackage(file)
			if err != nil {
				t.Errorf("killed at %q: %v", at, err)
			}
			pool = append(pool, e)
		}
		if name := filepath.Base(file); strings.HasPrefix(name, ".") && name != lockName {
			t.Errorf("killed at %q: %s is left", at, line)
		}
	}
	slices.SortFunc(pool, compareEntries)
	if !slices.Equal(pool, s.indexes.all()) {
		t.Errorf("killed at %q: the indexes differ from what the pool gives", at)
	}
}

// TestKilledInit kills the making of a repository; making it again succeeds.
func TestKilledInit(t *testing.T) {
	file := debFile(t, "hello", "1.0", "amd64", "one")
	for kill := 1; kill <= 10; kill++ {
		base := t.TempDir()
		dir, o := filepath.Join(base, "apt"), Options{KeyDir: filepath.Join(base, "keys")}
		if out, err := startPublisher(t, dir, o, kill, file).CombinedOutput(); err == nil {
			t.Fatalf("not killed at step %d: %s", kill, out)
		}
		if out, err := startPublisher(t, dir, o, 0, file).CombinedOutput(); err != nil {
			t.Fatalf("after a kill at step %d: %v: %s", kill, err, out)
		}
		if r := testOpen(t, dir); len(r.Entries()) != 1 {
			t.Errorf("after a kill at step %d: %d packages", kill, len(r.Entries()))
		}
	}
}

// TestPublishersAtOnce runs eight processes at once, and a reader beside them
// that must never meet a state that is not whole.
func TestPublishersAtOnce(t *testing.T) {
	const publishers, each = 8, 4
	dir, o := testRepo(t)
	var running sync.WaitGroup
	for p := range publishers {
		var files []string
		for i := range each {
			files = append(files, debFile(t, fmt.Sprintf("service%d", p), fmt.Sprintf("1.%d", i), "amd64", ""))
		}
		running.Go(func() {
			for _, file := range files {
				if out, err := startPublisher(t, dir, o, 0, file).CombinedOutput(); err != nil {
					t.Errorf("publisher %d: %v: %s", p, err, out)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { running.Wait(); close(done) }()
	reads := 0
	for ended := false; !ended; {
		select {
		case <-done:
			ended = true
		default:
		}
		testOpen(t, dir)
		reads++
	}
	r := testOpen(t, dir)
	if len(r.Entries()) != publishers*each {
		t.Errorf("%d packages of %d are there", len(r.Entries()), publishers*each)
	}
	checkTree(t, dir, "the end")
	t.Logf("%d packages by %d processes, read %d times meanwhile", publishers*each, publishers, reads)
}
