package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/kinectl/kinectl/internal/diag"
	"github.com/kinectl/kinectl/internal/infrafile"
	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/policy"
	"github.com/kinectl/kinectl/internal/resources"
	"github.com/kinectl/kinectl/internal/spec"
)

const policyPage = "https://github.com/kinectl/kinectl/blob/main/docs/policy.md"

// infraFile reads a file at the root of an infra repository, but no more of it
// than shows that it is too large. Where it is not, ok is false.
func infraFile(dir, name string) (file string, src []byte, ok bool, err error) {
	file = filepath.Join(dir, name)
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return file, nil, false, nil
	case err != nil:
		return file, nil, false, err
	case info.Size() > infrafile.MaxSize:
		return file, make([]byte, infrafile.MaxSize+1), true, nil
	}
	src, err = os.ReadFile(file)
	return file, src, err == nil, err
}

// kindsOf reads the resources that an infra repository has of its own; none
// when there is no repository.
func kindsOf(dir string) ([]spec.Resource, diag.Findings, error) {
	if dir == "" {
		return nil, nil, nil
	}
	file, src, ok, err := infraFile(dir, resources.File)
	if err != nil {
		return nil, nil, usage(fmt.Errorf("read the resources of %s: %w", dir, err), "")
	}
	if !ok {
		return nil, nil, nil
	}
	kinds, findings := resources.Read(file, src)
	return kinds, findings, nil
}

// policyOf reads the policy of an infra repository.
func policyOf(dir string) (policy.Policy, diag.Findings, error) {
	file, src, ok, err := infraFile(dir, policy.File)
	if err != nil || !ok {
		return policy.Default(), nil, err
	}
	p, findings := policy.Read(file, src)
	return p, findings, nil
}

// allowed refuses a release that asks for more than the policy of the infra
// repository opens to its group. It judges the spec that the package carries,
// which may be older than the policy, and not the checkout's.
func (a *app) allowed(p plan.Plan, infra string) error {
	findings, err := judged(p, infra)
	if err != nil || !findings.HasErrors() {
		return err
	}
	if a.json {
		a.printJSON(newReport(findings))
		return exit(exitUsage)
	}
	_ = findings.Write(a.stderr, terminal(a.stderr))
	return usage(fmt.Errorf("%s %s is not allowed on %s: %s", p.Name, p.Version, p.Group, counted(findings.Count(diag.Error), "error")), "no host was touched; what policy.yml can open: "+policyPage)
}

// forbidden is what the policy has against p in one line, for a run that goes on without
// it and has a document of its own.
func forbidden(p plan.Plan, infra string) error {
	findings, err := judged(p, infra)
	if err != nil || !findings.HasErrors() {
		return err
	}
	var against []string
	for _, f := range findings {
		if f.Severity == diag.Error {
			against = append(against, f.Message)
		}
	}
	return usage(fmt.Errorf("%s %s is not allowed on %s: %s", p.Name, p.Version, p.Group, strings.Join(against, "; ")), "what policy.yml can open: "+policyPage)
}

// judged holds the spec of p against the policy of an infra repository.
func judged(p plan.Plan, infra string) (diag.Findings, error) {
	rules, findings, err := policyOf(infra)
	if err != nil {
		return nil, usage(fmt.Errorf("read the policy of %s: %w", infra, err), "")
	}
	if findings.HasErrors() {
		return findings, nil
	}
	s, _ := spec.Parse("spec.yml of "+p.Name+" "+p.Version.String(), p.Spec)
	return policy.Check(rules, s), nil
}
