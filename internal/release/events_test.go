package release

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kinectl/kinectl/internal/artifact"
	"github.com/kinectl/kinectl/internal/plan"
)

// pretend puts a shell script in the place of ansible-playbook. What it leaves behind
// it writes into the file whose name is $CHILD, to be ended with the test.
func pretend(t *testing.T, script string) Options {
	t.Helper()
	dir := t.TempDir()
	child := filepath.Join(dir, "child")
	write(t, filepath.Join(dir, "ansible-playbook"), "#!/bin/sh\n"+script, 0o755)
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	t.Setenv("CHILD", child)
	t.Cleanup(func() {
		body, err := os.ReadFile(child)
		if err != nil {
			return
		}
		pid, err := strconv.Atoi(strings.TrimSpace(string(body)))
		if err == nil {
			err = syscall.Kill(pid, syscall.SIGKILL)
		}
		if err != nil {
			t.Errorf("the child has not outlived the run, so the test shows nothing: %v", err)
		}
	})
	in := parsed(t)
	in.Dir = dir
	return Options{Infra: in, StateDir: filepath.Join(dir, "state")}
}

// heir is a child that goes on for a minute with the pipe of the events, whatever
// signal comes to the group.
const heir = `trap '' INT; sleep 60 >/dev/null 2>&1 & echo $! >"$CHILD"; trap - INT
`

// TestHeir ends a run whose pipe somebody else has open, with all that was said.
func TestHeir(t *testing.T) {
	o := pretend(t, heir+`for h in h1 h2; do printf '{"event": "ok", "play": "Deploy", "host": "%s"}\n' $h >&3; done`)
	got := hostsOf(t, t.Context(), o, nil, nil)
	if strings.Join(got, " ") != "h1 h2" {
		t.Errorf("got %q", got)
	}
}

// TestHeirInterrupted is Ctrl-C with such a child.
func TestHeirInterrupted(t *testing.T) {
	o := pretend(t, heir+`printf '{"event": "ok", "host": "h1"}\n' >&3; exec sleep 60`)
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("as asked")
	if got := hostsOf(t, ctx, o, stop, func() { cancel(stop) }); strings.Join(got, " ") != "h1" {
		t.Errorf("got %q", got)
	}
}

// TestSlowReader loses nothing of what is still in the pipe when Ansible has ended.
func TestSlowReader(t *testing.T) {
	ended := filepath.Join(t.TempDir(), "ended")
	o := pretend(t, heir+`for h in h1 h2 h3 h4; do printf '{"event": "ok", "host": "%s", "task": "%9000s"}\n' $h x >&3; done; : >`+ended)
	got := hostsOf(t, t.Context(), o, nil, func() { // which reads on when Ansible has said all
		for until := time.Now().Add(20 * time.Second); time.Now().Before(until); time.Sleep(time.Millisecond) {
			if _, err := os.Stat(ended); err == nil {
				return
			}
		}
		t.Error("Ansible waits for its reader")
	})
	if strings.Join(got, " ") != "h1 h2 h3 h4" {
		t.Errorf("got %q", got)
	}
}

// hostsOf runs what stands for a playbook and returns the hosts of its events.
func hostsOf(t *testing.T, ctx context.Context, o Options, want error, during func()) []string {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	files := []artifact.File{{Path: "deploy.yml", Mode: 0o600}}
	var hosts []string
	ended := make(chan error, 1)
	go func() {
		ended <- runPlaybook(ctx, o, files, log, func(l line) {
			hosts = append(hosts, l.Host)
			if during != nil {
				during()
			}
		})
	}()
	select {
	case err = <-ended:
	case <-time.After(30 * time.Second):
		t.Fatal("the run waits for a child that goes on")
	}
	if !errors.Is(err, want) {
		body, _ := os.ReadFile(log.Name())
		t.Errorf("got %v, want %v\n%s", err, want, body)
	}
	return hosts
}

// TestSilence takes no run for a success that says nothing of a host.
func TestSilence(t *testing.T) {
	f := func(want string, hosts ...string) {
		t.Helper()
		said := ""
		for _, h := range hosts {
			said += `printf '{"event": "ok", "play": "Deploy", "host": "` + h + `", "task": "Run the transaction", "result": {"result": "deployed"}}\n' >&3` + "\n"
		}
		o := pretend(t, said)
		out, err := run(t.Context(), o, plan.Plan{Name: "hello", Group: "applications"}, []artifact.File{{Path: "deploy.yml", Mode: 0o600}})
		if want == "" {
			if err != nil {
				t.Errorf("%q: %v", hosts, err)
			}
			return
		}
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), out.Log) {
			t.Errorf("%q: got %v, want %s", hosts, err, want)
		}
		if len(hosts) > 0 && !errors.Is(err, ErrFailed) {
			t.Errorf("%q: %v is of another kind", hosts, err)
		}
	}
	f("", "h1", "h2")
	f("hello: Ansible ended well and says nothing of h2: see ", "h1")
	f("no host was reached: see ")
}

// TestUnfinished: whatever ends Ansible in the middle, every host is told of once.
func TestUnfinished(t *testing.T) {
	const began = `printf '{"event": "start", "play": "Prepare", "host": "h1"}\n{"event": "start", "play": "Deploy", "host": "h1", "task": "Run the transaction"}\n' >&3` + "\n"
	f := func(want, untouched, said string, during func(context.CancelFunc, Event)) {
		t.Helper()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		o := pretend(t, said)
		o.Progress = func(e Event) { during(cancel, e) }
		out, err := run(ctx, o, plan.Plan{Name: "hello", Group: "applications"}, []artifact.File{{Path: "deploy.yml", Mode: 0o600}})
		var got []string
		for _, h := range out.Hosts {
			got = append(got, h.Host+" "+string(h.Result))
		}
		if err == nil || strings.Join(got, ", ") != want || strings.Join(out.Untouched, " ") != untouched {
			t.Errorf("%s: got %q, not touched %q, %v", said, got, out.Untouched, err)
		}
	}
	ctrlC := func(cancel context.CancelFunc, e Event) {
		if e.Started {
			cancel()
		}
	}
	nothing := func(context.CancelFunc, Event) {}
	f("h1 unfinished", "h2", began+"exec sleep 60", ctrlC)
	f("h1 unfinished", "h2", `trap 'printf "{\"event\": \"unreachable\", \"play\": \"Deploy\", \"host\": \"h1\"}\n" >&3; exit 99' INT`+"\n"+began+"while :; do sleep 0.1; done", ctrlC)
	f("h1 unfinished", "h2", began+"kill -9 $$", nothing)
	f("", "h2 h1", "exit 250", nothing)
}
