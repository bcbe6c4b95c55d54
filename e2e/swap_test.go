package e2e

import (
	"testing"
	"time"
)

// swap is a lab of one host with a service whose restarts overlap, and clients
// that never ask twice.
type swap struct {
	*shell
	rate int // requests a second
}

// The versions of the service, relay. Its twin in everything but the restart is
// ballast: a package of files, as large.
const (
	neverReady = "1.2.0"
	diesSoon   = "1.3.0"
	settles    = "1.4.0" // for so long that it can be killed meanwhile
)

// TestSwap restarts and releases below 2,000 requests a second: none may fail, and none
// may wait more than 50 ms longer than the longest one below releases that restart nothing.
// Requests that fail are never forgiven; a wait that is too long is measured again
// twice, together with its control, since the machine has other work.
func TestSwap(t *testing.T) {
	s := newSwap(t)
	s.must(t, s.on("deploy", s.file("relay", first), "--version", first)...)
	s.findRate(t)
	untouched := func(t *testing.T, do func(*testing.T)) {
		t.Helper()
		const start = `systemctl show -P InvocationID relay`
		before := s.sh(t, shellHost, start)
		do(t)
		s.expect(t, shellHost, start, before)
		s.running(t, first)
	}
	t.Run("ten restarts", func(t *testing.T) {
		s.disturbed(t, func(t *testing.T) {
			for range 10 {
				before := s.sh(t, shellHost, `systemctl show -P MainPID relay`)
				s.must(t, s.on("restart", s.file("relay", first))...)
				if s.sh(t, shellHost, `systemctl show -P MainPID relay`) == before {
					t.Error("nothing was restarted")
				}
			}
		})
		s.running(t, first)
	})
	t.Run("a release and back, twice", func(t *testing.T) {
		s.disturbed(t, func(t *testing.T) {
			for range 2 {
				contains(t, s.must(t, s.on("deploy", s.file("relay", second), "--version", second)...), "1.0.0 → 1.1.0, healthy")
				contains(t, s.must(t, s.on("rollback", s.file("relay", second))...), "1.1.0 → 1.0.0, healthy")
			}
		})
		s.running(t, first)
	})
	t.Run("a version that is never ready", func(t *testing.T) {
		untouched(t, func(t *testing.T) {
			s.disturbed(t, func(t *testing.T) { s.refused(t, neverReady, "1.2.0 was not ready within 3 s") })
		})
	})
	t.Run("a version that dies after three seconds", func(t *testing.T) {
		untouched(t, func(t *testing.T) {
			s.disturbed(t, func(t *testing.T) { s.refused(t, diesSoon, "1.3.0 was ready and is failed now") })
		})
		// What runs is what is on the disk, though nobody has started it from there.
		contains(t, s.must(t, s.on("deploy", s.file("relay", first), "--version", first)...), "unchanged")
	})
	t.Run("killed in the middle", func(t *testing.T) {
		untouched(t, func(t *testing.T) {
			end := s.launch(t, s.on("deploy", s.file("relay", settles), "--version", settles)...)
			got := s.below(t, ":8091", func() {
				s.await(t, shellHost, `systemctl is-active -q relay-next`)
				s.sh(t, shellHost, `kill -9 $(systemctl show -P MainPID kinectl-relay)`)
				out, _ := end()
				contains(t, out, "rolled back: 1.0.0 again", "the transaction was interrupted")
			})
			if got.Failed != 0 {
				t.Errorf("%v: %v", got, got.Faults)
			}
		})
	})
	t.Run("without a held socket", func(t *testing.T) {
		s.must(t, s.on("deploy", s.file("naive", first), "--version", first)...)
		got := s.below(t, ":8092", func() { s.sh(t, shellHost, `for i in 1 2 3; do systemctl restart naive; sleep 0.3; done`) })
		if got.Failed == 0 {
			t.Errorf("none of %d failed in three restarts: the clients see nothing", got.Sent)
		}
		t.Logf("%d of %d failed: %v", got.Failed, got.Sent, got.Faults)
	})
}

// refused deploys a version that is no good.
func (s *swap) refused(t *testing.T, version, why string) {
	t.Helper()
	out, code := s.run(t, s.on("deploy", s.file("relay", version), "--version", version)...)
	if code != 3 {
		t.Errorf("exit code %d\n%s", code, out)
	}
	contains(t, out, "rolled back: 1.0.0 again", why)
}

// running finds relay healthy in this version, and nothing left of a swap.
func (s *swap) running(t *testing.T, version string) {
	t.Helper()
	s.expect(t, shellHost, `dpkg-query -W -f '${db:Status-Abbrev}${Version}' relay; dpkg --verify relay`, "ii "+version)
	s.expect(t, shellHost, `curl -s http://127.0.0.1:9191/metrics | grep -c '^build_info{.*version="`+version+`"'`, "1")
	s.expect(t, shellHost, `systemctl is-active relay.service relay.socket relay-next.service; systemctl show -P NRestarts relay; systemctl --failed --no-legend --plain; ls -d /run/relay-next 2>/dev/null; true`, "active\nactive\ninactive\n0")
	s.clean(t, shellHost)
}

// findRate halves the rate as long as the clients cannot keep it on a host where
// nothing happens. The long form is about longRate and nothing less.
func (s *swap) findRate(t *testing.T) {
	for s.rate = longRate; s.rate >= 500; s.rate /= 2 {
		got := s.below(t, ":8091", func() {
			time.Sleep(2 * time.Second) // of load, and nothing else
		})
		t.Logf("at rest, %d a second: %v", s.rate, got)
		if got.carried(s.rate) || s.rate <= 500 && got.Failed == 0 && got.kept(s.rate, 0.95) {
			return
		}
		if long() {
			break
		}
	}
	t.Fatalf("not even %d requests a second are answered by a host where nothing happens", max(s.rate, 500))
}

// disturbed does something below the clients, and compares. No request may fail.
// How long one waits says something on a machine that does nothing else, so only
// the long form (KINECTL_LONG=yes) holds it to its bound.
func (s *swap) disturbed(t *testing.T, do func(*testing.T)) {
	t.Helper()
	const attempts = 3
	for attempt := 1; ; attempt++ {
		control := s.below(t, ":8091", func() { s.releaseBallast(t) })
		got := s.below(t, ":8091", func() { do(t) })
		allowed := int(control.Longest) + 50
		t.Logf("%v; control: %v; %d waited more than %d ms", got, control, got.beyond(allowed), allowed)
		if got.Failed != 0 || control.Failed != 0 {
			t.Fatalf("failed: %v, and of the control: %v", got.Faults, control.Faults)
		}
		if got.beyond(allowed) == 0 || t.Failed() || !long() {
			return
		}
		if attempt == attempts {
			t.Fatalf("some waited too long, %d times in a row", attempts)
		}
	}
}

// releaseBallast does the same work but for the restart: Ansible, apt, dpkg, record.
func (s *swap) releaseBallast(t *testing.T) {
	t.Helper()
	for _, version := range []string{first, second, first} {
		s.must(t, s.on("deploy", s.file("ballast", version), "--version", version)...)
	}
}
