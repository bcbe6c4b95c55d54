package service

import (
	"testing"
	"testing/fstest"
)

func TestMemoryLimit(t *testing.T) {
	f := func(want int64, files ...string) {
		t.Helper()
		root := fstest.MapFS{}
		for i := 0; i < len(files); i += 2 {
			root[files[i]] = &fstest.MapFile{Data: []byte(files[i+1] + "\n")}
		}
		if got := memoryLimit(root); got != want {
			t.Errorf("%q: %d, want %d", files, got, want)
		}
	}
	const group, films, slice = "proc/self/cgroup", "sys/fs/cgroup/system.slice/films.service/", "sys/fs/cgroup/system.slice/"
	f(0)
	f(0, group, "0::/system.slice/films.service")
	f(0, group, "0::/system.slice/films.service", films+"memory.max", "max", films+"memory.high", "max")
	f(900, group, "0::/system.slice/films.service", films+"memory.max", "1000", films+"memory.high", "max")
	f(450, group, "0::/system.slice/films.service", films+"memory.max", "1000", films+"memory.high", "500")
	f(180, group, "0::/system.slice/films.service", films+"memory.max", "1000", slice+"memory.max", "200")
	f(90, group, "0::/", "sys/fs/cgroup/memory.max", "100") // in a container
	f(90, group, "0::/../elsewhere", "sys/fs/cgroup/memory.max", "100")
	f(900, group, "12:cpu,cpuacct:/x\n5:memory:/system.slice/films.service\n0::/x", "sys/fs/cgroup/memory/system.slice/films.service/memory.limit_in_bytes", "1000",
		"sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712")
	f(0, group, "5:memory:/x", "sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712")
	f(0, group, "no cgroup", "sys/fs/cgroup/memory.max", "100")
}
