package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// metrics answers in the text format of Prometheus (version 0.0.4), with the
// names that every Go client uses.
type metrics struct {
	start    time.Time
	requests atomic.Int64
}

// count counts the requests that h answers.
func (m *metrics) count(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.requests.Add(1)
		h.ServeHTTP(w, r)
	})
}

func (m *metrics) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	metric := func(kind, name, labels string, value float64) {
		fmt.Fprintf(w, "# TYPE %s %s\n%s%s %s\n", name, kind, name, labels, strconv.FormatFloat(value, 'g', -1, 64))
	}
	metric("gauge", "build_info", fmt.Sprintf("{name=%q,version=%q,revision=%q,build_time=%q,go_version=%q}",
		name, version, revision, buildTime, runtime.Version()), 1)
	metric("counter", "http_requests_total", "", float64(m.requests.Load()))

	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	metric("gauge", "go_goroutines", "", float64(runtime.NumGoroutine()))
	metric("gauge", "go_memstats_heap_alloc_bytes", "", float64(mem.HeapAlloc))
	metric("gauge", "go_memstats_sys_bytes", "", float64(mem.Sys))
	metric("counter", "go_gc_cycles_total", "", float64(mem.NumGC))
	process(metric)
}

// process adds what the kernel knows (proc(5)); elsewhere than on Linux that
// is nothing.
func process(metric func(kind, name, labels string, value float64)) {
	const ticks = 100 // USER_HZ, the same on every architecture of Linux that Go knows
	stat, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return
	}
	// The second field is the program's name in parentheses; count after it.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 22 {
		return
	}
	field := func(n int) float64 { v, _ := strconv.ParseFloat(fields[n-3], 64); return v }
	metric("counter", "process_cpu_seconds_total", "", (field(14)+field(15))/ticks)
	metric("gauge", "process_virtual_memory_bytes", "", field(23))
	metric("gauge", "process_resident_memory_bytes", "", field(24)*float64(os.Getpagesize()))
	if open, err := os.ReadDir("/proc/self/fd"); err == nil {
		metric("gauge", "process_open_fds", "", float64(len(open)))
	}
	if limit, ok := after("/proc/self/limits", "Max open files"); ok {
		metric("gauge", "process_max_fds", "", limit)
	}
	if boot, ok := after("/proc/stat", "btime"); ok {
		metric("gauge", "process_start_time_seconds", "", boot+field(22)/ticks)
	}
}

// after returns the number that follows a word at the start of a line.
func after(file, word string) (float64, bool) {
	f, err := os.Open(file)
	if err != nil {
		return 0, false
	}
	defer f.Close()
	text, _ := io.ReadAll(f)
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, word); ok && len(strings.Fields(rest)) > 0 {
			v, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return v, err == nil
		}
	}
	return 0, false
}
