package repo

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kinectl/kinectl/internal/needs"
)

// The environment of a process of TestPublisherProcess.
const (
	oneByOneDir   = "REPO_TEST_ONE_BY_ONE"
	oneByOneKeys  = "REPO_TEST_ONE_BY_ONE_KEYS"
	oneByOneFiles = "REPO_TEST_ONE_BY_ONE_FILES"
)

// TestPublisherProcess is the main function of a publisher: it publishes its
// files in their order, each by itself.
func TestPublisherProcess(t *testing.T) {
	dir := os.Getenv(oneByOneDir)
	if dir == "" {
		t.Skip("not started by another test")
	}
	files, err := filepath.Glob(filepath.Join(os.Getenv(oneByOneFiles), "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files, %v", err)
	}
	for _, file := range files {
		if _, err := Publish(t.Context(), dir, []string{file}, Options{KeyDir: os.Getenv(oneByOneKeys)}); err != nil {
			t.Fatal(err)
		}
	}
}

// fleet is what refreshes while others publish.
type fleet struct {
	t        *testing.T
	ctx      context.Context // until the publishers have ended
	running  sync.WaitGroup
	mu       sync.Mutex
	counters map[string]int
}

// loop calls step again and again, until the publishers have ended and at
// least three times, and counts what step says that it did.
func (f *fleet) loop(step func(turn int) (did string, err error)) {
	f.running.Go(func() {
		for turn := 0; turn < 3 || f.ctx.Err() == nil; turn++ {
			did, err := step(turn)
			if err != nil {
				f.t.Errorf("%s, turn %d: %v", did, turn, err)
				return
			}
			f.mu.Lock()
			f.counters[did]++
			f.mu.Unlock()
		}
	})
}

// manager lets a package manager refresh, and every third time install the
// newest version of some service.
func (f *fleet) manager(c client, name string, refresh, fetch []string, services int) {
	f.loop(func(turn int) (string, error) {
		did, command := name+" refreshes", refresh
		if turn%3 == 2 {
			did, command = name+" fetches", append(fetch[:len(fetch):len(fetch)], fmt.Sprintf("service%d", turn/3%services))
		}
		out, err := c.run(f.t.Context(), command...)
		if err != nil && strings.Contains(did, "fetches") && (strings.Contains(out, "No match for argument") || strings.Contains(out, "Unable to locate package")) {
			return name + " is too early", nil // nothing of this service was published when it last refreshed
		}
		if err != nil || complains(out) {
			return did, fmt.Errorf("%v\n%s", err, out)
		}
		return did, nil
	})
}

