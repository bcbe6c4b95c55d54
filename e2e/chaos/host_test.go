package chaos

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// state is what a host says of the service and of what releases left there.
type state struct {
	version  string   // of the package
	kept     []string // versions that it can go back to, the current one last
	history  []string // lines of releases.jsonl
	problems []string
}

// look prints what is wrong with a host, a line each, then what it keeps and
// its history. Whatever a host does by itself after a fault has to end in none.
const look = `
home=/var/lib/kinectl/hello
wrong() { [ "$2" = "$3" ] || printf 'wrong %s: %s, not %s\n' "$1" "$(printf %s "$2" | tr '\n' ' ')" "$3"; }
installed=$(dpkg-query -W -f '${db:Status-Abbrev}${Version}' hello 2>/dev/null)
version=${installed#ii }
echo "version $version"
last=$home/releases/$(ls "$home/releases" 2>/dev/null | sort -n | tail -n 1)
wrong package "$installed" "ii $version"
wrong 'files of the package' "$(dpkg --verify hello 2>&1)" ''
wrong 'dpkg --audit' "$(dpkg --audit)" ''
wrong 'the last kept release' "$(cat "$last/version")" "$version"
wrong 'digest of the environment' "$(sha256sum </etc/hello/environment | cut -c 1-12)" "$(cat "$last/digest")"
wrong pin "$(sed -n 's/^Pin: //p' /etc/apt/preferences.d/kinectl-hello)" "version $version"

wrong unit "$(systemctl show -P NRestarts -P ActiveState -P UnitFileState -P NeedDaemonReload hello.service | paste -sd ' ')" '0 active enabled no'
pid=$(systemctl show -P MainPID hello.service)
wrong program "$(cmp "/proc/$pid/exe" /usr/bin/hello 2>&1)" ''
greeting=$(tr '\0' '\n' <"/proc/$pid/environ" | sed -n 's/^GREETING=//p')
wrong 'environment of the process' "GREETING=\"$greeting\"" "$(grep GREETING /etc/hello/environment)"
wrong metrics "$(curl -s --max-time 2 http://127.0.0.1:9090/metrics | sed -n 's/^build_info{.*[{,]version="\([^"]*\)".*/\1/p')" "$version"
wrong answer "$(curl -s --max-time 2 http://127.0.0.1:8080/)" "hello from hello $version"
wrong readiness "$(curl -s --max-time 2 -o /dev/null -w '%{http_code}' http://127.0.0.1:9090/ready)" 200
if [ -e /usr/lib/systemd/system/hello.socket ]; then
	wrong socket "$(systemctl show -P ActiveState -P UnitFileState hello.socket | paste -sd ' ')" 'active enabled'
else
	wrong socket "$(systemctl is-active hello.socket)" inactive
fi
wrong 'second instance' "$(systemctl show -P ActiveState hello-next.service)" inactive
wrong 'failed units' "$(systemctl list-units --failed --plain --no-legend '*hello*' '*kinectl*')" ''

wrong 'transactions under way' "$(systemctl list-units --plain --no-legend 'kinectl-*')" ''
wrong 'left over' "$(ls -d $home/txn* $home/before /run/kinectl-recover* /run/hello/drain /run/kinectl/hello.drain /etc/systemd/system/*.wants/kinectl-recover@* 2>/dev/null)" ''
wrong 'left over in /run' "$(find /run/kinectl -mindepth 1 -maxdepth 1 -type d -name 'hello.??????' 2>/dev/null)" ''
wrong 'half-written' "$(find /etc /usr $home -xdev \( -name '*.kinectl-new' -o -name '*.dpkg-new' -o -name '*.dpkg-tmp' -o -path '*/releases/*.new' \) 2>/dev/null)" ''
wrong lock "$(flock --nonblock --close $home true || echo held)" ''
up=$(cut -d . -f 1 /proc/uptime)
for beat in /run/kinectl/lease/hello/beat-*; do
	[ -s "$beat" ] || continue
	age=$((up - $(cut -d . -f 1 "$beat")))
	[ "$age" -gt LEASE ] || wrong lease "$(cat /run/kinectl/lease/hello/holder) beat $age s ago" 'free or expired'
done
for release in $(ls "$home/releases" | sort -n); do echo "kept $(cat "$home/releases/$release/version")"; done
sed 's/^/history /' $home/releases.jsonl
`

// see asks one host. It has a problem too when it does not answer.
func (f *fleet) see(host string) state {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	out, err := f.lab.Output(ctx, host, "sh", "-c", strings.ReplaceAll(look, "LEASE", strconv.Itoa(lease)))
	var s state
	if err != nil {
		s.problems = append(s.problems, err.Error())
	}
	for line := range strings.Lines(out) {
		what, text, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		switch what {
		case "version":
			s.version = text
		case "kept":
			s.kept = append(s.kept, text)
		case "history":
			s.history = append(s.history, text)
			if !json.Valid([]byte(text)) {
				s.problems = append(s.problems, "a line of the history is torn: "+text)
			}
		default:
			s.problems = append(s.problems, text)
		}
	}
	return s
}

// settled waits until every host is as it has to be, and fails the test when
// one never is.
func (f *fleet) settled(t *testing.T) map[string]state {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	states := make([]state, len(hosts))
	var all sync.WaitGroup
	for i, h := range hosts {
		all.Go(func() {
			for states[i] = f.see(h); len(states[i].problems) > 0 && time.Now().Before(deadline); states[i] = f.see(h) {
				time.Sleep(200 * time.Millisecond)
			}
		})
	}
	all.Wait()
	found := map[string]state{}
	for i, h := range hosts {
		if problems := states[i].problems; len(problems) > 0 {
			t.Errorf("%s has not come to rest:\n  %s", h, strings.Join(problems, "\n  "))
			t.Log(f.evidence(h))
		}
		found[h] = states[i]
	}
	return found
}

// evidence is what a host knows about a round that went wrong.
func (f *fleet) evidence(host string) string {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	out, _ := f.lab.Output(ctx, host, "sh", "-c", `df /; systemctl --no-pager status 'hello*' 'kinectl-*' 2>&1; ls -lR /var/lib/kinectl/hello /run/kinectl
		tail -n 4 /var/lib/kinectl/hello/releases.jsonl; journalctl --no-pager -b -u 'kinectl*' -u 'hello*' | tail -n 60; systemctl list-jobs; ps axf | tail -n 40`)
	return out
}
