package main

import (
	"bytes"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestCommand(t *testing.T) {
	program := filepath.Join(t.TempDir(), "hello")
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	f := func(fault string, code int, want string) {
		t.Helper()
		cmd := exec.Command(program, "migrate", "two  words")
		cmd.Env = append(os.Environ(), "LOG_LEVEL=debug", "HELLO_FAULT="+fault)
		var log bytes.Buffer
		cmd.Stderr = &log
		_ = cmd.Run()
		if got := cmd.ProcessState.ExitCode(); got != code || !strings.Contains(log.String(), want) {
			t.Errorf("fault %q: exit code %d, log %q", fault, got, log.String())
		}
	}
	f("", 0, "migrate two  words, as user ")
	f("command", 3, "fault command: migrate")
}

// TestHandedOver gives the program a listening socket as systemd does.
func TestHandedOver(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	socket, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	program, metrics := filepath.Join(t.TempDir(), "hello"), free(t)
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	notify := filepath.Join(t.TempDir(), "notify")
	told, err := net.ListenPacket("unixgram", notify)
	if err != nil {
		t.Fatal(err)
	}
	defer told.Close()
	// The shell's process becomes the program, so that its id is known before.
	cmd := exec.Command("sh", "-c", `LISTEN_PID=$$ exec "$0"`, program)
	cmd.Env = append(os.Environ(), "LISTEN_FDS=1", "NOTIFY_SOCKET="+notify, "METRICS_ADDRESS="+metrics, "HTTP_ADDRESS="+l.Addr().String())
	cmd.ExtraFiles = []*os.File{socket}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	said := make([]byte, 100)
	if n, _, err := told.ReadFrom(said); err != nil || string(said[:n]) != "READY=1" {
		t.Errorf("told systemd %q, %v", said[:n], err)
	}
	resp, err := http.Get("http://" + l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
}
