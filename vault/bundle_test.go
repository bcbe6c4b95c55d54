package vault

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestParseBundle(t *testing.T) {
	f := func(text string, want map[string]string) {
		t.Helper()
		got, err := ParseBundle([]byte(text))
		if err != nil || !maps.Equal(got, want) {
			t.Errorf("%q: %q, %v, want %q", text, got, err, want)
		}
	}
	one := func(value string) map[string]string { return map[string]string{"A": value} }
	f("", map[string]string{})
	f("\n \t\n# comment\n; another\n  # indented\n", map[string]string{})
	f("A=1\nB_2=x=y\r\n_c=\n", map[string]string{"A": "1", "B_2": "x=y", "_c": ""})
	f("  A =  1 2  ", one("1 2"))
	f("A=1 # no comment", one("1 # no comment"))
	f(`A="a 'b' # c"`, one(`a 'b' # c`))
	f(`A='a "b" \ $c'`, one(`a "b" \ $c`))
	f("A=\"two\nlines\"\n", one("two\nlines"))
	f("A='two\nlines'\n", one("two\nlines"))
	f(`A="\"\\\`+"`"+`\$\n"`, one("\"\\`$\\n"))
	f("A=\"go\\\non\"", one("goon"))
	f(`A=a\ \"b\\c\n`, one(`a "b\cn`))
	f("A=go\\\non", one("goon"))
	f("A=x \\\n", one("x "))
	f(`A='a'"b"c"d"`, one(`abc"d"`))
	f(`A=it's`, one("it's"))
	f(`A=''`, one(""))
	f(`A=größe 世界`, one("größe 世界"))
	f(`A='x'   `, one("x"))
	f("A=\"x\r\ny\r\"\r\n", one("x\r\ny\r"))
	f("A='x\r\ny'\r\n", one("x\r\ny"))
	f("A=\"x\\\r\ny\"", one("x\\\r\ny"))
	f("\rA=1 \rB=\r\rC='2' \r", map[string]string{"A": "1", "B": "", "C": "2"})
	f("A=go\\\ron", one("goon"))
	f("# c\r; d\\x\\\\\rA=1", one("1"))
}

func TestBundleFaults(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		if got, err := ParseBundle([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("%q: %q, %v, want %q", text, got, err, want)
		}
	}
	f("A=1\n\nB\n", "line 3: it has no =")
	f("A", "line 1: it has no =")
	f("=1", "line 1: nothing stands before =")
	f("export A=1", "line 1: what stands before = is not the name of a variable")
	f("1A=1", "line 1: what stands before = is not the name of a variable")
	f("Ä=1", "line 1: what stands before = is not the name of a variable")
	f("A='x\ny\nB=2", "line 1: a quote is not closed")
	f("# c\nA=\"x", "line 2: a quote is not closed")
	f("A='x' y", "line 1: there is text after a closing quote")
	f("A='x' 'y'", "line 1: there is text after a closing quote")
	f(`A=x\`, "line 1: nothing stands after a backslash")
	f("A=x\\\r\ny\r\n", "line 1: a backslash stands before a line end of Windows: for systemd the value ends there")
	f("A\r=1", "line 1: it has no =")
	for _, end := range []string{"\n", "\r", "\r\n", ""} {
		f("A=1\n# c \\"+end, "line 2: a comment ends in a backslash: systemd would take the next line for a part of it")
		f("\n\n  ; c \\\\\\"+end, "line 3: a comment ends in a backslash: systemd would take the next line for a part of it")
	}
	f("A='1\n2'\nA=2", "line 3: A is there twice")
	f("VAULT_BUNDLE_X=A", "line 1: VAULT_BUNDLE_X must not be in a bundle")
	f("SKIP_DECRYPT=true", "line 1: SKIP_DECRYPT must not be in a bundle")
	f("VAULT_PASSWORD_FILE=/x", "line 1: VAULT_PASSWORD_FILE must not be in a bundle")
	f("A=$ANSIBLE_VAULT;1.1;AES256", "line 1: the value of A is itself encrypted")
	f("A=\x00", "a bundle must be UTF-8 without NUL bytes")
	f("A=\xff", "a bundle must be UTF-8 without NUL bytes")
}

// generator is systemd's own reader of such lines that runs without a booted systemd (see
// systemd-environment-d-generator(8)). It expands $NAME afterwards and leaves out empty values, so
// there are none here.
const generator = "/usr/lib/systemd/user-environment-generators/30-systemd-environment-d-generator"

// TestBundleAsSystemd compares with what systemd makes of the same lines.
func TestBundleAsSystemd(t *testing.T) {
	program := require(t, generator, "bundles were not compared with systemd's reader")
	var text strings.Builder
	values := []string{
		`1`, `x=y`, `  1 2  `, `1 # no comment`, `"a 'b' # c"`, `'a "b" \ c'`, "\"two\nlines\"", "'two\nlines'", `"\"\\\` + "`" + `\n\t"`,
		"\"go\\\non\"", `a\ \"b\\c\n`, "go\\\non", "x \\\n", "x \\\n  y  ", `'a'"b"c"d"`, `it's`, `größe 世界`, `'x'   `, "tab\tin", `\ x\ `, `'a'b"c`, `"a"\"`, `a;b#c`, `\'a`,
		"\"a\r\nb\rc\"", "'a\r\nb\rc'", "\"a\\\r\nb\\\rc\"", "'a\\\r\nb'", "go\\\ron", "x \\\r y ", "a\r", "'a'\r", "\"a\" \t\r\r", "\t a \r",
	}
	for i, value := range values {
		end := []string{"\n", "\r", "\r\n"}[i%3]
		fmt.Fprintf(&text, "# comment \\x%s  ; another \\\\%sKINECTL_TEST_%d = %s%s", end, end, i, value, end)
	}
	want := systemdReads(t, program, text.String())
	got, err := ParseBundle([]byte(text.String()))
	if err != nil || len(want) != len(values) || len(got) != len(values) {
		t.Fatalf("%d variables of systemd, %d here, %v", len(want), len(got), err)
	}
	for name := range want {
		if got[name] != want[name] {
			t.Errorf("%s: %q, systemd reads %q", name, got[name], want[name])
		}
	}

	// What is refused here is what systemd reads in another way than it looks.
	f := func(text string, want map[string]string) {
		t.Helper()
		if got := systemdReads(t, program, text); !maps.Equal(got, want) {
			t.Errorf("%q: systemd reads %q, want %q", text, got, want)
		}
		if got, err := ParseBundle([]byte(text)); err == nil {
			t.Errorf("%q is no error: %q", text, got)
		}
	}
	f("# c \\\nKINECTL_TEST_A=1\nKINECTL_TEST_B=2\n", map[string]string{"KINECTL_TEST_B": "2"})
	f("; c \\\rKINECTL_TEST_A=1\nKINECTL_TEST_B=2\n", map[string]string{"KINECTL_TEST_B": "2"})
	f("KINECTL_TEST_A=go\\\r\non\n", map[string]string{"KINECTL_TEST_A": "go"})
}

// systemdReads gives the variables of a bundle as systemd reads them.
func systemdReads(t *testing.T, program, text string) map[string]string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "environment.d"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "environment.d", "a.conf"), text)
	cmd := exec.Command(program)
	cmd.Env = []string{"XDG_CONFIG_HOME=" + dir}
	// It writes a variable a line, in double quotes and with escapes where a value needs them.
	escapes := strings.NewReplacer(`\n`, "\n", `\r`, "\r", `\t`, "\t", `\\`, `\`, `\"`, `"`, `\$`, "$", "\\`", "`")
	all := variablesOf(strings.Split(strings.TrimSpace(run(t, cmd)), "\n"))
	for name, value := range all {
		if !strings.HasPrefix(name, "KINECTL_TEST_") {
			delete(all, name)
			continue
		}
		if inner, ok := strings.CutPrefix(value, `"`); ok {
			all[name] = escapes.Replace(strings.TrimSuffix(inner, `"`))
		}
	}
	return all
}
