package e2e

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/kinectl/kinectl/internal/plan"
)

// hostile are words that try to leave their line, their directive or their
// quotes: some that people thought of, and some of a die that always falls
// alike, thrown for the characters that mean something to systemd.
func hostile() []string {
	words := []string{
		"", " ", "  two  blanks  ", "\t", "x\nExecStartPre=/bin/false", "x\r\n[Service]\nUser=root\n", "[Unit]", "\x01\x1b[2J\x7f",
		"100% of %H %i %% %n", "%", "%%", "$HOME ${HOME} $$ $", "$", "${", "${}", "$${HOME}", "`id`", "$(id)",
		`"`, `'`, `""`, `it's "quoted`, `\`, `\\`, `\\\`, `\x41 \n \t \u00e9 \101`, `ends in \`, `\"`, "\\\n", "x\\\nUser=root",
		";", " ; ", "; comment", "# comment", "a=b=c", "|", "&&", "<", "*", "~", "{a,b}",
		"@/bin/sh", "-/bin/sh", "+/bin/sh", "!/bin/sh", "!!/bin/sh", ":/bin/sh", "|/bin/sh",
		"Größe 世界 🚀", "\u2028ExecStart=/x", "\u0085", "\ufeffx", "\ufffd", "e\u0301", strings.Repeat("long ", 2000),
	}
	alphabet := []rune("a %$\"'\\;#=\n\r\t{}[]@-+!:|~HOMEhin0x世\u2028\x7f")
	die := rand.New(rand.NewPCG(3, 252))
	for range 200 {
		word := make([]rune, 1+die.IntN(20))
		for i := range word {
			word[i] = alphabet[die.IntN(len(alphabet))]
		}
		words = append(words, string(word))
	}
	return words
}

// properties returns all that systemd knows of a service, by GetAll of the bus.
func (f *fixture) properties(t *testing.T, host string, names []string) []map[string]any {
	t.Helper()
	out := f.sh(t, host, `for n in `+strings.Join(names, " ")+`; do
		busctl --json=short call org.freedesktop.systemd1 "/org/freedesktop/systemd1/unit/${n}_2eservice" org.freedesktop.DBus.Properties GetAll s ''
	done`)
	var all []map[string]any
	for line := range strings.Lines(out) {
		var reply struct {
			Data []map[string]struct{ Data any }
		}
		if err := json.Unmarshal([]byte(line), &reply); err != nil || len(reply.Data) != 1 {
			t.Fatalf("%v: %.300s", err, line)
		}
		values := map[string]any{}
		for name, v := range reply.Data[0] {
			values[name] = v.Data
		}
		all = append(all, values)
	}
	if len(all) != len(names) {
		t.Fatalf("%d units of %d", len(all), len(names))
	}
	return all
}

