package release

import (
	"fmt"
	"strings"
	"testing"
)

// TestFaults reads what ansible-core 2.14 prints.
func TestFaults(t *testing.T) {
	const output = `
PLAY [all] *********************************************************************

TASK [Log in] ******************************************************************
fatal: [h3]: UNREACHABLE! => {"changed": false, "msg": "no route", "unreachable": true}
...ignoring
fatal: [h4]: FAILED! => {"changed": true, "msg": "non-zero return code", "rc": 1, "stderr": "sudo: no"}
...ignoring

TASK [base : Rescued] **********************************************************
fatal: [h4]: FAILED! => {"msg": "rescued"}

TASK [base : Keys] *************************************************************
skipping: [h4] => (item=a) 
failed: [h1] (item=a) => {"item": "a", "msg": "first"}
failed: [h1] (item={'x': 1}) => {"item": "b", "msg": "non-zero return code", "stderr": "bad\nkey", "stdout": "to b"}
ok: [h4] => {
    "msg": "fatal: [h4]: FAILED! => {"
}

TASK [See that somebody may log in] ********************************************
fatal: [h2]: FAILED! => {
    "assertion": "1 == 2",
    "msg": "nobody has a key"
}

RUNNING HANDLER [base : Restart] ***********************************************
fatal: [h3 -> h9(192.0.2.9)]: FAILED! => {"msg": "'x' is undefined\n\nThe error appears to be in 'site.yml': line 3"}
fatal: [h5]: FAILED! => not to be read
fatal: [h6]: UNREACHABLE! => {"changed": false, "msg": "Failed to connect", "unreachable": true}

PLAY RECAP *********************************************************************
h1 : ok=3    changed=2    unreachable=0    failed=1
h2 : ok=3    changed=0    unreachable=0    failed=1
h3 : ok=3    changed=0    unreachable=1    failed=1
h4 : ok=3    changed=0    unreachable=0    failed=0
h6 : ok=0    changed=0    unreachable=1    failed=0
`
	const want = "{h4 base : Rescued rescued}{h1 base : Keys non-zero return code to b bad key}{h2 See that somebody may log in nobody has a key}" +
		"{h3 base : Restart 'x' is undefined}{h6 base : Restart Failed to connect}"
	if got := strings.ReplaceAll(strings.Trim(fmt.Sprint(faults(output)), "[]"), "} {", "}{"); got != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
	hosts := recap(output)
	if got := explain(hosts, output); got != "h1: base : Keys: non-zero return code to b bad key (and 3 more)" {
		t.Error(got)
	}
	if h := hosts[1]; h.Task != "See that somebody may log in" || h.Reason != "nobody has a key" || hosts[3].Reason != "" {
		t.Errorf("%+v", hosts)
	}
	if got := explain(nil, "ERROR! no\n"+output); got != "" {
		t.Error(got)
	}
	long := faults("TASK [a] ***\nfatal: [h]: FAILED! => {\"msg\": \"" + strings.Repeat("é", 1000) + "\"}\n")
	if n := len([]rune(long[0].reason)); n != longestReason+1 {
		t.Errorf("a reason of %d runes", n)
	}
}
