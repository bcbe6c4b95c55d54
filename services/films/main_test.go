package main

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kinectl/kinectl/internal/cli"
	"github.com/kinectl/kinectl/vault"
)

func TestSpec(t *testing.T) {
	var out bytes.Buffer
	if code := cli.Run(t.Context(), "test", []string{"lint", "spec.yml"}, strings.NewReader(""), &out, &out); code != 0 || !strings.Contains(out.String(), "nothing found") {
		t.Errorf("lint: exit code %d\n%s", code, &out)
	}
}

// build makes the program as it is packaged.
func build(t *testing.T) (program string) {
	t.Helper()
	program = filepath.Join(t.TempDir(), "films")
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", program, "-ldflags",
		"-X github.com/kinectl/kinectl/service.name=films -X github.com/kinectl/kinectl/service.version=1.2.3", ".")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return program
}

func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// get asks until the answer is the wanted one.
func get(t *testing.T, url string, status int, want string) {
	t.Helper()
	last := "nothing"
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		response, err := http.Get("http://" + url)
		if err != nil {
			last = err.Error()
			continue
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err == nil && response.StatusCode == status && strings.Contains(string(body), want) {
			return
		}
		last = response.Status + " " + string(body)
	}
	t.Fatalf("%s: %.2000s, want %d %s", url, last, status, want)
}

// TestProgram runs the program as its unit does, with an encrypted DSN: it
// migrates, serves, is not ready while its database is away, and stops.
func TestProgram(t *testing.T) {
	dsn := database(t)
	program, dir := build(t), t.TempDir()
	passwords := filepath.Join(dir, "password")
	if err := os.WriteFile(passwords, []byte("of the vault\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	secret, err := vault.EncryptBase64([]byte(dsn), vault.NewPassword("", "of the vault"))
	if err != nil {
		t.Fatal(err)
	}
	public, operation := free(t), free(t)
	run := func(env []string, args ...string) (*exec.Cmd, *bytes.Buffer) {
		cmd, log := exec.Command(program, args...), &bytes.Buffer{}
		cmd.Env = append(os.Environ(), "POSTGRES_DSN="+secret, "VAULT_PASSWORD_FILE="+passwords, "HTTP_ADDRESS="+public, "METRICS_ADDRESS="+operation, "RUNTIME_DIRECTORY="+dir)
		cmd.Env = append(cmd.Env, env...)
		cmd.Stdout, cmd.Stderr = log, log
		return cmd, log
	}
	ended := func(code int, want string, env []string, args ...string) {
		t.Helper()
		cmd, log := run(env, args...)
		if _ = cmd.Run(); cmd.ProcessState.ExitCode() != code || !strings.Contains(log.String(), want) {
			t.Errorf("films %v: exit code %d, want %d\n%swant %s", args, cmd.ProcessState.ExitCode(), code, log, want)
		}
		for _, plain := range []string{password, strings.ReplaceAll(password, " ", "%20"), "of the vault"} {
			if strings.Contains(log.String(), plain) {
				t.Errorf("films %v gave away a secret: %s", args, log)
			}
		}
	}
	ended(0, "", nil, "--check-config")
	ended(2, "POSTGRES_DSN", []string{"POSTGRES_DSN="}, "--check-config")
	if err := os.WriteFile(passwords+".wrong", []byte("wrong\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ended(2, "POSTGRES_DSN", []string{"VAULT_PASSWORD_FILE=" + passwords + ".wrong"})
	ended(1, "refused", []string{"SKIP_DECRYPT=true", "POSTGRES_DSN=" + (&postgres{port: "1"}).dsn("films")}, "migrate")
	ended(1, "POSTGRES_DSN", []string{"SKIP_DECRYPT=true", "POSTGRES_DSN=postgres://films:" + password + "@x:y/"}, "migrate")
	ended(0, `0001_films.sql 0002_minutes.sql`, nil, "migrate")
	ended(0, `taken=`, nil, "migrate")

	cmd, log := run(nil)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	get(t, operation+"/ready", 200, "")
	get(t, public+"/films", 200, `{"films":[]}`)
	response, err := http.Post("http://"+public+"/films", "application/json", strings.NewReader(`{"title":"M","year":1931}`))
	if err != nil || response.StatusCode != http.StatusCreated {
		t.Fatalf("a new film: %v, %v", response, err)
	}
	response.Body.Close()
	get(t, public+"/films/1", 200, `{"id":1,"title":"M","year":1931}`)
	for _, want := range []string{`build_info{build_time=`, `name="films"`, `version="1.2.3"`, `route="/films/{id}"`, `postgres_connections{state="idle"}`, "postgres_connections_max "} {
		get(t, operation+"/metrics", 200, want)
	}

	cluster.p.stop()
	get(t, operation+"/ready", 503, "database")
	get(t, operation+"/health", 200, "")
	get(t, public+"/films/1", 503, "the database does not answer")
	if err := cluster.p.start(); err != nil {
		t.Fatal(err)
	}
	get(t, operation+"/ready", 200, "")
	get(t, public+"/films/1", 200, `{"id":1,`)

	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v\n%s", err, log)
	}
	if strings.Contains(log.String(), password) || !strings.Contains(log.String(), "the database did not answer") {
		t.Errorf("log: %s", log)
	}
}
