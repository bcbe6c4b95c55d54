package packager

import (
	"io"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/version"
)

// BenchmarkDebAndRPM packs the program that KINECTL_BENCH_PROGRAM names, without
// writing the packages to a disk. bench/package measures the whole.
func BenchmarkDebAndRPM(b *testing.B) {
	program := os.Getenv("KINECTL_BENCH_PROGRAM")
	if program == "" {
		b.Skip("KINECTL_BENCH_PROGRAM names no program to pack")
	}
	v, err := version.Parse("1.0.0")
	if err != nil {
		b.Fatal(err)
	}
	p := plan.Plan{Name: "hello", Description: "x", Version: v, BuildTime: time.Unix(1700000000, 0), Package: plan.Package{Maintainer: "A <a@example.com>"}}
	c := Contents{Plan: p, Binary: program}
	for b.Loop() {
		var all sync.WaitGroup
		for _, f := range []string{"deb", "rpm"} {
			all.Go(func() {
				if err := Write(b.Context(), f, c, Options{Arch: "amd64"}, io.Discard); err != nil {
					b.Error(err)
				}
			})
		}
		all.Wait()
	}
}
