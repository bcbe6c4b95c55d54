package chaos

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// operation is something that a developer does on an ordinary day.
type operation struct {
	words   []string // verb and flags
	version string   // that the hosts come to
	code    int      // with which it ends where nothing disturbs it
}

func (o operation) String() string { return strings.Join(o.words, " ") }

func deployment(version string) operation {
	o := operation{words: []string{"deploy", "--version", version}, version: version}
	if strings.HasPrefix(version, "9") {
		o.code = 3
	}
	return o
}

// choose picks an operation that has something to do: of ten, six deploys of a
// good version, two of a bad one, two rollbacks; all of them with a new
// configuration now and then.
func choose(random *rand.Rand, now map[string]state, onlyFetching bool) operation {
	var good, bad []string
	for v := range versions {
		here := !slices.ContainsFunc(hosts, func(h string) bool { return now[h].version != v })
		switch {
		case strings.HasPrefix(v, "9"):
			bad = append(bad, v)
		case !here:
			good = append(good, v)
		}
	}
	slices.Sort(good)
	slices.Sort(bad)
	which, at := random.IntN(10), random.IntN(1000)
	if which >= 8 && !onlyFetching {
		if o, ok := goingBack(now, at); ok {
			return o
		}
	}
	if which >= 6 && which < 8 {
		return deployment(bad[at%len(bad)])
	}
	return deployment(good[at%len(good)])
}

// goingBack is a rollback to what all hosts keep, where there is such a version; every
// second time the plain one where all of them have the same releases.
func goingBack(now map[string]state, at int) (operation, bool) {
	kept := now[hosts[0]].kept
	alike := !slices.ContainsFunc(hosts, func(h string) bool { return !slices.Equal(now[h].kept, kept) })
	if n := len(kept); alike && n > 1 && kept[n-2] != kept[n-1] && at%2 == 0 {
		return operation{words: []string{"rollback"}, version: kept[n-2]}, true
	}
	var common []string
	for _, v := range kept {
		keeps := func(h string) bool { return slices.Contains(now[h].kept, v) }
		leaves := func(h string) bool { return now[h].version != v }
		if !slices.ContainsFunc(hosts, func(h string) bool { return !keeps(h) }) && !slices.ContainsFunc(hosts, func(h string) bool { return !leaves(h) }) {
			common = append(common, v)
		}
	}
	if len(common) == 0 {
		return operation{}, false
	}
	to := common[at%len(common)]
	return operation{words: []string{"rollback", "--to", to}, version: to}, true
}

// deployer is a kinectl that runs.
type deployer struct {
	cmd   *exec.Cmd
	mark  string // in the environment of all its processes
	out   bytes.Buffer
	ended chan struct{}
}

// start runs an operation as a deployer on a machine of that name would.
func (f *fleet) start(t *testing.T, machine string, o operation) *deployer {
	t.Helper()
	f.runs++
	d := &deployer{mark: fmt.Sprintf("CHAOS_RUN=%d-%d", os.Getpid(), f.runs), ended: make(chan struct{})}
	d.cmd = exec.Command(f.kinectl, append(slices.Clone(o.words), "-f", f.specFile(), "--infra", f.lab.Infra(), "--env", "lab")...)
	d.cmd.Env = append(os.Environ(), d.mark, "XDG_STATE_HOME="+filepath.Join(f.dir, machine), "TMPDIR="+f.dir, fmt.Sprintf("KINECTL_LEASE=%ds", lease),
		// A host that falls silent is given up after two seconds.
		"ANSIBLE_SSH_EXTRA_ARGS=-o ServerAliveInterval=1 -o ServerAliveCountMax=2 -o ConnectTimeout=2")
	d.cmd.Stdout, d.cmd.Stderr = &d.out, &d.out
	d.cmd.WaitDelay = 5 * time.Second // what outlives it may have its output
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = d.cmd.Wait()
		close(d.ended)
	}()
	return d
}

// lives reports whether it has not ended yet.
func (d *deployer) lives() bool {
	select {
	case <-d.ended:
		return false
	default:
		return true
	}
}

// wait waits for its end, and that of every process it has started but for the
// idle connections of ssh, which end by themselves.
func (d *deployer) wait(t *testing.T) {
	t.Helper()
	select {
	case <-d.ended:
	case <-time.After(2 * time.Minute):
		d.kill("")
		<-d.ended
		t.Fatalf("the deployer hung:\n%s", d.out.String())
	}
	within(t, time.Minute, "the end of the Ansible of a deployer that ended", func() bool { return len(d.processes("ansible-playbook")) == 0 })
	d.kill("")
}

// code is the exit code, -1 for one that was killed.
func (d *deployer) code() int { return d.cmd.ProcessState.ExitCode() }

// processes finds those of this run with a word in their command line.
func (d *deployer) processes(word string) []int {
	var found []int
	environs, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, file := range environs {
		environ, _ := os.ReadFile(file)
		if !slices.Contains(strings.Split(string(environ), "\x00"), d.mark) {
			continue
		}
		line, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "cmdline"))
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err == nil && pid != os.Getpid() && len(line) > 0 && bytes.Contains(line, []byte(word)) {
			found = append(found, pid)
		}
	}
	return found
}

// kill kills them, and returns how many there were.
func (d *deployer) kill(word string) int {
	pids := d.processes(word)
	for _, pid := range pids {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	return len(pids)
}

// undisturbed releases a version to hosts that are well, which must work.
func (f *fleet) undisturbed(t *testing.T, version string) {
	t.Helper()
	d := f.start(t, "first", deployment(version))
	d.wait(t)
	if d.code() != 0 {
		t.Fatalf("deploy %s: exit code %d\n%s", version, d.code(), d.out.String())
	}
	for h, s := range f.settled(t) {
		if t.Failed() || s.version != version {
			t.Fatalf("%s runs %s, not %s", h, s.version, version)
		}
	}
}
