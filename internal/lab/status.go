package lab

import (
	"context"
	"strings"
	"sync"
	"time"
)

// HostStatus is how a host is at one moment.
type HostStatus struct {
	Host
	State  string `json:"state"`        // as systemctl is-system-running says; "off" without a PID 1
	Memory int64  `json:"memory_bytes"` // page cache included
}

// Status asks every host how it is. One that does not answer within five
// seconds is "silent".
func (l *Lab) Status(ctx context.Context) []HostStatus {
	hosts := l.Hosts()
	list := make([]HostStatus, len(hosts))
	var all sync.WaitGroup
	for i, h := range hosts {
		list[i] = HostStatus{Host: h, State: "off", Memory: l.hostGroup(h.Name).memory()}
		if h.Leader == 0 {
			continue
		}
		all.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
			defer cancel()
			out, _ := l.Output(ctx, h.Name, "systemctl", "is-system-running")
			if list[i].State = strings.TrimSpace(out); list[i].State == "" {
				list[i].State = "silent"
			}
		})
	}
	all.Wait()
	return list
}
