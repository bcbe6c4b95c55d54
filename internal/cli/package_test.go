package cli_test

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kinectl/kinectl/internal/cli"
)

// TestPackageInterrupted cancels in the middle of a compression of many
// seconds, in which nothing is written: it must end at once all the same.
func TestPackageInterrupted(t *testing.T) {
	dir, temporary := t.TempDir(), t.TempDir()
	t.Setenv("TMPDIR", temporary)
	t.Setenv("SOURCE_DATE_EPOCH", "1700000000")
	program, spec, out := filepath.Join(dir, "program"), filepath.Join(dir, "spec.yml"), filepath.Join(dir, "dist")
	noise := make([]byte, 30<<20)
	if _, err := rand.NewChaCha8([32]byte{}).Read(noise); err != nil {
		t.Fatal(err)
	}
	for name, body := range map[string]string{
		program: "#!/bin/sh\n" + string(noise),
		spec:    "service:\n  name: my-api\n  group: applications\n  description: Films\n  limits: {mem: 1G}\n",
	} {
		if err := os.WriteFile(name, []byte(body), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var said bytes.Buffer
	code := make(chan int, 1)
	go func() {
		code <- cli.Run(ctx, "test", []string{"deb", "-f", spec, "--version", "1.2.0", "--binary", program, "--compression", "deb=xz", "-o", out}, strings.NewReader(""), io.Discard, &said)
	}()
	for { // until it packs
		if made, _ := filepath.Glob(filepath.Join(temporary, "kinectl-package-*", "*")); len(made) > 0 {
			break
		}
		select {
		case c := <-code:
			t.Fatalf("it ended with %d before it packed: %s", c, &said)
		case <-time.After(time.Millisecond):
		}
	}
	cancel()
	start := time.Now()
	select {
	case c := <-code:
		if c != 1 || !strings.Contains(said.String(), "interrupted; nothing was written") {
			t.Errorf("exit code %d: %s", c, &said)
		}
		t.Logf("ended after %v", time.Since(start))
	case <-time.After(2 * time.Second):
		t.Error("it goes on")
	}
	if err := os.Truncate(program, 0); err != nil { // which ends what still reads it
		t.Fatal(err)
	}
	for _, folder := range []string{out, temporary} {
		if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
			t.Errorf("left in %s: %v, %v", folder, left, err)
		}
	}
}
