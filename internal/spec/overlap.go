package spec

import "slices"

// Overlaps reports whether the next instance of the service runs beside it while
// it restarts, on the sockets that systemd holds for both. Without a word in the
// spec it does where two can run side by side: neither writes to a state
// folder, and neither listens by itself. The metrics are no hindrance, since the next
// instance is given an address of its own for them.
func (s *Spec) Overlaps() bool {
	if len(s.Sockets) == 0 || s.Exec.None || s.Exec.Type.Or(DefaultType) != "notify" {
		return false
	}
	return s.Deploy.Overlap.Or(!s.State.V && !s.listensByItself())
}

// listensByItself reports whether a port beside that of the metrics is none of
// the sockets.
func (s *Spec) listensByItself() bool {
	all := s.listeners()
	return slices.ContainsFunc(all, func(l listener) bool {
		held := func(other listener) bool { return other.socket && l.clash(other) }
		return !l.socket && l.name != "METRICS_ADDRESS" && !slices.ContainsFunc(all, held)
	})
}
