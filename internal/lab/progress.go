package lab

import (
	"sync"
	"time"
)

// progress passes events on, one at a time, whichever goroutine they come from.
type progress struct {
	mu    sync.Mutex
	began time.Time
	tell  func(Event)
}

func newProgress(tell func(Event)) *progress {
	if tell == nil {
		tell = func(Event) {}
	}
	return &progress{began: time.Now(), tell: tell}
}

func (p *progress) say(host, text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tell(Event{Host: host, Text: text, Took: time.Since(p.began)})
}
