package transaction

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/kinectl/kinectl/internal/needs"
)

// TestPortsFree: what the service itself has is its own, be it by a socket, the instance
// of an overlap or a task; all others are named.
func TestPortsFree(t *testing.T) {
	const usual = `work=$KINECTL_TEST proc=; owned_units() { printf 'hello.service\nhello-next.service\nhello-report.service\n'; }; systemctl() { say "$sockets"; }; sockets=
		ss() { say "$*" >&3; [ -z "$seen" ] || say "$seen"; }; seen=
		listening() { seen="LISTEN 0 128 $1 0.0.0.0:* users:((\"x\",pid=${2:-$$},fd=3))"; }; sed() { case $* in */proc/*) say "$unit" ;; *) command sed "$@" ;; esac; }; unit=
		exec 3>/dev/null; `
	f := func(want, words string) {
		t.Helper()
		p := hello()
		p.Ports = []string{"*:8080", "127.0.0.1:9090", "[::1]:53"}
		got, err := sourced(t, p, usual+words+`; ports_free && say fine || say "$reason"`, "KINECTL_TEST="+t.TempDir())
		if got = strings.TrimSuffix(got, " on this host: give the service another port in spec.yml, or stop what listens there\n"); strings.TrimSuffix(got, "\n") != want || err != nil {
			t.Errorf("%s: got %q, want %q; %v", words, got, want, err)
		}
	}
	f("fine", ":")
	f("--no-header --listening --tcp --numeric --processes sport = :8080 or sport = :9090 or sport = :53\nfine", "exec 3>&1")
	f("fine", "listening 0.0.0.0:8080; unit=other; grep() { :; }") // of its own processes only
	f("port 8080 is also that of other", "listening 0.0.0.0:8080; unit=other")
	f("port 8080 is also that of other", "listening 10.0.0.1%eth0:8080; unit=other")
	f("port 9090 is also that of other", "listening '*:9090'; unit=other")
	f("port 9090 is also that of other", "listening 127.0.0.1%lo:9090; unit=other")
	f("port 53 is also that of other", "listening '[::1]:53'; unit=other")
	f("fine", "listening 10.0.0.1:9090; unit=other")
	f("fine", "listening '[::]:9090'; unit=other") // of IPv6 only
	f("port 8080 is also that of other", "listening '[::]:8080'; unit=other")
	f("port 53 is also that of other", "listening '[::]:53'; unit=other")
	f("fine", "listening 0.0.0.0:53; unit=other")
	f("fine", "listening 0.0.0.0:8080 4194305; unit=") // it ended between two looks
	f("fine", "listening 0.0.0.0:8081; unit=other")
	for _, own := range []string{"hello", "hello-next", "hello-report"} {
		f("fine", "listening 0.0.0.0:8080; unit="+own)
	}
	f("port 8080 is also that of hello-world", "listening 0.0.0.0:8080; unit=hello-world")
	f("port 8080 is also that of ssh", "listening '[::]:8080' 1; sockets='[::]:8080 Stream ssh.socket ssh.service'")
	f("fine", "listening '[::]:8080' 1; sockets='[::]:8080 Stream hello.socket hello.service\n[::]:8080 Datagram dns.socket dns.service\n/run/8080 Stream x.socket x.service'")
	f("port 53 is also that of a, port 9090 is also that of other", "listening '*:9090'; unit=other sockets='[::1]:53 Stream a.socket a.service'")
	f("fine", "ports=''; listening 0.0.0.0:8080; unit=other")
}

// TestPortsOfARealListener asks the real ss(8) for a process that no service has started.
func TestPortsOfARealListener(t *testing.T) {
	needs.Program(t, "ss", "no real listener was looked for")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	p := hello()
	p.Ports = []string{fmt.Sprintf("*:%d", port)}
	const words = `work=$KINECTL_TEST; owned_units() { :; }; systemctl() { :; }; ports_free && say fine || say "$reason"`
	if got, err := sourced(t, p, words, "KINECTL_TEST="+t.TempDir()); err != nil || !strings.HasPrefix(got, fmt.Sprintf("port %d is also that of ", port)) {
		t.Errorf("got %q; %v", got, err)
	}
	l.Close()
	if got, err := sourced(t, p, words, "KINECTL_TEST="+t.TempDir()); err != nil || got != "fine\n" {
		t.Errorf("of a port that nobody has: got %q; %v", got, err)
	}
}

// TestPortTakenBeforeAnything: a plan says it, and Prepare refuses, unless nothing would change.
func TestPortTakenBeforeAnything(t *testing.T) {
	const usual = `work=$KINECTL_TEST started=0 who=ann now=0 action=install from=''; : >"$work/environment"
		take_turn() { :; }; read_installed() { from=''; }; installed_version() { :; }; choose_variant() { :; }; nobody_elses() { :; }; has_credentials() { :; }; numa_binding() { :; }
		enough_room() { :; }; refresh_index() { :; }; download() { :; }; same_as_now() { false; }; at_work() { false; }; refused() { false; }; unit_state() { active=inactive; }
		mask_environment() { : >"$work/masked.old"; : >"$work/masked.new"; }; planned_units() { :; }; as_seen() { :; }; forget_home() { :; }; finish_earlier() { :; }; txn=$work/txn home=$work/home
		ports_free() { reason='port 8080 is also that of other'; false; }
		words() { sed 's/.*"result":"\([-a-z]*\)","changed":\([a-z]*\),"reason":"\([^"]*\)".*"failed":\([a-z]*\).*/\1 \2 \4 \3/' "$work/result"; }
		`
	f := func(want, words string) {
		t.Helper()
		got, err := sourced(t, hello(), usual+words+"; words", "KINECTL_TEST="+t.TempDir())
		if got != want+"\n" || err != nil {
			t.Errorf("%s: got %q, want %q; %v", words, got, want, err)
		}
	}
	const taken = "port 8080 is also that of other"
	f("failed true false "+taken, "plan")
	f("planned false false ", "same_as_now() { :; }; plan")
	f("failed false true "+taken, "prepare 0 0123456789abcdef")
	f("ready false false ", "same_as_now() { :; }; prepare 0 0123456789abcdef")
	f("ready false false ", "ports_free() { :; }; prepare 0 0123456789abcdef")
}
