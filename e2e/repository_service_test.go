package e2e

import (
	"strings"
	"testing"
)

// service looks at the server on its host: what it is, what it tells, and what
// it may do.
func (a *archive) service(t *testing.T) {
	const status = `curl -s -o /dev/null -w '%{http_code} ' `
	a.expect(t, a.server, `systemctl is-active repository.service repository.socket; systemctl show -P User -P NRestarts repository; systemctl show -P Listen repository.socket`,
		"active\nactive\n0\nrepository\n[::]:8080 (Stream)")
	a.expect(t, a.server, status+`http://127.0.0.1:9090/health; `+status+`http://127.0.0.1:9090/ready; curl -s http://127.0.0.1:9090/ready`, "200 200 ready")
	// The files are another user's, and their owner alone may write them.
	a.expect(t, a.server, `runuser -u repository -- sh -c 'cat `+archiveDir+`/key.asc | head -n 1; touch `+archiveDir+`/x 2>&1 | grep -o denied'; stat -c %U `+archiveDir,
		"-----BEGIN PGP PUBLIC KEY BLOCK-----\ndenied\ndeploy")
	// Nothing but the repository can be fetched, and that on the one port only.
	a.expect(t, a.client, `for p in / /dists/ /.lock /.expired /../../etc/passwd /metrics /ready; do `+status+`--path-as-is `+archiveURL+`$p; done; `+status+archiveURL+`/key.asc`,
		"404 404 404 404 404 404 404 200 ")

	metrics := a.sh(t, a.server, `curl -s http://127.0.0.1:9090/metrics`)
	contains(t, metrics, `name="repository",`, `version="1.0.0"} 1`, "\nhttp_connections_open ", "\nprocess_resident_memory_bytes ",
		`http_requests_total{code="5xx",kind="index"} 0`+"\n", `repository_signed_timestamp_seconds{format="deb",suite="stable"} `, `repository_signed_timestamp_seconds{format="rpm",suite="testing"} `)
	for _, kind := range []string{"root", "index", "package"} { // apt has asked for them
		if strings.Contains(metrics, `http_requests_total{code="2xx",kind="`+kind+`"} 0`) {
			t.Errorf("no request of kind %s was counted", kind)
		}
	}
	a.sh(t, a.server, `systemd-analyze security --threshold=15 --no-pager repository.service`)

	// Drained, it says so and goes on.
	a.sh(t, a.server, `touch /run/repository/drain`)
	a.expect(t, a.server, status+`http://127.0.0.1:9090/ready; `+status+`http://127.0.0.1:9090/health; `+status+`http://127.0.0.1:8080/key.asc; rm /run/repository/drain`, "503 200 200 ")
	a.expect(t, a.server, `journalctl -q -o cat -u repository | grep -c 'level=ERROR'; true`, "0")
}

// restarts the server below a client that fetches in a loop, and below one in
// the middle of a download, which goes on to its end.
func (a *archive) restarts(t *testing.T) {
	a.sh(t, a.server, `head -c 40000000 /dev/urandom >`+archiveDir+`/pool/big`) // more than what sockets hold
	a.sh(t, a.client, `systemd-run --quiet --collect --unit=asker sh -c 'until [ -e /run/asked ]; do curl -s -m 30 -o /dev/null -w "%{http_code} %{errormsg}\n" `+archiveURL+`/dists/stable/InRelease; done >/run/answers'
		systemd-run --quiet --collect --unit=loader sh -c 'curl -s `+archiveURL+`/pool/big | { head -c 1000; touch /run/loading; until [ -e /run/load ]; do sleep 0.05; done; cat; } >/run/loaded'`)
	defer func() {
		a.sh(t, a.server, `rm `+archiveDir+`/pool/big`)
		a.sh(t, a.client, `touch /run/asked /run/load; while systemctl -q is-active asker loader; do sleep 0.05; done; rm -f /run/asked /run/answers /run/load /run/loading /run/loaded`)
	}()
	answered := func(more string) { a.await(t, a.client, `[ "$(wc -l </run/answers)" -ge $((`+more+` + 10)) ]`) }
	const count = `wc -l </run/answers`
	a.await(t, a.client, `[ -e /run/loading ]`)

	a.sh(t, a.server, `systemctl restart --no-block repository`)
	a.await(t, a.server, `[ "$(systemctl show -P ActiveState repository)" = deactivating ]`)
	a.sh(t, a.client, `touch /run/load; while systemctl -q is-active loader; do sleep 0.05; done`)
	if got, want := a.sh(t, a.client, `sha256sum </run/loaded`), a.sh(t, a.server, `sha256sum <`+archiveDir+`/pool/big`); got != want {
		t.Errorf("the download is %s, not %s", got, want)
	}
	answered(a.sh(t, a.client, count))
	for range 3 {
		pid := a.sh(t, a.server, `systemctl show -P MainPID repository`)
		a.sh(t, a.server, `systemctl restart repository`)
		if now := a.sh(t, a.server, `systemctl show -P MainPID repository`); now == pid {
			t.Error("the service was not restarted")
		}
		answered(a.sh(t, a.client, count))
	}
	a.expect(t, a.client, `sort -u /run/answers`, "200 ")
	// The control: without the socket the same client is refused.
	a.sh(t, a.server, `systemctl stop repository.socket repository.service`)
	a.await(t, a.client, `grep -q '^000 Failed to connect' /run/answers`)
	a.sh(t, a.server, `systemctl start repository.socket repository.service`)
	a.expect(t, a.server, `journalctl -q -o cat -u repository | grep -cE 'level=(ERROR|WARN)'; systemctl is-failed repository; systemctl show -P NRestarts repository`, "0\nactive\n0")
}
