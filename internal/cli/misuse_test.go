package cli

import (
	"strings"
	"testing"
)

// TestMisuse holds that a wrong command line is refused in our words, not in cobra's.
func TestMisuse(t *testing.T) {
	f := func(line, want, hint string) {
		t.Helper()
		var out, errs strings.Builder
		code := Run(t.Context(), "test", strings.Fields(line), strings.NewReader(""), &out, &errs)
		if text := errs.String(); code != 2 || text != "error: "+want+"\nhint: "+hint+"\n" {
			t.Errorf("%s: exit code %d\n%s", line, code, text)
		}
	}
	f("init", "kinectl init is called as: kinectl init [--infra] DIR", "see `kinectl init --help`")
	f("lab exec h1", "kinectl lab exec is called as: kinectl lab exec HOST -- COMMAND [ARG…]", "see `kinectl lab exec --help`")
	f("vault lint a b", "kinectl vault lint is called as: kinectl vault lint [DIR]", "see `kinectl vault lint --help`")
	f("render", "--output is missing", "--output: folder for the files; made if needed")
	f("init --infra --template job x", "--infra and --template do not go together", "leave one of them out; see `kinectl init --help`")
	f("logs -n x", `--lines cannot be "x"`, "--lines: the newest so many lines of all hosts together; 0 for all (with --since: 0)")
	f("deploy --wait soon", `--wait cannot be "soon"`, "--wait: while another release, or a freeze, is in the way: try again for so long, like 10m")
	f("deploy --env", "--env needs a value", "--env: environment: a folder of inventories/ in the infra repository ($KINECTL_ENV)")
	f("lint -f", "-f needs a value", "--file: spec to check, or folder of specs; may be repeated (default spec.yml)")
	f("deploy --vresion 1", "unknown flag: --vresion", "see `kinectl deploy --help`")
	f("deploy now", `unknown command "now" for "kinectl deploy"`, "see `kinectl deploy --help`")
}
