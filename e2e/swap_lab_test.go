package e2e

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// newSwap starts the lab of TestSwap, with all versions of its services in the repository.
func newSwap(t *testing.T) *swap {
	t.Helper()
	s := &swap{shell: ownLab(t, "swap", "--hosts", "1")}
	const held = `  exec: {type: notify, stop: SIGTERM}
  sockets: [":8091"]
  deploy: {probe: {port: 9191, timeout: %s, settle: %s}}
  environments: |
    HTTP_ADDRESS=:8091
    METRICS_ADDRESS=:9191
    FAULT=%s
`
	s.offer(t, "relay", first, fmt.Sprintf(held, "30s", "0s", ""))
	s.offer(t, "relay", second, fmt.Sprintf(held, "30s", "0s", ""))
	s.offer(t, "relay", neverReady, fmt.Sprintf(held, "3s", "0s", "never-ready"))
	s.offer(t, "relay", diesSoon, fmt.Sprintf(held, "30s", "5s", "dies"))
	s.offer(t, "relay", settles, fmt.Sprintf(held, "30s", "20s", ""))
	const files = `  exec: {start: none}
  files: [{src: relay, dst: /usr/share/ballast/relay}]
`
	s.offer(t, "ballast", first, files)
	s.offer(t, "ballast", second, files)
	s.offer(t, "naive", first, `  exec: {type: notify, stop: SIGTERM}
  deploy: {probe: {type: tcp, port: 8092, version: false, settle: 0s}}
  environments: |
    HTTP_ADDRESS=:8092
    METRICS_ADDRESS=off
    NAIVE=true
`)
	return s
}

// file is the path of the spec of one version.
func (s *swap) file(service, version string) string {
	return filepath.Join(s.dir, service, version, "spec.yml")
}

// offer publishes a version of bench/restart-server under a name, with this spec.
func (s *swap) offer(t *testing.T, service, version, spec string) {
	t.Helper()
	file := s.file(service, version)
	program := filepath.Join(filepath.Dir(file), "relay")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	const linked = "github.com/kinectl/kinectl/service."
	flags := "-s -w -X " + linked + "name=" + service + " -X " + linked + "version=" + version
	if err := command(t.Context(), "go", "build", "-trimpath", "-ldflags", flags, "-o", program, "../bench/restart-server"); err != nil {
		t.Fatal(err)
	}
	write(t, file, "service:\n  name: "+service+"\n  group: applications\n  description: Restarted below load\n  limits: {mem: 256M}\n"+spec)
	var more []string
	if service != "ballast" {
		more = []string{"--binary", program}
	}
	s.offers(t, file, service, version, more...)
}

// below returns what clients of a port have seen while do was done.
func (s *swap) below(t *testing.T, port string, do func()) answers {
	t.Helper()
	// Each asks every 100 ms, however many they are: one that is silent for longer than a
	// stop leaves to idle connections meets its end, which is the protocol's fault (docs/service.md).
	c := s.askOften(t, s.rate, s.rate/10, "http://198.51.100.11"+port+"/", "a body")
	s.await(t, shellHost, `[ "$(ss -Htn state established "( sport = `+port+` )" | wc -l)" -ge 20 ]`)
	do()
	return c.finish(t)
}

// kept reports whether there were as many requests as this share of the rate.
func (a answers) kept(rate int, share float64) bool {
	return float64(a.Sent) >= share*float64(rate)*a.Seconds
}

// carried reports whether the rate is one for this machine: all were asked, and soon answered.
func (a answers) carried(rate int) bool {
	return a.Failed == 0 && a.kept(rate, 0.95) && a.beyond(200) == 0
}

// beyond counts the answers that took longer than so many milliseconds.
func (a answers) beyond(limit int) (n int) {
	for took, count := range a.Waits {
		if took > limit {
			n += count
		}
	}
	return n
}

// within is the time in milliseconds that a share of the answers did not exceed.
func (a answers) within(share float64) int {
	n := 0
	for _, took := range slices.Sorted(maps.Keys(a.Waits)) {
		if n += a.Waits[took]; float64(n) >= share*float64(a.Sent) {
			return took
		}
	}
	return 0
}

// String is for a log.
func (a answers) String() string {
	return fmt.Sprintf("%d asked in %.0f s, %d failed, 99 %% within %d ms, 99.9 %% within %d ms, the longest %.0f ms",
		a.Sent, a.Seconds, a.Failed, a.within(0.99), a.within(0.999), a.Longest)
}
