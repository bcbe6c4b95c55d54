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

	"github.com/kinectl/kinectl/internal/repo/signing"
)

// The environment of a publisher process: see publisher.
const (
	publisherDir   = "REPO_TEST_PUBLISHER"
	publisherKeys  = "REPO_TEST_KEYS"
	publisherFiles = "REPO_TEST_FILES"
	publisherKill  = "REPO_TEST_KILL"  // kill yourself at this step, from 1
	publisherVerb  = "REPO_TEST_VERB"  // publish, or one of the others below
	publisherLater = "REPO_TEST_LATER" // how long after clock it is
)

// publisher is the main function of this test program when it is started as a
// publisher. It initialises the repository and changes it.
func publisher(ctx context.Context) int {
	kill, _ := strconv.Atoi(os.Getenv(publisherKill))
	var mu sync.Mutex
	steps := 0
	syscall.Umask(0o077) // a careful administrator's
	later, _ := time.ParseDuration(os.Getenv(publisherLater))
	o := Options{KeyDir: os.Getenv(publisherKeys)}.at(clock.Add(later))
	o.Step = func(name string) {
		mu.Lock() // files may be written at the same time
		if steps++; steps == kill {
			fmt.Println(name)
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
		mu.Unlock()
	}
	dir := os.Getenv(publisherDir)
	_, err := Init(ctx, dir, InitOptions{Options: o, KeyType: signing.Ed25519})
	if err == nil {
		switch os.Getenv(publisherVerb) {
		case "remove":
			_, err = Remove(ctx, dir, []string{"hello=1.1"}, o)
		case "resign":
			_, err = Resign(ctx, dir, ResignOptions{Options: o})
		case "rotate":
			_, err = Rotate(ctx, dir, RotateOptions{Options: o, KeyType: signing.Ed25519})
		case "drop":
			_, err = Rotate(ctx, dir, RotateOptions{Options: o, Drop: os.Getenv(publisherFiles)})
		default:
			_, err = Publish(ctx, dir, filepath.SplitList(os.Getenv(publisherFiles)), o)
		}
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

func startPublisher(dir string, o Options, verb string, kill int, files ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0", // the race detector waits a second at the end
		publisherDir+"="+dir, publisherKeys+"="+o.KeyDir, publisherKill+"="+strconv.Itoa(kill), publisherVerb+"="+verb,
		publisherLater+"="+o.Now().Sub(clock).String(),
		publisherFiles+"="+strings.Join(files, string(filepath.ListSeparator)))
	return cmd
}

// long asks for the tests in their long form, which `make unit` runs apart and
// without the race detector.
func long() bool { return os.Getenv("KINECTL_LONG") != "" }

// stride is how many steps lie between two kills: in the long form every step
// is tried, else every tenth.
func stride() int {
	if long() {
		return 1
	}
	return 10
}

// killed runs a publisher that kills itself at a step, and returns the step's
// name; false when it had fewer steps than that.
func killed(t *testing.T, cmd *exec.Cmd) (at string, killed bool) {
	t.Helper()
	out, err := cmd.CombinedOutput()
	if err == nil {
		return "", false
	}
	exit, ok := err.(*exec.ExitError)
	if !ok || !exit.Sys().(syscall.WaitStatus).Signaled() {
		t.Fatalf("the publisher was not killed: %v: %s", err, out)
	}
	return strings.TrimSpace(string(out)), true
}

// TestKilledPublisher kills a publisher at every file that it writes, aside
// and in place. What it leaves reads as the repository before or after, in
// full, to apt and to dnf, and the next publisher mends the rest.
func TestKilledPublisher(t *testing.T) {
	old := []string{debFile(t, "hello", "1.0", "amd64", "old"), rpmFile(t, "hello", "1.0", "amd64", "old")}
	files := []string{
		debFile(t, "hello", "1.1", "amd64", "new"), debFile(t, "hello", "1.1", "arm64", "new"), debFile(t, "docs", "1", "all", "new"),
		rpmFile(t, "hello", "1.1", "amd64", "new"), rpmFile(t, "docs", "1", "all", "new"),
	}
	kill, before, between, after := 1, 0, 0, 0
	for ; ; kill += stride() {
		dir, o := testRepo(t)
		testPublish(t, dir, o, old...)
		at, wasKilled := killed(t, startPublisher(dir, o, "publish", kill, files...))
		if !wasKilled {
			break
		}
		debs, rpms := 0, 0
		for _, e := range testEntries(t, testOpen(t, dir)) {
			if e.Format == "deb" {
				debs++
			} else {
				rpms++
			}
		}
		switch {
		case debs == 1 && rpms == 1:
			before++
		case debs == 4 && rpms == 3:
			after++
		case debs == 4: // apt's root comes first
			between++
		default:
			t.Errorf("killed at %q: %d debs, %d rpms", at, debs, rpms)
		}
		// Time goes on, and somebody publishes something else: no file that is
		// still in use may go.
		testInit(t, dir, o.in("testing").at(clock.Add(keepIndexes+time.Minute)))
		testPublish(t, dir, o.in("testing").at(clock.Add(keepPackages+time.Hour)), both(t, "other", "1")...)
		if v, err := Verify(t.Context(), dir, VerifyOptions{Now: o.at(clock.Add(keepPackages + time.Hour)).Now}); err != nil || slices.ContainsFunc(v.Problems, isMissing) {
			t.Errorf("killed at %q, then published elsewhere a day later: %+v, %v", at, v, err)
		}
		o = o.at(clock.Add(keepPackages + 2*time.Hour))
		testPublish(t, dir, o, files...)
		if entries := testEntries(t, testOpen(t, dir, WithClock(o.Now))); len(entries) != 7 {
			t.Errorf("killed at %q, then published: %d packages", at, len(entries))
		}
		testVerify(t, dir, o.Now())
		checkDotfiles(t, dir, at)
	}
	t.Logf("killed at %d steps: %d times the repository was the one before, %d times the one after, %d times for apt only", before+between+after, before, after, between)
	if all := 60 / stride(); before < all || stride() == 1 && (after < 1 || between < 1) {
		t.Errorf("too few kills: %d before, %d between, %d after", before, between, after)
	}
}

// checkDotfiles fails on files that were being written.
func checkDotfiles(t *testing.T, dir, at string) {
	t.Helper()
	for _, line := range snapshot(t, dir) {
		if name := filepath.Base(strings.Fields(line)[0]); strings.HasPrefix(name, ".") && name != ".lock" && name != expiredName {
			t.Errorf("killed at %q: %s is left", at, line)
		}
	}
}

// TestKilledVerbs kills the other verbs at every step: the repository stays
// one that verifies, or that the same verb mends.
func TestKilledVerbs(t *testing.T) {
	files := []string{debFile(t, "hello", "1.0", "amd64", ""), debFile(t, "hello", "1.1", "amd64", ""), rpmFile(t, "hello", "1.0", "amd64", ""), rpmFile(t, "hello", "1.1", "amd64", "")}
	f := func(verb string, most int) {
		t.Helper()
		kill := 1
		for ; ; kill += stride() {
			dir, o := testRepo(t)
			testPublish(t, dir, o, files...)
			argument := ""
			if verb == "drop" {
				r, err := Rotate(t.Context(), dir, RotateOptions{Options: o, KeyType: signing.Ed25519})
				if err != nil {
					t.Fatal(err)
				}
				argument = r.Fingerprints[0]
			}
			at, wasKilled := killed(t, startPublisher(dir, o, verb, kill, argument))
			if !wasKilled {
				break
			}
			testOpen(t, dir)
			later := o.in("testing").at(clock.Add(keepPackages + time.Hour))
			testInit(t, dir, later)
			testPublish(t, dir, later, both(t, "other", "1")...)
			if v, err := Verify(t.Context(), dir, VerifyOptions{Now: later.Now}); err != nil || slices.ContainsFunc(v.Problems, isMissing) {
				t.Errorf("%s killed at %q, then published elsewhere a day later: %+v, %v", verb, at, v, err)
			}
			if out, err := startPublisher(dir, o.at(later.Now()), verb, 0, argument).CombinedOutput(); err != nil &&
				!strings.Contains(string(out), ErrNotFound.Error()) && !strings.Contains(string(out), "2 keys already") && !strings.Contains(string(out), "none of the repository's") {
				t.Errorf("%s killed at %q, then again: %v: %s", verb, at, err, out)
			}
			again := Options{KeyDir: o.KeyDir}.at(later.Now().Add(time.Hour))
			if _, err := Resign(t.Context(), dir, ResignOptions{Options: again}); err != nil {
				t.Errorf("%s killed at %q, then signed: %v", verb, at, err)
			}
			testVerify(t, dir, again.Now())
		}
		if kill < most {
			t.Errorf("%s: killed at %d steps only", verb, kill-1)
		}
		t.Logf("%s: killed at every step of %d, %d apart", verb, kill-1, stride())
	}
	f("remove", 20)
	f("resign", 10)
	f("rotate", 10)
	f("drop", 20)
}

func isMissing(p Problem) bool { return strings.Contains(p.Error, "missing") }

// TestKilledInit kills the making of a repository; making it again succeeds.
func TestKilledInit(t *testing.T) {
	file := debFile(t, "hello", "1.0", "amd64", "one")
	for kill := 1; ; kill += stride() {
		base := t.TempDir()
		dir, o := filepath.Join(base, "repository"), Options{KeyDir: filepath.Join(base, "keys")}.at(clock)
		if _, wasKilled := killed(t, startPublisher(dir, o, "publish", kill, file)); !wasKilled {
			if kill < 30 {
				t.Errorf("killed at %d steps only", kill-1)
			}
			return
		}
		if out, err := startPublisher(dir, o, "publish", 0, file).CombinedOutput(); err != nil {
			t.Fatalf("after a kill at step %d: %v: %s", kill, err, out)
		}
		if entries := testEntries(t, testOpen(t, dir)); len(entries) != 1 {
			t.Errorf("after a kill at step %d: %d packages", kill, len(entries))
		}
		testVerify(t, dir, clock)
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
			make := debFile
			if i%2 == 1 {
				make = rpmFile
			}
			files = append(files, make(t, fmt.Sprintf("service%d", p), fmt.Sprintf("1.%d", i), "amd64", ""))
		}
		running.Go(func() {
			for _, file := range files {
				if out, err := startPublisher(dir, o, "publish", 0, file).CombinedOutput(); err != nil {
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
	if entries := testEntries(t, testOpen(t, dir)); len(entries) != publishers*each {
		t.Errorf("%d packages of %d are there", len(entries), publishers*each)
	}
	testVerify(t, dir, clock)
	checkDotfiles(t, dir, "the end")
	t.Logf("%d packages by %d processes, read %d times meanwhile", publishers*each, publishers, reads)
}
