package service

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// limitsOf starts the process, and returns what its answer says about limits.
func limitsOf(t *testing.T, before string, environ ...string) string {
	t.Helper()
	address := listening(t, "tcp", "127.0.0.1:0")
	p := startShellAfter(t, before, []*os.File{socketFile(t, address)}, append([]string{"HTTP_ADDRESS=" + address.Addr().String()}, environ...)...)
	_, body := get(t, "http://"+address.Addr().String())
	p.signal(t, syscall.SIGTERM)
	p.exits(t, 0)
	return body
}

// TestProcessors: that GOMAXPROCS follows the unit is the work of Go itself (AllowedCPUs=
// here, and since Go 1.25 CPUQuota=), and nothing in this package is in its way.
func TestProcessors(t *testing.T) {
	if _, err := os.Stat("/usr/bin/taskset"); err != nil {
		t.Skip("taskset is not there")
	}
	if got := limitsOf(t, `taskset -p -c 0 $$ >/dev/null;`, "GOMAXPROCS="); !strings.HasSuffix(got, "processors 1") {
		t.Errorf("on one processor: %s", got)
	}
}

// TestMemoryOfGroup puts the process into a control group with a limit.
func TestMemoryOfGroup(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, to make a control group")
	}
	mount, file := "/sys/fs/cgroup", "memory.max"
	if _, err := os.Stat("/sys/fs/cgroup/memory"); err == nil {
		mount, file = "/sys/fs/cgroup/memory", "memory.limit_in_bytes"
	}
	group := filepath.Join(mount, "service-test-"+strconv.Itoa(os.Getpid()))
	if err := os.Mkdir(group, 0o755); err != nil {
		t.Skipf("no control group can be made: %v", err)
	}
	defer func() {
		if err := os.Remove(group); err != nil { // the processes in it have ended
			t.Error(err)
		}
	}()
	if err := os.WriteFile(filepath.Join(group, file), []byte(strconv.Itoa(512<<20)), 0); err != nil {
		t.Skipf("the control group has no limit of memory: %v", err)
	}
	enter := "echo $$ >" + filepath.Join(group, "cgroup.procs") + ";"
	f := func(environ string, want int64) {
		t.Helper()
		if got := limitsOf(t, enter, environ); !strings.Contains(got, fmt.Sprintf("limit %d,", want)) {
			t.Errorf("%s: %s, want %d", environ, got, want)
		}
	}
	limit := int64(512 << 20)
	f("GOMEMLIMIT=", int64(memoryShare*float64(limit)))
	f("GOMEMLIMIT=100MiB", 100<<20)
}
