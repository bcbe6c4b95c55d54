package release

import "testing"

// TestLogin is the command that a person tries when a host cannot be reached.
func TestLogin(t *testing.T) {
	t.Setenv("ANSIBLE_CONFIG", t.TempDir()) // none of this machine's own
	f := func(vars map[string]string, want string) {
		t.Helper()
		in := &Infra{Dir: t.TempDir(), answer: answer{Connect: map[string]map[string]string{"h1": vars}}}
		if got := in.Login("h1"); got != want {
			t.Errorf("%v: %s, want %s", vars, got, want)
		}
	}
	f(nil, "ssh h1")
	f(map[string]string{"ansible_host": "10.0.0.1", "ansible_user": "alice", "ansible_port": "2222"}, "ssh -p 2222 -l alice 10.0.0.1")
	f(map[string]string{"ansible_ssh_common_args": `-o ProxyCommand="ssh -W %h:%p jump"`}, "ssh -o 'ProxyCommand=ssh -W %h:%p jump' h1")
	f(map[string]string{"ansible_connection": "local"}, "")
	f(map[string]string{"ansible_host": "{{ nobody }}"}, "")
}
