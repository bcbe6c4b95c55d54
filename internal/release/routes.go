package release

// ofProxies reports whether a line tells of the tasks around a transaction, which
// take the host out of traffic at the proxies and bring it back, and says nothing
// of the host itself. One that fails is the host's failure, and told of by the task that
// stops the roll for it; a host that was lost is told of by the task that lost it.
func ofProxies(l line) bool {
	if l.Play != stageDeploy || l.Task == "Run the transaction" {
		return false
	}
	stops := l.Task == "See that every proxy knows" || l.Task == "Stop where a proxy has not taken the host back"
	return l.Event != "failed" || !stops
}

// spoil makes the result of a host that of a proxy which has not taken it back: a host has
// one result. What it runs, and since when, stays in it.
func (o *Outcome) spoil(r HostResult) {
	for i := range o.Hosts {
		if h := &o.Hosts[i]; h.Host == r.Host {
			h.released = h.Result == Deployed
			h.Result, h.Reason = r.Result, r.Reason
		}
	}
}
