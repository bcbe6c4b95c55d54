package e2e

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/kinectl/kinectl/internal/atomicfile"
	"github.com/kinectl/kinectl/internal/scaffold"
	"github.com/kinectl/kinectl/internal/scaffold/templates/grpc/greeting"
)

// templates makes a service from each template and releases it as it stands, one
// after the other, because they all have the same ports.
func (s *shell) templates(t *testing.T) {
	answers := map[string]func(t *testing.T){
		"http": func(t *testing.T) {
			s.expect(t, shellHost, `curl -s http://127.0.0.1:8080/`, "hello from new-http")
			s.bundle(t)
		},
		"site": func(t *testing.T) {
			contains(t, s.sh(t, shellHost, `curl -s http://127.0.0.1:8080/`), "<title>new-site</title>", "/style.")
		},
		"grpc": s.greets,
		"worker": func(t *testing.T) {
			s.await(t, shellHost, `curl -s http://127.0.0.1:9090/metrics | grep -q '^rounds_total{result="done"} [1-9]'`)
		},
		"job": func(t *testing.T) {
			s.sh(t, shellHost, `systemctl start new-job-nightly.service`)
			s.expect(t, shellHost, `grep -c '^20.*Z$' /var/lib/new-job/report.txt; systemctl is-active new-job-nightly.timer`, "1\nactive")
		},
	}
	for _, template := range scaffold.Templates() {
		answered := answers[template.Name]
		if answered == nil {
			t.Fatalf("nothing asks a service of the template %s", template.Name)
		}
		t.Run(template.Name, func(t *testing.T) {
			name := "new-" + template.Name
			dir := filepath.Join(s.dir, name)
			spec := filepath.Join(dir, "spec.yml")
			s.must(t, "init", "--template", template.Name, "--library", "..", dir)
			s.must(t, "lint", spec)
			s.offers(t, spec, name, "0.1.0")
			released := s.must(t, s.on("deploy", spec, "--version", "0.1.0")...)
			if template.Name != "job" { // which has nothing to be asked until its timer starts it
				contains(t, released, "not installed → 0.1.0, healthy")
				s.made(t, name, "0.1.0")
			}
			answered(t)
			s.must(t, s.on("remove", spec)...)
			s.expect(t, shellHost, `ls /usr/bin/`+name+` /etc/systemd/system/`+name+`* 2>/dev/null; systemctl is-active `+name+`.service `+name+`.socket; true`, "inactive\ninactive")
		})
	}
}

// made finds the service of a template healthy in this version.
func (s *shell) made(t *testing.T, name, version string) {
	t.Helper()
	s.expect(t, shellHost, `systemctl is-active `+name+`; systemctl show -P Type -P NRestarts `+name, "active\nnotify\n0")
	s.expect(t, shellHost, `curl -s http://127.0.0.1:9090/ready; curl -s http://127.0.0.1:9090/metrics | grep -c '^build_info{.*name="`+name+`".*version="`+version+`"'`, "ready\n1")
}

// greets calls the service of the template grpc, from another place in its network.
func (s *shell) greets(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	conn, err := grpc.NewClient("passthrough:///198.51.100.11:8080", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(_ context.Context, address string) (net.Conn, error) { return s.dial(ctx, address), nil }))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	health := grpc_health_v1.NewHealthClient(conn)
	for service, want := range map[string]codes.Code{"": codes.OK, "greeting.v1.Greeter": codes.OK, "nobody.v1.Nobody": codes.NotFound} {
		got, err := health.Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: service})
		if status.Code(err) != want || want == codes.OK && got.Status != grpc_health_v1.HealthCheckResponse_SERVING {
			t.Errorf("health of %q: %v, %v", service, got, err)
		}
	}
	greeter := greeting.NewGreeterClient(conn)
	if got, err := greeter.Greet(ctx, &greeting.GreetRequest{Name: "Asta"}); err != nil || got.GetText() != "hello, Asta" {
		t.Errorf("Greet: %v, %v", got, err)
	}
	if _, err := greeter.Greet(ctx, &greeting.GreetRequest{Name: strings.Repeat("a", 101)}); status.Code(err) != codes.InvalidArgument {
		t.Errorf("Greet with a long name: %v", err)
	}
	s.expect(t, shellHost, `curl -s http://127.0.0.1:9090/metrics | grep '^grpc_server_handling_seconds_count{.*Greet"'`,
		`grpc_server_handling_seconds_count{code="InvalidArgument",method="/greeting.v1.Greeter/Greet"} 1`+"\n"+
			`grpc_server_handling_seconds_count{code="OK",method="/greeting.v1.Greeter/Greet"} 1`)

	// While it drains, a balancer is told to send no calls.
	s.sh(t, shellHost, `touch /run/new-grpc/drain`)
	watch, err := health.Watch(ctx, &grpc_health_v1.HealthCheckRequest{})
	for err == nil {
		var got *grpc_health_v1.HealthCheckResponse
		if got, err = watch.Recv(); got.GetStatus() == grpc_health_v1.HealthCheckResponse_NOT_SERVING {
			break
		}
	}
	if err != nil {
		t.Errorf("health while it drains: %v", err)
	}
}

