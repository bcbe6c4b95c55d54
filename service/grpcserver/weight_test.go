package grpcserver

import (
	"os/exec"
	"strings"
	"testing"
)

// TestWeight holds that a service without gRPC links nothing of it.
func TestWeight(t *testing.T) {
	f := func(pkg string, want bool) {
		t.Helper()
		out, err := exec.Command("go", "list", "-deps", pkg).Output()
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(string(out), "google.golang.org/grpc"); got != want {
			t.Errorf("%s links gRPC: %v, want %v", pkg, got, want)
		}
	}
	f("github.com/kinectl/kinectl/service", false)
	f("github.com/kinectl/kinectl/service/grpcserver", true)
}
