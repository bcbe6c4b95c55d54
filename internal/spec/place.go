package spec

import "github.com/kinectl/kinectl/internal/diag"

// Finding makes a finding about a place of the spec, with its excerpt, for the
// rules of other packages. The rule must be one of [Rules]. It is not safe for
// concurrent use on one Spec.
func (s *Spec) Finding(rule string, severity diag.Severity, path string, at Pos, hint, message string) diag.Finding {
	return s.finding(rule, severity, path, at, hint, message)
}
