package packager_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/kinectl/kinectl/internal/build"
	"github.com/kinectl/kinectl/internal/packager"
	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/sbom"
	"github.com/kinectl/kinectl/internal/version"
)

// TestReproducibleFromSource builds, lists and packs an example twice, each
// time from another copy of its source; in the full check, with an empty cache.
func TestReproducibleFromSource(t *testing.T) {
	v, err := version.Parse("v1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	p := plan.Plan{
		Name: "hello", Group: "applications", Description: "Answers", Version: v, BuildTime: time.Unix(1700000000, 0).UTC(),
		Program: plan.Program{Main: "services/hello", Archs: []string{"arm64"}},
		Package: plan.Package{Maintainer: "Applications <applications@example.com>", License: "proprietary"},
	}
	sums := func(cache string) (all [4]string) {
		// A path of another length each time.
		tree := filepath.Join(t.TempDir(), cache)
		for _, name := range []string{"services", "go.mod", "go.sum"} {
			copyTree(t, filepath.Join("../..", name), filepath.Join(tree, name))
		}
		if os.Getenv("KINECTL_E2E") == "required" { // it takes half a minute
			t.Setenv("GOCACHE", filepath.Join(t.TempDir(), cache))
		}
		program, cleanup, err := build.Program(t.Context(), p, build.Options{Dir: tree, Arch: "arm64", Revision: "abc"})
		if err != nil {
			t.Fatal(err)
		}
		defer cleanup()
		bill, err := sbom.Of(p, program)
		if err != nil {
			t.Fatal(err)
		}
		for i, format := range packager.Formats() {
			h := sha256.New()
			if err := packager.Write(t.Context(), format, packager.Contents{Plan: p, Binary: program, SBOM: bill}, packager.Options{Arch: "arm64"}, h); err != nil {
				t.Fatal(err)
			}
			all[i] = fmt.Sprintf("%x", h.Sum(nil))
		}
		return all
	}
	if a, b := sums("one"), sums("another"); a != b {
		t.Errorf("two copies of one source give\n%v\n%v", a, b)
	}
}

func copyTree(t *testing.T, from, to string) {
	t.Helper()
	info, err := os.Stat(from)
	if err != nil {
		t.Fatal(err)
	}
	if info.IsDir() {
		err = os.CopyFS(to, os.DirFS(from))
	} else {
		var body []byte
		if body, err = os.ReadFile(from); err == nil {
			err = os.WriteFile(to, body, 0o644)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}
