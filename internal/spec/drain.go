package spec

import "time"

// DefaultRoutedDrain is deploy.drain of a service with routes: HAProxy has seen
// /ready fail, and what nginx had sent is answered.
const DefaultRoutedDrain = 3 * time.Second

// Drains is how long a host is out of traffic before a restart: what
// deploy.drain says, or the default, which a service with an instance that
// answers meanwhile does not need.
func (s *Spec) Drains() time.Duration {
	if len(s.Routes) > 0 && !s.Overlaps() && !s.Exec.None {
		return s.Deploy.Drain.Or(DefaultRoutedDrain)
	}
	return s.Deploy.Drain.V
}
