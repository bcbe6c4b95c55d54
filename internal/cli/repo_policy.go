package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/kinectl/kinectl/internal/diag"
	"github.com/kinectl/kinectl/internal/policy"
	"github.com/kinectl/kinectl/internal/repo"
	"github.com/kinectl/kinectl/internal/spec"
)

// publishable refuses packages whose own specs ask for more than the policy of an
// infra repository opens to their groups: all of them by name, before anything is
// published. A package without a spec is not of kinectl, and asks for nothing.
func (a *app) publishable(ctx context.Context, infra string, files []string) error {
	rules, findings, err := policyOf(infra)
	if err != nil {
		return usage(fmt.Errorf("read the policy of %s: %w", infra, err), "")
	}
	if !findings.HasErrors() {
		carried, err := repo.CarriedSpecs(ctx, files)
		if errors.Is(err, repo.ErrRefused) {
			return failed(err, "nothing was changed; mend or leave out what is named")
		}
		if err != nil {
			return failed(err, "")
		}
		for _, c := range carried {
			s, wrong := spec.Parse("spec.yml of "+c.File, c.Spec)
			if wrong.HasErrors() { // a policy cannot judge what it cannot read
				findings = append(findings, wrong...)
				continue
			}
			findings = append(findings, policy.Check(rules, s)...)
		}
	}
	if !findings.HasErrors() {
		return nil
	}
	if a.json {
		a.printJSON(newReport(findings))
		return exit(exitUsage)
	}
	_ = findings.Write(a.stderr, terminal(a.stderr))
	return usage(fmt.Errorf("not published: %s against the policy of %s", counted(findings.Count(diag.Error), "error"), infra),
		"nothing was changed; what policy.yml can open: "+policyPage)
}
