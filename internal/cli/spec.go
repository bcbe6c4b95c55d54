package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/kinectl/kinectl/internal/diag"
	"github.com/kinectl/kinectl/internal/facts"
	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/spec"
)

// report is what --json shows of findings.
type report struct {
	Findings diag.Findings `json:"findings"`
	Errors   int           `json:"errors"`
	Warnings int           `json:"warnings"`
	Notes    int           `json:"notes"`
}

func newReport(findings diag.Findings) report {
	if findings == nil {
		findings = diag.Findings{} // [] in JSON, not null
	}
	return report{findings, findings.Count(diag.Error), findings.Count(diag.Warning), findings.Count(diag.Note)}
}

// source reads a spec's file, but no more of it than shows that it is too
// large.
func source(path string) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, usage(err, "name the spec with -f, or make a service with `kinectl init DIR`")
	}
	if err != nil {
		return nil, usage(err, "")
	}
	defer f.Close()
	src, err := io.ReadAll(io.LimitReader(f, spec.MaxSize+1))
	if err != nil {
		return nil, usage(err, "") // names the path, as for a folder
	}
	return src, nil
}

// readSpec reads and checks the spec of a verb that works with it. Findings
// go to standard error; with an error among them the verb ends with code 2.
func (a *app) readSpec(path string) (*spec.Spec, error) { return a.readSpecBy(spec.Check, path) }

// readSpecBy is readSpec with another idea of what is wrong: [spec.Parse] leaves the
// rules of lint out.
func (a *app) readSpecBy(check func(string, []byte) (*spec.Spec, diag.Findings), path string) (*spec.Spec, error) {
	src, err := source(path)
	if err != nil {
		return nil, err
	}
	s, findings := check(path, src)
	if a.json {
		if findings.HasErrors() {
			a.printJSON(newReport(findings))
			return nil, exit(exitUsage)
		}
		return s, nil
	}
	// What is only to be known is lint's to tell.
	told := slices.DeleteFunc(slices.Clone(findings), func(f diag.Finding) bool { return f.Severity == diag.Note })
	_ = told.Write(a.stderr, terminal(a.stderr))
	if findings.HasErrors() {
		return nil, usage(fmt.Errorf("%s has %s", path, counted(findings.Count(diag.Error), "error")), "")
	}
	return s, nil
}

// plan reads the spec and settles the plan of one version of it, which is
// git's when label is "".
func (a *app) plan(specFile, label string) (plan.Plan, facts.Facts, error) {
	s, err := a.readSpec(specFile)
	if err != nil {
		return plan.Plan{}, facts.Facts{}, err
	}
	v, err := wantedVersion(label, specFile)
	if err != nil {
		return plan.Plan{}, facts.Facts{}, err
	}
	f, err := facts.Of(specFile)
	if err != nil {
		return plan.Plan{}, f, failed(err, "")
	}
	return plan.Build(s, plan.Facts{Version: v, BuildTime: f.BuildTime}), f, nil
}

// counted writes a number with its noun: "1 error", "2 errors".
func counted(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}