// unchanged are the properties that no word may touch, as JSON, without the
// unit's number in its name and in an order of their own.
func unchanged(t *testing.T, properties map[string]any) map[string]string {
	t.Helper()
	meant := regexp.MustCompile(`^(ExecStart|ExecStartEx|ExecStop|ExecStopEx|Description|.*Timestamp.*)$`)
	numbered := regexp.MustCompile(`hostile[0-9]+`)
	rest := map[string]string{}
	for name, v := range properties {
		if meant.MatchString(name) {
			continue
		}
		if list, ok := v.([]any); ok {
			slices.SortFunc(list, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		}
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		rest[name] = numbered.ReplaceAllString(string(b), "hostile")
	}
	return rest
}

// TestHostileUnits lets systemd read units full of hostile words, and tell
// them back: each word must be where it was meant to be, to the letter, and
// nothing else may differ from a unit without any.
func TestHostileUnits(t *testing.T) {
	words := hostile()
	p := planned(t, "service:\n  name: hostile\n  group: apps\n  description: Plain\n  state: true\n  security: {allow: [write: [/srv/x]]}\n")
	plans, names := []plan.Plan{p}, []string{p.Name}
	for i, word := range words {
		q := p
		q.Name = fmt.Sprintf("hostile%d", i)
		q.Description = word
		q.Unit.Start = plan.Line("/usr/bin/"+q.Name, word, words[(i+1)%len(words)]+word, "last")
		q.Unit.Stop = plan.Line("/usr/bin/"+q.Name, word)
		plans, names = append(plans, q), append(names, q.Name)
	}
	road.installed(t, "h1", "#!/bin/sh\n", "", plans...)

	got := road.properties(t, "h1", names)
	plain := unchanged(t, got[0])
	if plain["ReadWritePaths"] != `["/srv/x"]` || plain["User"] != `"hostile"` || len(plain) < 200 {
		t.Fatalf("these are not the properties of a service: %v", plain)
	}
	for i, word := range words {
		unit := got[i+1]
		rest := unchanged(t, unit)
		for name := range rest {
			if rest[name] != plain[name] {
				t.Errorf("%q changes %s to %s, from %s", word, name, rest[name], plain[name])
			}
		}
		argv := func(key string) any { return unit[key].([]any)[0].([]any)[1] }
		path := "/usr/bin/" + names[i+1]
		// systemd keeps $$ until it starts the program.
		kept := func(s string) string { return strings.ReplaceAll(s, "$", "$$") }
		if want := []any{path, kept(word), kept(words[(i+1)%len(words)] + word), "last"}; !reflect.DeepEqual(argv("ExecStart"), want) {
			t.Errorf("ExecStart of %q is %q", word, argv("ExecStart"))
		}
		if want := []any{path, kept(word)}; !reflect.DeepEqual(argv("ExecStop"), want) {
			t.Errorf("ExecStop of %q is %q", word, argv("ExecStop"))
		}
		blanks := strings.NewReplacer("\n", " ", "\r", " ", "\t", " ", "\x01", " ", "\x1b", " ", "\x7f", " ", "\u0085", " ", "\u2028", " ")
		want := strings.TrimSpace(blanks.Replace(word))
		if want == "" {
			want = names[i+1] + ".service" // what systemd says of a unit without a description
		}
		if unit["Description"] != want {
			t.Errorf("the description of %q is %q", word, unit["Description"])
		}
	}
}

// TestHostileArguments starts a program with hostile words, and with variables
// whose values are hostile: it gets each to the letter.
func TestHostileArguments(t *testing.T) {
	p := planned(t, "service:\n  name: heard\n  group: apps\n  description: Listens\n  state: true\n")
	p.Unit.Start = plan.Line("/usr/bin/heard")
	var want []string
	var environment strings.Builder
	escape := strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`, "`", "\\`")
	for i, word := range hostile() {
		name := fmt.Sprintf("V%d", i)
		p.Unit.Start = append(p.Unit.Start, plan.Word{{Literal: word}})
		want = append(want, word)
		if strings.ContainsAny(word, "\x01\x1b\x7f\r") {
			continue // systemd takes no such value from a file
		}
		fmt.Fprintf(&environment, "%s=\"%s\"\n", name, escape.Replace(word))
		p.Unit.Start = append(p.Unit.Start, plan.Word{{Variable: name}}, plan.Word{{Literal: "$"}, {Variable: name}, {Literal: word}, {Variable: "NOT_SET"}})
		want = append(want, word, "$"+word+word)
	}
	const program = "#!/bin/sh\nfor word; do printf '%s\\0' \"$word\"; done >/var/lib/heard/argv && mv /var/lib/heard/argv /var/lib/heard/all && exec sleep 1000\n"
	road.installed(t, "h1", program, environment.String(), p)
	t.Cleanup(func() { road.sh(t, "h1", `rm -rf /var/lib/heard`) })
	road.sh(t, "h1", `systemctl start heard`)
	road.await(t, "h1", `test -e /var/lib/heard/all`)
	raw, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(road.sh(t, "h1", `base64 /var/lib/heard/all`), "\n", ""))
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Split(strings.TrimSuffix(string(raw), "\x00"), "\x00")
	if len(got) != len(want) {
		t.Fatalf("the program got %d words, not %d", len(got), len(want))
	}
	for i, w := range want {
		if got[i] != w {
			t.Errorf("word %d is %q, want %q", i, got[i], w)
		}
	}
}
