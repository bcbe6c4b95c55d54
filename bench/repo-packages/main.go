// Command repo-packages makes the packages that bench/repo fills repositories
// with: repo-packages DIR PACKAGES MORE SHAPE FORMAT...
//
// They are what kinectl packs of a small service with a program of a few
// kilobytes, which are random, so that no two are alike. DIR/FORMAT gets
// PACKAGES of them and DIR/more/FORMAT gets MORE, which are added one by one.
// SHAPE is versions, for 20 versions of every name, or distinct, for names only.
// The same arguments give the same bytes.
package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kinectl/kinectl/internal/packager"
	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/render/unit"
	"github.com/kinectl/kinectl/internal/sbom"
	"github.com/kinectl/kinectl/internal/spec"
	"github.com/kinectl/kinectl/internal/version"
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		panic(err) // bench/repo calls this, and ends with it
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) < 5 {
		return fmt.Errorf("repo-packages: %d arguments", len(args))
	}
	packages, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	more, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	each := map[string]int{"versions": 20, "distinct": 1}[args[3]]
	if each == 0 || packages < each || packages%each != 0 {
		return fmt.Errorf("no shape %q of %d packages", args[3], packages)
	}
	m := maker{dir: args[0], formats: args[4:]}
	for _, format := range m.formats {
		if err := os.MkdirAll(filepath.Join(m.dir, "more", format), 0o755); err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Join(m.dir, format), 0o755); err != nil {
			return err
		}
	}
	var jobs []job
	for i := range packages {
		jobs = append(jobs, job{name: name(i / each), version: fmt.Sprintf("1.%d.0", i%each)})
	}
	for i := range more { // spread over the list
		next := job{name: name((i + 1) * (packages / each) / (more + 1)), version: fmt.Sprintf("2.%d.0", i), below: "more"}
		if each == 1 {
			next.name += "-next"
		}
		jobs = append(jobs, next)
	}
	return m.all(ctx, jobs)
}

// name is the name of service i. Its first letters differ as those of a team's
// services do, since repositories sort by them.
func name(i int) string {
	nouns := strings.Fields("accounts billing catalogue devices encoder films gateway history images jobs " +
		"keys live mail notes orders player queue ratings search trailers")
	return fmt.Sprintf("%s-%05d", nouns[i%len(nouns)], i)
}

type job struct{ name, version, below string }

type maker struct {
	dir     string
	formats []string
}

// all makes the packages of all jobs, on all cores.
func (m maker) all(ctx context.Context, jobs []job) error {
	var next atomic.Int64
	var workers sync.WaitGroup
	errs := make([]error, runtime.NumCPU())
	for w := range errs {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(jobs)) && errs[w] == nil; i = next.Add(1) - 1 {
				errs[w] = m.one(ctx, jobs[i], uint64(i))
			}
		})
	}
	workers.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (m maker) one(ctx context.Context, j job, number uint64) error {
	program, err := os.CreateTemp("", "repo-packages-")
	if err != nil {
		return err
	}
	defer os.Remove(program.Name())
	_, err = program.Write(programOf(number))
	if closed := program.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	p, err := planOf(j)
	if err != nil {
		return err
	}
	bill, err := sbom.Of(p, program.Name())
	if err != nil {
		return err
	}
	contents := packager.Contents{Plan: p, Rendered: unit.Files(p), Binary: program.Name(), SBOM: bill}
	for _, format := range m.formats {
		var b bytes.Buffer
		// gzip costs less than zstd to begin with, and is as good for so little.
		options := packager.Options{Arch: "amd64", Compression: "gzip"}
		if err := packager.Write(ctx, format, contents, options, &b); err != nil {
			return err
		}
		file := filepath.Join(m.dir, j.below, format, packager.Name(p, format, options))
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// programOf is a script of two lines with 4 KiB that nothing can compress.
func programOf(number uint64) []byte {
	var seed [32]byte
	binary.LittleEndian.PutUint64(seed[:], number)
	body := make([]byte, 4096)
	_, _ = rand.NewChaCha8(seed).Read(body)
	return append([]byte("#!/bin/sh\nexit 0\n"), body...)
}

func planOf(j job) (plan.Plan, error) {
	text := fmt.Sprintf(`service:
  name: %s
  group: applications
  description: The service %s, as read by the player and the site
  limits: {mem: 256M}
  resources: [postgres, redis]
  environments: |
    HTTP_ADDRESS=:8080
    LOG_LEVEL=info
    GREETING="from %s"
  required_packages: [ca-certificates, tzdata]
`, j.name, j.name, j.name)
	s, findings := spec.Parse("spec.yml", []byte(text))
	if findings.HasErrors() {
		return plan.Plan{}, fmt.Errorf("the spec of %s has %d findings", j.name, len(findings))
	}
	v, err := version.Parse(j.version)
	if err != nil {
		return plan.Plan{}, err
	}
	return plan.Build(s, plan.Facts{Version: v, BuildTime: time.Unix(1700000000, 0)}), nil
}