// late is a client that takes its time: it reads a signed root, waits until
// that is not the current one any more, and then fetches all that it names.
func (f *fleet) late(url, root string, names func(text string) (digests map[string]string)) {
	get := func(name string) (string, error) {
		response, err := http.Get(url + "/" + name)
		if err != nil {
			return "", err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if response.StatusCode != http.StatusOK {
			return "", fmt.Errorf("GET %s: %s", name, response.Status)
		}
		return string(body), err
	}
	f.loop(func(int) (did string, err error) {
		did = "late reader of " + filepath.Base(root)
		held, err := get(root)
		for now := held; err == nil && now == held && f.ctx.Err() == nil; now, err = get(root) {
			time.Sleep(time.Millisecond)
		}
		if err != nil {
			return did, err
		}
		digests := names(held)
		if len(digests) < 3 {
			return did, fmt.Errorf("%s names %d files", root, len(digests))
		}
		for name, digest := range digests {
			body, err := get(name)
			if err != nil {
				return did, err
			}
			if sum := sha256.Sum256([]byte(body)); hex.EncodeToString(sum[:]) != digest {
				return did, fmt.Errorf("%s is not what %s names", name, root)
			}
		}
		return did, nil
	})
}

// aptNames are the Packages files that InRelease names, under their digests.
func aptNames(text string) map[string]string {
	names := map[string]string{}
	for line := range strings.Lines(text) {
		if field := strings.Fields(line); len(field) == 3 && strings.HasPrefix(field[2], "main/binary-amd64/Packages") && field[1] != "0" {
			names["dists/stable/main/binary-amd64/by-hash/SHA256/"+field[0]] = field[0]
		}
	}
	return names
}

// yumNames are the files that repomd.xml names.
func yumNames(text string) map[string]string {
	names := map[string]string{}
	for _, part := range strings.Split(text, `<location href="`)[1:] {
		name, _, _ := strings.Cut(part, `"`)
		names["yum/stable/x86_64/"+name] = filepath.Base(name)[:64]
	}
	return names
}

// TestClientsWhilePublishing runs many publishers at once, with debs and rpms,
// while clients refresh and install over the project's server. Nothing is lost,
// and no client meets anything that does not fit together.
func TestClientsWhilePublishing(t *testing.T) {
	needs.Program(t, "apt-get", "no clients refreshed while others published")
	needs.Program(t, "dnf", "no clients refreshed while others published")
	if os.Geteuid() != 0 {
		t.Skip("not root: dnf refreshes in a root of its own for root only")
	}
	publishers, each := 4, 5
	if long() {
		publishers, each = 16, 50
	}
	dir, o := clientRepo(t)
	testPublish(t, dir, o, installable(t, "deb", "hello", "1.0.0"), installable(t, "rpm", "hello", "1.0.0"))
	address, log := offer(t, dir)

	var apt, dnf []client
	for n := range byte(2) {
		apt = append(apt, aptClient(t, from(t, 10+n, address), dir))
		apt[n].must(t, "apt-get", "update")
		dnf = append(dnf, dnfClient(t, from(t, 20+n, address), dir))
		dnf[n].must(t, "install", "hello")
	}
	folders := make([]string, publishers)
	for p := range publishers {
		folders[p] = t.TempDir()
		for i := range each {
			made := installable(t, []string{"deb", "rpm"}[(p+i)%2], fmt.Sprintf("service%d", p), fmt.Sprintf("1.%d.0", i))
			if err := os.Rename(made, filepath.Join(folders[p], fmt.Sprintf("%02d-%s", i, filepath.Base(made)))); err != nil {
				t.Fatal(err)
			}
		}
	}

	start := time.Now()
	var publishing sync.WaitGroup
	for p := range publishers {
		publishing.Go(func() {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestPublisherProcess$")
			cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0", oneByOneDir+"="+dir, oneByOneKeys+"="+o.KeyDir, oneByOneFiles+"="+folders[p])
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("publisher %d: %v\n%s", p, err, out)
			}
		})
	}
	ctx, ended := context.WithCancel(t.Context())
	clients := fleet{t: t, ctx: ctx, counters: map[string]int{}}
	for n := range apt {
		clients.manager(apt[n], "apt", []string{"apt-get", "-q", "update"}, []string{"apt-get", "-q", "download"}, publishers)
		clients.manager(dnf[n], "dnf", []string{"makecache", "--refresh"}, []string{"install"}, publishers)
	}
	clients.late("http://"+from(t, 30, address), "dists/stable/InRelease", aptNames)
	clients.late("http://"+from(t, 31, address), "yum/stable/x86_64/repodata/repomd.xml", yumNames)
	publishing.Wait()
	took := time.Since(start)
	ended()
	clients.running.Wait()
	names, faults := log.seen()
	t.Logf("%d packages by %d processes in %.1f s; %d requests, of which %d failed; %v", publishers*each, publishers, took.Seconds(), len(names)+len(faults), len(faults), clients.counters)
	if len(faults) > 0 {
		t.Errorf("the server had\n%s", strings.Join(faults[:min(10, len(faults))], ""))
	}
	for _, did := range []string{"apt refreshes", "dnf refreshes", "late reader of InRelease", "late reader of repomd.xml"} {
		if clients.counters[did] < 4-2*strings.Count(did, "late") {
			t.Errorf("%s: only %d times", did, clients.counters[did])
		}
	}
	allThere(t, address, dir, publishers, each)
}

// allThere counts the versions that new hosts see.
func allThere(t *testing.T, address, dir string, publishers, each int) {
	t.Helper()
	apt, dnf := aptClient(t, address, dir), dnfClient(t, address, dir)
	apt.must(t, "apt-get", "update")
	seen := dnf.must(t, "repoquery", "--quiet", "--queryformat", "%{name} %{version}")
	for p := range publishers {
		seen += strings.ReplaceAll(apt.must(t, "apt-cache", "madison", fmt.Sprintf("service%d", p)), " | ", " ")
	}
	have := map[string]bool{}
	for line := range strings.Lines(seen) {
		if field := strings.Fields(line); len(field) >= 2 {
			have[field[0]+" "+field[1]] = true
		}
	}
	for p := range publishers {
		for i := range each {
			if want := fmt.Sprintf("service%d 1.%d.0", p, i); !have[want] {
				t.Errorf("%s is lost", want)
			}
		}
	}
}
