package chaos

import (
	"strings"
	"testing"
)

// planted is what a bad release could leave, and the words of the problem that
// it has to be found by.
const planted = `cd /var/lib/kinectl/hello
	mkdir txn; touch txn/record; echo '{"format":1,' >>releases.jsonl
	echo 'Pin: version 0.0.1' >>/etc/apt/preferences.d/kinectl-hello
	echo 'X="1"' >>/etc/hello/environment
	ln -s /dev/null /etc/systemd/system/multi-user.target.wants/kinectl-recover@hello.service
	mkdir -p /run/kinectl/hello.abcdef /run/kinectl/lease/hello && cat /proc/uptime >/run/kinectl/lease/hello/beat-1
	systemd-run --quiet --unit=kinectl-hello --property=StandardInput=null flock /var/lib/kinectl/hello sleep 60
	chmod -x /usr/share/kinectl/hello; echo >>/usr/share/kinectl/hello/spec.yml; systemctl stop hello`

const cleared = `cd /var/lib/kinectl/hello
	systemctl stop kinectl-hello; rm -r txn /run/kinectl/hello.abcdef /run/kinectl/lease/hello/beat-1
	sed -i '$d' releases.jsonl /etc/apt/preferences.d/kinectl-hello /etc/hello/environment /usr/share/kinectl/hello/spec.yml
	chmod +x /usr/share/kinectl/hello; rm /etc/systemd/system/multi-user.target.wants/kinectl-recover@hello.service; systemctl start hello`

// notBlind proves that a host which is not well is seen not to be: without
// that, a test that finds nothing says nothing.
func (f *fleet) notBlind(t *testing.T) {
	t.Helper()
	if _, err := f.on("h1", planted); err != nil {
		t.Fatal(err)
	}
	found := strings.Join(f.see("h1").problems, "\n")
	for _, word := range []string{
		"a line of the history is torn", "pin:", "digest of the environment:", "files of the package:", "unit:", "metrics:", "answer:", "readiness:",
		"transactions under way:", "left over: /etc/systemd/system/multi-user.target.wants/kinectl-recover@hello.service /var/lib/kinectl/hello/txn", "left over in /run:",
		"lock: held", "lease:",
	} {
		if !strings.Contains(found, word) {
			t.Errorf("nobody saw %q; seen was:\n%s", word, found)
		}
	}
	if _, err := f.on("h1", cleared); err != nil {
		t.Fatal(err)
	}
	f.settled(t)
	if t.Failed() {
		t.FailNow()
	}
}
