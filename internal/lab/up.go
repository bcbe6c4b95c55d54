package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Up starts a lab and returns when every host is running and answers ssh. tell,
// which may be nil, hears of the progress; it is never called twice at once.
//
// On a lab that is up already, Up boots the hosts that are off and changes
// nothing else; if its number of hosts is another one, that is an error. What a
// killed Up left is removed first. When Up fails or ctx ends, it removes what it
// has made. The base image, if it is not in the cache, is built on the way.
func Up(ctx context.Context, o Options, tell func(Event)) (*Lab, error) {
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("start lab: %w", err)
	}
	if err := require(o.Image.built(), o.DiskMiB > 0); err != nil {
		return nil, err
	}
	p := newProgress(tell)
	// Before the lock of the lab: a minute is a long time to keep others waiting.
	image, err := buildImage(ctx, o.Image, p)
	if err != nil {
		return nil, err
	}
	lock, err := lockLab(ctx, o.Name, p)
	if err != nil {
		return nil, err
	}
	defer lock.release()
	if l, err := Open(o.Name); err == nil && namespaceExists(labNetns(o.Name)) {
		return l, l.resume(ctx, o, lock, p)
	}
	if _, err := os.Stat(stateDir(o.Name)); err == nil {
		p.say("", "removing what is left of an earlier lab "+o.Name)
	}
	if err := remove(ctx, o.Name); err != nil {
		return nil, fmt.Errorf("start lab %s: %w", o.Name, err)
	}
	l := &Lab{record{
		Name: o.Name, Created: time.Now().UTC().Truncate(time.Second), Image: image,
		Disk: o.DiskMiB, Service: o.Service, Hosts: hostsOf(o.Hosts),
	}}
	if err := l.start(ctx, o, lock, p); err != nil {
		// ctx may have ended, and what it began must still go.
		err = errors.Join(err, remove(context.WithoutCancel(ctx), o.Name))
		return nil, fmt.Errorf("start lab %s: %w", o.Name, err)
	}
	return l, nil
}

func (l *Lab) start(ctx context.Context, o Options, lock *lock, p *progress) error {
	if err := os.MkdirAll(stateRoot, 0o755); err != nil {
		return err
	}
	if err := os.Mkdir(l.Dir(), 0o700); err != nil {
		return err
	}
	if err := allowInotify(len(l.record.Hosts)); err != nil {
		return err
	}
	files, err := l.writeAccess(o)
	if err != nil {
		return err
	}
	if err := createNetwork(o.Name); err != nil {
		return err
	}
	if err := l.startService(lock); err != nil {
		return err
	}
	p.say("", fmt.Sprintf("network and keys are ready; booting %d hosts", len(l.record.Hosts)))
	if err := l.each(ctx, func(ctx context.Context, h Host) error {
		if err := l.prepareHost(ctx, h, files[h.Name], lock); err != nil {
			return fmt.Errorf("prepare %s: %w", h.Name, err)
		}
		if err := l.boot(ctx, h, lock); err != nil {
			return err
		}
		p.say(h.Name, "running, ssh answers at "+h.Address)
		return nil
	}); err != nil {
		return err
	}
	if err := l.checkService(); err != nil {
		return err
	}
	return l.save()
}

// resume brings a lab that exists back to what it should be.
func (l *Lab) resume(ctx context.Context, o Options, lock *lock, p *progress) error {
	if have := len(l.record.Hosts); have != o.Hosts {
		return fmt.Errorf("lab %s is up with %d hosts, not %d: end it first with `kinectl lab down --name %s`, or choose another --name",
			o.Name, have, o.Hosts, o.Name)
	}
	if err := l.startService(lock); err != nil {
		return err
	}
	var off []string
	for _, h := range l.Hosts() {
		if h.Leader == 0 {
			off = append(off, h.Name)
		}
	}
	if len(off) == 0 {
		p.say("", fmt.Sprintf("lab %s is already up with %d hosts", o.Name, o.Hosts))
		return nil
	}
	if err := l.each(ctx, func(ctx context.Context, h Host) error {
		if !slices.Contains(off, h.Name) {
			return nil
		}
		if err := l.boot(ctx, h, lock); err != nil {
			return err
		}
		p.say(h.Name, "was off; running again")
		return nil
	}); err != nil {
		return fmt.Errorf("start lab %s: %w", o.Name, err)
	}
	return nil
}

// each works on the hosts, a few at a time, and stops at the first error. It
// returns when all that it started has ended.
func (l *Lab) each(ctx context.Context, f func(context.Context, Host) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var all sync.WaitGroup
	places := make(chan struct{}, 3*runtime.NumCPU()) // a boot waits for a part of its time
	for _, h := range l.record.Hosts {
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
		all.Go(func() {
			defer func() { <-places }()
			if err := f(ctx, h); err != nil {
				cancel(err) // the first one wins
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}

// allowInotify raises the kernel's bound on inotify instances to what the hosts
// need; systemd does not boot without them. It never lowers it.
func allowInotify(hosts int) error {
	const file = "/proc/sys/fs/inotify/max_user_instances"
	body, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	have, err := strconv.Atoi(strings.TrimSpace(string(body)))
	if want := 128 + 64*hosts; err == nil && have < want {
		err = writeExisting(file, strconv.Itoa(want))
	}
	if err != nil {
		return fmt.Errorf("raise fs.inotify.max_user_instances: %w", err)
	}
	return nil
}
