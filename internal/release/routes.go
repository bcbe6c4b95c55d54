package release

// ofProxies reports whether a line tells of the tasks around a transaction, which
// take the host out of traffic at the proxies and bring it back, and says nothing
// of the host itself. One that fails is the host's failure. A host that was lost
// is told of by the task that lost it, not by the one that stops the roll for it.
func ofProxies(l line) bool {
	return l.Play == stageDeploy && l.Task != "Run the transaction" && (l.Event != "failed" || l.Task == "Stop where a host was lost")
}
