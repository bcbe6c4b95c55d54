package chaos

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// fault is one kind of mishap.
type fault struct {
	name string
	// inject lets it happen to r.host or to r.deployer and returns what mends it,
	// which is called a while later; nil where nothing has to be mended. It returns errNothing where there was
	// nothing to break.
	inject func(r *round) (mend func() error, err error)
	// hit tells an effect that the deployer's exit code does not tell.
	hit func(r *round) bool
	// early faults touch only what is fetched before the first host changes.
	early bool
	// inside faults are for the host's transaction only; two of three others are, too.
	inside bool
	// least is how long it lasts, and up to four seconds more.
	least time.Duration
	// sickens says that a good version may be rolled back for it.
	sickens bool
}

var errNothing = errors.New("nothing was there to break")

func faults() []fault {
	return []fault{
		{name: "deployer killed", inject: killsDeployer},
		{name: "Ansible killed", inject: killsProcesses("ansible-playbook")},
		{name: "ssh killed", inject: killsProcesses("ssh")},
		{name: "sshd killed", inject: script(`pids=$(pidof sshd) && kill -9 $pids`, `systemctl reset-failed ssh; systemctl start ssh`)},
		{name: "link down", inject: link, least: 2 * time.Second},
		{name: "power cut", inject: powerCut, hit: undone},
		{name: "transaction killed", inside: true, sickens: true, inject: script(`pid=$(systemctl show -P MainPID kinectl-hello) && [ "$pid" != 0 ] && kill -9 "$pid"`, `:`), hit: undone},
		{name: "disk full", sickens: true, inject: script(
			`fallocate -l "$(df --output=avail -B 1 / | tail -n 1)" /var/full; cat /dev/zero >/var/fuller 2>/dev/null; [ "$(df --output=avail / | tail -n 1)" -eq 0 ]`,
			`rm -f /var/full /var/fuller`), hit: undone},
		{name: "repository down", inject: repositoryDown, early: true, least: time.Second},
		{name: "bad signature", inject: badSignature, early: true, least: time.Second},
		{name: "service stopped (SIGSTOP)", inject: freeze, hit: replaced, sickens: true, least: 4 * time.Second},
		{name: "two deployers", inject: secondDeployer, hit: refused},
	}
}

// script runs one on the host. What fails on the way in broke nothing.
func script(breaks, mends string) func(*round) (func() error, error) {
	return func(r *round) (func() error, error) {
		mend := func() error { _, err := r.fleet.on(r.host, mends); return err }
		if _, err := r.fleet.on(r.host, breaks); err != nil {
			return nil, errors.Join(errNothing, mend())
		}
		return mend, nil
	}
}

// on runs a shell command on a host, not through ssh.
func (f *fleet) on(host, command string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	out, err := f.lab.Output(ctx, host, "sh", "-c", command)
	return strings.TrimSpace(out), err
}

// killsDeployer kills kinectl and nothing below it, once it has something there.
func killsDeployer(r *round) (func() error, error) {
	if len(r.deployer.processes("ansible-playbook")) == 0 {
		return nil, errNothing
	}
	return nil, r.deployer.cmd.Process.Kill()
}

func killsProcesses(word string) func(*round) (func() error, error) {
	return func(r *round) (func() error, error) {
		if r.deployer.kill(word) == 0 {
			return nil, errNothing
		}
		return nil, nil
	}
}

// link takes the host's network away, as a pulled plug does.
func link(r *round) (func() error, error) {
	set := func(state string) error {
		return r.fleet.lab.Command(context.Background(), "ip", "link", "set", r.host, state).Run()
	}
	return func() error { return set("up") }, set("down")
}

func powerCut(r *round) (func() error, error) {
	ctx := context.Background()
	return func() error { return r.fleet.lab.Boot(ctx, r.host) }, r.fleet.lab.PowerCut(ctx, r.host)
}

// undone: the host itself tells of a release that did not end by itself.
func undone(r *round) bool {
	for _, line := range r.news(r.host) {
		if strings.Contains(line, "interrupted") || strings.Contains(line, `"result":"recovered"`) || strings.Contains(line, "disk full") {
			return true
		}
	}
	return false
}

func repositoryDown(r *round) (func() error, error) {
	r.fleet.unserve()
	return func() error { r.fleet.serve(r.t); return nil }, nil
}

// badSignature changes what was signed, and not the signature.
func badSignature(r *round) (func() error, error) {
	file := filepath.Join(r.fleet.served, "dists", "stable", "InRelease")
	body, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	forged := []byte(strings.Replace(string(body), "\nDate: ", "\nDescription: forged\nDate: ", 1))
	if slices.Equal(forged, body) {
		return nil, fmt.Errorf("%s has no line to forge", file)
	}
	put := func(text []byte) error {
		if err := os.WriteFile(file+".new", text, 0o644); err != nil {
			return err
		}
		return os.Rename(file+".new", file)
	}
	return func() error { return put(body) }, put(forged)
}

// freeze stops the service where it stands. It is woken if it stands there still,
// which means that no release came to it meanwhile: systemd wakes what it stops.
func freeze(r *round) (func() error, error) {
	pid, err := r.fleet.on(r.host, `pid=$(systemctl show -P MainPID hello) && [ "$pid" != 0 ] && kill -STOP "$pid" && echo "$pid"`)
	if err != nil {
		return nil, errNothing
	}
	r.froze = pid
	return func() error {
		woken, err := r.fleet.on(r.host, `case $(cat /proc/`+pid+`/stat 2>/dev/null) in *"(hello) T "*) kill -CONT `+pid+` && echo woken ;; esac`)
		if woken != "" {
			r.froze = ""
		}
		return err
	}, nil
}

// replaced: the release replaced a process that did not move.
func replaced(r *round) bool {
	now, err := r.fleet.on(r.host, `systemctl show -P MainPID hello`)
	return err == nil && r.froze != "" && now != r.froze
}

// secondDeployer releases something else from another machine.
func secondDeployer(r *round) (func() error, error) {
	r.other = choose(r.random, r.before, false)
	r.second = r.fleet.start(r.t, "second", r.other)
	return nil, nil
}

// refused: one of the two had to leave the field to the other.
func refused(r *round) bool {
	return r.second != nil && (r.second.code() == 4 || r.deployer.code() == 4)
}
