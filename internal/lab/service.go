package lab

import (
	"fmt"
	"path/filepath"
	"strings"
)

func (l *Lab) serviceGroup() group { return labGroup(l.record.Name).child("service") }

// startService starts Options.Service unless it runs.
func (l *Lab) startService(lock *lock) error {
	g := l.serviceGroup()
	if len(l.record.Service) == 0 || len(g.processes()) > 0 {
		return nil
	}
	if err := g.create(); err != nil {
		return err
	}
	argv := append([]string{"nsenter"}, inLabNetwork(l.record.Name, l.record.Service)...)
	cmd, err := startIn(g, lock, filepath.Join(l.Dir(), "service.log"), argv...)
	if err != nil {
		return err
	}
	go func() { _ = cmd.Wait() }() // checkService looks at what matters
	return nil
}

func (l *Lab) checkService() error {
	if len(l.record.Service) > 0 && len(l.serviceGroup().processes()) == 0 {
		return fmt.Errorf("%s has ended; it said last:\n%s", strings.Join(l.record.Service, " "), tail(filepath.Join(l.Dir(), "service.log"), 8))
	}
	return nil
}
