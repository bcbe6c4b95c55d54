package storage

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
)

// place is one that can be written, for the tests that all of them must pass.
type place struct {
	location string
	options  Options
	dir      string // where its files are on this machine, "" for a bucket
	// replacesWhole: while a file is replaced it is never missing.
	replacesWhole bool
}

// open is a new connection to it, as another process would have it.
func (p place) open(t *testing.T) Store {
	t.Helper()
	s, err := Open(p.location, p.options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := Close(s); err != nil {
			t.Error(err)
		}
	})
	return s
}

// everywhere runs a test on an empty place of each kind.
func everywhere(t *testing.T, test func(t *testing.T, p place)) {
	t.Run("directory", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "a repository+1")
		test(t, place{location: dir, dir: dir, options: Options{Create: true}, replacesWhole: true})
	})
	t.Run("s3", func(t *testing.T) {
		test(t, place{location: bucket(t) + "/some/prefix"})
	})
	t.Run("ssh", func(t *testing.T) {
		address, program := sshServer(t)
		dir := filepath.Join(t.TempDir(), "a repository+1")
		test(t, place{location: address + strings.ReplaceAll(dir, " ", "%20"), dir: dir, options: Options{Create: true, SSH: program}, replacesWhole: true})
	})
}

// missingProgram skips a test for which something is not installed, except in
// the full check.
func missingProgram(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("KINECTL_E2E") == "required" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// versitygw builds the server once; the go command keeps it.
var versitygw = sync.OnceValues(func() (string, error) {
	build := exec.Command("go", "tool", "-n", "versitygw")
	build.Dir = "../../../tools/versitygw"
	out, err := build.Output()
	if exit, ok := err.(*exec.ExitError); ok {
		err = fmt.Errorf("%w: %s", err, exit.Stderr)
	}
	return strings.TrimSpace(string(out)), err
})

// bucket is the location of an empty bucket of a real S3 server of its own.
func bucket(t *testing.T) string {
	t.Helper()
	location, _ := s3Server(t)
	return location
}

func s3Server(t *testing.T) (location string, server *os.Process) {
	t.Helper()
	program, err := versitygw()
	if err != nil {
		missingProgram(t, "versitygw cannot be built, so S3 is not tried: %v", err)
	}
	address := freeAddress(t)
	data := t.TempDir()
	cmd := exec.Command(program, "--port", address, "--access", "tester", "--secret", "a secret of tests", "--quiet", "posix", data)
	start(t, cmd, address)
	t.Setenv("AWS_ENDPOINT_URL", "http://"+address)
	t.Setenv("AWS_REGION", "us-east-1")
	t.Setenv("AWS_ACCESS_KEY_ID", "tester")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "a secret of tests")
	s, err := Open("s3://repository", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.(*s3).client.MakeBucket(t.Context(), "repository", minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	return "s3://repository", cmd.Process
}

// sshServer is a real sshd for the user of the test, and the ssh program with
// what it needs to get in.
func sshServer(t *testing.T) (address string, ssh []string) {
	t.Helper()
	const sshd = "/usr/sbin/sshd"
	if _, err := os.Stat(sshd); err != nil {
		missingProgram(t, "%s is not installed, so ssh is not tried", sshd)
	}
	for _, program := range []string{"ssh", "ssh-keygen", "flock"} {
		if _, err := exec.LookPath(program); err != nil {
			missingProgram(t, "%s is not installed, so ssh is not tried", program)
		}
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	if me.Uid == "0" {
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil { // where sshd locks its helpers in
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	for _, key := range []string{"host", "user"} {
		if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file(key)).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	listen := freeAddress(t)
	host, port, _ := net.SplitHostPort(listen)
	hostKey, err := os.ReadFile(file("host.pub"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"sshd_config": "ListenAddress " + listen + "\nHostKey " + file("host") + "\nAuthorizedKeysFile " + file("user.pub") +
			"\nSetEnv SHLVL=5" + // so that bash leaves out the user's .bashrc, which may be slow
			"\nPidFile none\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin prohibit-password\n",
		"ssh_config": "IdentityFile " + file("user") + "\nIdentitiesOnly yes\nStrictHostKeyChecking yes\nUserKnownHostsFile " +
			file("known_hosts") + "\nUser " + me.Username + "\n",
		"known_hosts": fmt.Sprintf("[%s]:%s %s", host, port, hostKey),
	} {
		if err := os.WriteFile(file(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	start(t, exec.Command(sshd, "-D", "-e", "-f", file("sshd_config")), listen)
	return "ssh://" + listen, []string{"ssh", "-F", file("ssh_config")}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// start runs a server until the test ends, and waits until it listens.
func start(t *testing.T, cmd *exec.Cmd, address string) {
	t.Helper()
	var said tail
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	t.Cleanup(func() { _ = cmd.Process.Kill(); <-ended })
	for deadline := time.Now().Add(20 * time.Second); ; {
		c, err := net.Dial("tcp", address)
		if err == nil {
			c.Close()
			return
		}
		select {
		case <-ended:
			t.Fatalf("%s ended: %s", cmd.Path, said.String())
		case <-time.After(10 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not listen at %s: %v; %s", cmd.Path, address, err, said.String())
		}
	}
}

// The environment of a process that takes the lock of a place and never ends,
// or writes and kills itself at a step.
const (
	holdPlace = "STORAGE_TEST_HOLD"
	holdSSH   = "STORAGE_TEST_SSH"
	writeDir  = "STORAGE_TEST_WRITE"
	writeKill = "STORAGE_TEST_KILL"
)

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(holdPlace) != "":
		os.Exit(hold())
	case os.Getenv(writeDir) != "":
		os.Exit(writeUntilKilled())
	}
	os.Exit(m.Run())
}

func hold() int {
	o := Options{Create: true, Lease: 3 * time.Second}
	if program := os.Getenv(holdSSH); program != "" {
		o.SSH = strings.Split(program, "\n")
	}
	s, err := Open(os.Getenv(holdPlace), o)
	if err == nil {
		_, _, err = s.Lock(context.Background())
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("locked")
	select {}
}

// holder starts a process that has the lock of p.
func holder(t *testing.T, p place) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir(), holdPlace+"="+p.location, holdSSH+"="+strings.Join(p.options.SSH, "\n"))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "locked\n" {
		t.Fatalf("the holder says %q: %v", line, err)
	}
	return cmd
}
