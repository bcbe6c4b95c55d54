package service

import (
	"io/fs"
	"math"
	"path"
	"strconv"
	"strings"
)

// memoryShare of the unit's limit is Go's: the rest is for what the garbage collector
// does not count, so that it works harder before the kernel kills.
const memoryShare = 0.9

// memoryLimit is what GOMEMLIMIT should be in this process's control group, in
// bytes, or 0 where no limit is set. root is the file system from its root. The limit of a
// group holds for all below it, so the smallest on the way up counts. See
// memory.max and memory.high in the kernel's cgroup-v2 document, and memory.limit_in_bytes in
// that of version 1.
//
// GOMAXPROCS needs no such care: since 1.25 Go itself follows the group's cpu.max.
func memoryLimit(root fs.FS) int64 {
	groups, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return 0
	}
	smallest := int64(math.MaxInt64)
	for line := range strings.Lines(string(groups)) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3) // hierarchy, controllers, path: cgroups(7)
		if len(fields) != 3 {
			continue
		}
		var mount string
		var files []string
		switch {
		case fields[0] == "0" && fields[1] == "":
			mount, files = "sys/fs/cgroup", []string{"memory.max", "memory.high"}
		case strings.Contains(","+fields[1]+",", ",memory,"):
			mount, files = "sys/fs/cgroup/memory", []string{"memory.limit_in_bytes"}
		default:
			continue
		}
		for group := path.Clean("/" + fields[2]); ; group = path.Dir(group) {
			for _, file := range files {
				smallest = min(smallest, limitIn(root, path.Join(mount, group, file)))
			}
			if group == "/" {
				break
			}
		}
	}
	if smallest >= 1<<60 { // version 1 says "none" with a number near the largest
		return 0
	}
	return int64(float64(smallest) * memoryShare)
}

// limitIn reads a number of bytes; what is no number, like "max", is no limit.
func limitIn(root fs.FS, file string) int64 {
	text, err := fs.ReadFile(root, file)
	if err != nil {
		return math.MaxInt64
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil || n <= 0 {
		return math.MaxInt64
	}
	return n
}
