package e2e

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"
)

// validUntil lets the time of a suite pass: apt refuses it until it is signed
// anew. The metrics of the server tell of it.
func (a *archive) validUntil(t *testing.T) {
	const metric = `curl -s http://127.0.0.1:9090/metrics | awk '/^repository_valid_until_timestamp_seconds{format="deb",suite="stable"}/ { printf "%d", $2 }'`
	a.expect(t, a.server, metric, "") // for ever
	a.repo(t, "resign", "--suite", "stable", "--valid-for", "1h")
	a.update(t, "") // the control

	var signed struct {
		Suites []struct {
			Suite string
			Until time.Time `json:"valid_until"`
		}
	}
	out := a.repo(t, "resign", "--suite", "stable", "--valid-for", "1s", "--json")
	if err := json.Unmarshal([]byte(out), &signed); err != nil || len(signed.Suites) != 1 || signed.Suites[0].Suite != "stable" {
		t.Fatalf("%v: %s", err, out)
	}
	until := signed.Suites[0].Until
	time.Sleep(time.Until(until.Add(2 * time.Second))) // hosts have this machine's clock
	a.update(t, "is expired (invalid since")
	if got := a.sh(t, a.server, metric); got != strconv.FormatInt(until.Unix(), 10) {
		t.Errorf("the metric says %s, not %d", got, until.Unix())
	}

	contains(t, a.repo(t, "resign", "--suite", "stable", "--valid-for", "14d"), "signed stable, valid until ")
	a.update(t, "")
	contains(t, a.repo(t, "resign"), "signed stable, valid until ", "signed testing, valid for ever") // it stays chosen
	a.repo(t, "resign", "--valid-for", "0")
}

// changedByte changes one byte of every kind of file in turn. apt refuses each,
// and verify names it; put back, all is well again.
func (a *archive) changedByte(t *testing.T) {
	const download = `apt-get clean; rm -rf /root/got; mkdir /root/got; cd /root/got && apt-get -q -o Dir::Cache=/root/got/cache download shop=1.0 2>&1; echo "exit code $?"; rm -rf /root/got`
	works := func() {
		t.Helper()
		a.update(t, "")
		contains(t, a.sh(t, a.client, download), "exit code 0")
	}
	works()
	for _, c := range []struct {
		files  string // find's words for them
		update string // how apt-get update refuses; empty: it does not
		named  string // by verify
	}{
		{"dists/stable/InRelease", "BADSIG", "InRelease: "},
		{"dists/stable/main/binary-*/by-hash -type f", "Hash Sum mismatch", "/by-hash/SHA256/"},
		{"pool -name shop_1.0_all.deb", "", "pool/main/s/shop/shop_1.0_all.deb: has other content"},
	} {
		t.Run(strings.Fields(c.files)[0], func(t *testing.T) {
			// In place, since the fixed names of indexes are links.
			a.sh(t, a.server, `cd `+archiveDir+` && cp -a . /root/before && for f in $(find `+c.files+`); do
				at=$(($(stat -c %s $f) / 4)); byte=$(od -An -tu1 -j $at -N 1 $f)
				printf "\\$(printf %o $((byte ^ 1)))" | dd of=$f bs=1 seek=$at conv=notrunc status=none; cmp -s $f /root/before/$f && exit 1
				echo $f >>/root/changed; done; test -s /root/changed`)
			a.update(t, c.update)
			if c.update == "" {
				contains(t, a.sh(t, a.client, download), "Hash Sum mismatch", "exit code 100")
			}
			out, code := a.run(t, "repo", "verify", a.location)
			if code != 1 {
				t.Errorf("repo verify: exit code %d", code)
			}
			contains(t, out, c.named)
			a.sh(t, a.server, `cd `+archiveDir+` && while read f; do cat /root/before/$f >$f; done </root/changed; rm -r /root/before /root/changed`)
			works()
		})
	}
	contains(t, a.repo(t, "verify"), "0 problems")
}

// keys changes the key of the repository below hosts that know the old one,
// both, or the new one only.
func (a *archive) keys(t *testing.T) {
	trust := func(ring string) {
		t.Helper()
		a.place(t, a.client, map[string]string{archiveKey: ring})
	}
	keyring := func() []string {
		t.Helper()
		const end = "-----END PGP PUBLIC KEY BLOCK-----\n"
		blocks := strings.SplitAfter(a.sh(t, a.server, `cat `+archiveDir+`/key.asc`)+"\n", end)
		return blocks[:len(blocks)-1]
	}
	old := keyring()
	if len(old) != 1 || old[0] != a.trusted {
		t.Fatalf("key.asc has %d keys", len(old))
	}
	out := a.repo(t, "rotate", "--key-type", "ed25519", "--json")
	var rotated struct {
		Fingerprints []string
		Added        string
	}
	if err := json.Unmarshal([]byte(out), &rotated); err != nil || len(rotated.Fingerprints) != 2 || rotated.Added != rotated.Fingerprints[1] {
		t.Fatalf("%v: %s", err, out)
	}
	both := keyring()
	if len(both) != 2 || both[0] != old[0] {
		t.Fatalf("key.asc has %d keys, or the old one is not the first", len(both))
	}
	for _, ring := range []string{both[0], strings.Join(both, ""), both[1]} {
		trust(ring)
		a.update(t, "")
	}

	a.repo(t, "rotate", "--drop", rotated.Fingerprints[0])
	trust(both[0])
	a.update(t, "NO_PUBKEY "+rotated.Added[24:])
	for _, ring := range []string{strings.Join(both, ""), both[1]} {
		trust(ring)
		a.update(t, "")
	}
	if now := keyring(); len(now) != 1 || now[0] != both[1] {
		t.Errorf("key.asc has %d keys, or not the new one", len(now))
	}
	// And the repository goes on.
	a.repo(t, "publish", deb(t, "shop", "1.2"))
	a.update(t, "")
	a.installs(t, "install shop=1.2", "1.2")
}
