package unit

import (
	"strings"
	"testing"

	"github.com/kinectl/kinectl/internal/plan"
)

func TestText(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		if got := text(in); got != want {
			t.Errorf("text(%q) = %q, want %q", in, got, want)
		}
	}
	f("plain", "plain")
	f("100%H $HOME", "100%%H $HOME")
	f("x\nUser=root", "x User=root")
	f("x\r\x00y\u2028z", "x  y z")
	f(`ends in \`, `ends in \ `)
	f("größe \"x\" 'y'", "größe \"x\" 'y'")
	f("no \xff UTF-8, \ufffd is some", "no   UTF-8, \ufffd is some")
}

func TestCommand(t *testing.T) {
	f := func(want string, in ...string) {
		t.Helper()
		if got := command(plan.Line(in...)); got != want {
			t.Errorf("command(%q) = %q, want %q", in, got, want)
		}
	}
	f("/usr/bin/hello", "/usr/bin/hello")
	f("/usr/bin/my-api --listen=127.0.0.1:80,x", "/usr/bin/my-api", "--listen=127.0.0.1:80,x")
	f(`/usr/bin/x "$$HOME" "%%h"`, "/usr/bin/x", "$HOME", "%h")
	f(`/usr/bin/x "a\"b" "c\\d" ";" ""`, "/usr/bin/x", `a"b`, `c\d`, ";", "")
	f(`/usr/bin/x "two words" " around "`, "/usr/bin/x", "two words", " around ")
	f(`"/usr/bin/x\x0aExecStartPre=/bin/sh"`, "/usr/bin/x\nExecStartPre=/bin/sh")
	f(`/+/usr/bin/x`, "+/usr/bin/x")
	f(`"/!/usr/bin/x"`, "!/usr/bin/x")
	if got := command(plan.Command{{{Literal: "/x"}}, {{Literal: "--a=$"}, {Variable: "A"}, {Literal: "%"}}}); got != `/x "--a=$$${A}%%"` {
		t.Errorf("a variable: %s", got)
	}
}

// hostile are words that try to leave their line, their directive or their
// quotes.
func hostile() []string {
	return []string{
		"plain", "100% of %H %i %% %", "$HOME ${HOME} $$ $", "$", "${", "a$${HOME}", `"`, `'`, `it's "quoted`, `\`, `\\`, `\x41 \n \t \u00e9`, `ends in \`,
		";", " ; ", "; comment", "# comment", "x\nExecStartPre=/bin/false", "x\r\n[Service]\nUser=root", "\n\nUser=root\n", "x\x00y", "\x00", "\x01\x1b[2J\x7f", "\t", " ", "  two  blanks  ",
		"[Unit]", "Größe 世界 🚀", "a=b=c", "\u2028ExecStart=/x", "\u0085", "\ufeffx", "\xff\xfe", "\ufffd", "e\u0301",
		"@/bin/sh", "-/bin/sh", "+/bin/sh", "!/bin/sh", "!!/bin/sh", ":/bin/sh", "|/bin/sh", "~x", "*", "`id`", "$(id)", "|", "&&", ">", "<", "{a,b}",
		`\` + "\n", `x\` + "\nUser=root", "%\n", "%%n", `""`, `''`, `\"`, `\'`, `"a" b`, "--a=\"b c\"", strings.Repeat("long ", 40), strings.Repeat("x", 5000),
	}
}