// dial connects to a host from the lab's network. The connection ends with ctx.
func (s *shell) dial(ctx context.Context, address string) net.Conn {
	ours, theirs := net.Pipe()
	host, port, _ := net.SplitHostPort(address)
	cmd := s.lab.Command(ctx, "bash", "-c", `exec 3<>/dev/tcp/$0/$1; cat <&3 & cat >&3; kill $!`, host, port)
	cmd.Stdin, cmd.Stdout, cmd.WaitDelay = theirs, theirs, time.Second
	go func() {
		_ = cmd.Run()
		_ = theirs.Close()
	}()
	return ours
}

// bundle gives the service of the template http two secrets in one text: a user
// and a password that its clients must know.
func (s *shell) bundle(t *testing.T) {
	const (
		user, password = "murnau", `the last "laugh", #1924`
		lines          = "# who may ask\nAPI_USER=" + user + "\n" + `API_PASSWORD="the last \"laugh\", #1924"` + "\n"
	)
	dir := filepath.Join(s.dir, "new-http")
	spec := filepath.Join(dir, "spec.yml")
	change(t, spec, "    METRICS_ADDRESS", "    VAULT_BUNDLE={{ vault_new_http }}\n    METRICS_ADDRESS")
	change(t, filepath.Join(dir, "main.go"), "type config struct {\n", "type config struct {\n"+
		"\tUser     service.Secret `env:\"API_USER,required\"`\n\tPassword service.Secret `env:\"API_PASSWORD,required\"`\n")
	change(t, filepath.Join(dir, "main.go"), "s.HTTP(c.HTTP, routes(c.Greeting))", `s.HTTP(c.HTTP, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != c.User.Reveal() || password != c.Password.Reveal() {
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		routes(c.Greeting).ServeHTTP(w, r)
	}))`)
	s.offers(t, spec, "new-http", "0.2.0", "--vault-password-file", s.passwordFile(t, vaultFirst))

	// Others read the infra repository meanwhile.
	keep := func(password string) {
		t.Helper()
		if err := atomicfile.Write(s.infraFile(), []byte(s.encrypts(t, password, "vault_new_http", lines, "--bundle")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	keep(vaultSecond)
	out, code := s.run(t, s.on("deploy", spec, "--version", "0.2.0")...)
	if code != 1 {
		t.Errorf("a wrong password: exit code %d\n%s", code, out)
	}
	contains(t, out, "VAULT_BUNDLE: no password fits")
	s.made(t, "new-http", "0.1.0")

	keep(vaultFirst)
	contains(t, s.must(t, s.on("deploy", spec, "--version", "0.2.0")...), "0.1.0 → 0.2.0, healthy")
	s.made(t, "new-http", "0.2.0")
	s.place(t, shellHost, map[string]string{"/run/curlrc": `user = "` + strings.ReplaceAll(user+":"+password, `"`, `\"`) + `"`})
	s.expect(t, shellHost, `curl -s -K /run/curlrc http://127.0.0.1:8080/; rm /run/curlrc; curl -s -u murnau:word http://127.0.0.1:8080/`, "hello from new-http\nwho are you?")

	// Neither is anywhere in plain text, and the encrypted one is where it is looked for.
	s.place(t, shellHost, map[string]string{"/root/secrets": user + "\nthe last\nJEFOU0lCTEVfVkFVTFQ7\n"})
	s.expect(t, shellHost, `(cat /etc/new-http/*; cat /proc/$(systemctl show -P MainPID new-http)/environ; journalctl -q -o export) | grep -aoFf /root/secrets | sort -u; rm /root/secrets`, "JEFOU0lCTEVfVkFVTFQ7")
}

// change replaces a text that a file has once.
func change(t *testing.T, file, from, to string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil || strings.Count(string(text), from) != 1 {
		t.Fatalf("%s has %q %d times: %v", file, from, strings.Count(string(text), from), err)
	}
	write(t, file, strings.Replace(string(text), from, to, 1))
}
