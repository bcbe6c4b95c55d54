package server

import (
	"bytes"
	"os"
	"runtime"
	"strconv"
	"strings"
)

// process writes what every service tells of its process, under the names that
// all Go clients of Prometheus use. The kernel's part (proc(5)) is Linux's.
func process(t text) {
	gauge := func(name, help string, value float64) {
		t.family(name, "gauge", help)
		t.sample(name, "", value)
	}
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	gauge("go_goroutines", "Goroutines.", float64(runtime.NumGoroutine()))
	gauge("go_memstats_heap_alloc_bytes", "Heap in use.", float64(memory.HeapAlloc))
	gauge("go_memstats_sys_bytes", "Memory that Go has from the kernel.", float64(memory.Sys))

	const ticks = 100 // USER_HZ, the same on every architecture of Linux that Go knows
	stat, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return
	}
	// The second field is the program's name in parentheses; those after it count from 3.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 22 {
		return
	}
	field := func(n int) float64 { v, _ := strconv.ParseFloat(fields[n-3], 64); return v }
	t.family("process_cpu_seconds_total", "counter", "Time on a CPU.")
	t.sample("process_cpu_seconds_total", "", (field(14)+field(15))/ticks)
	gauge("process_resident_memory_bytes", "Memory in use.", field(24)*float64(os.Getpagesize()))
	if open, err := os.ReadDir("/proc/self/fd"); err == nil {
		gauge("process_open_fds", "Open files.", float64(len(open)))
	}
	if limit, ok := after("/proc/self/limits", "Max open files"); ok {
		gauge("process_max_fds", "Files that may be open.", limit)
	}
	if boot, ok := after("/proc/stat", "btime"); ok {
		gauge("process_start_time_seconds", "When the process started.", boot+field(22)/ticks)
	}
}

// after returns the number that follows a word at the start of a line.
func after(file, word string) (float64, bool) {
	body, err := os.ReadFile(file)
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(body)) {
		if rest, ok := strings.CutPrefix(line, word); ok && len(strings.Fields(rest)) > 0 {
			v, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return v, err == nil
		}
	}
	return 0, false
}
