package release

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/kinectl/kinectl/internal/lazyregexp"
	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/vault"
)

// ErrPlain is wrapped by errors about secrets that would come to a host in
// plain text. Their message names variables and hosts, never a value.
var ErrPlain = errors.New("a secret must be encrypted")

// secrets is what this program keeps of the values of a host's variables: names
// only, since it stands in the cache.
type secrets struct {
	Uses      map[string][]string // a variable whose value is a template → the variables that it names
	Plain     []string            // vault_… variables whose value is neither a vault text nor a template
	Passwords []string            // other variables whose value has a password that anybody can read
}

// hostvars is Ansible's name for the variables of other hosts.
const hostvars = "hostvars"

var (
	password   = lazyregexp.New(plan.PlainPassword)
	expression = lazyregexp.New(`(?s)\{\{.*?\}\}|\{%.*?%\}`)
)

// secretsOf looks at the variables of one host. Known are the names that any host of
// the inventory defines: another word of a template is not kept, it may be a secret.
func secretsOf(vars map[string]any, known map[string]bool) secrets {
	s := secrets{Uses: map[string][]string{}}
	for name, value := range vars {
		for _, w := range words(templates(value)) {
			if known[w] || w == hostvars {
				s.Uses[name] = append(s.Uses[name], w)
			}
		}
		text, _ := value.(string)
		if m, ok := value.(map[string]any); ok {
			text, _ = m["__ansible_unsafe"].(string) // so ansible-inventory writes !unsafe, which is no template
		}
		_, damaged := vault.Check([]byte(text))
		switch {
		case damaged == nil:
		case strings.HasPrefix(name, "vault_") && templates(value) == "":
			s.Plain = append(s.Plain, name)
		case password.MatchString(expression.ReplaceAllString(text, "")): // as far as it stands here itself
			s.Passwords = append(s.Passwords, name)
		}
	}
	slices.Sort(s.Plain)
	slices.Sort(s.Passwords)
	return s
}

// templates is all text in a value, in its lists and objects too, that Ansible
// would resolve.
func templates(value any) string {
	var b strings.Builder
	switch v := value.(type) {
	case string:
		if strings.Contains(v, "{{") || strings.Contains(v, "{%") {
			b.WriteString(v + "\n")
		}
	case []any:
		for _, e := range v {
			b.WriteString(templates(e))
		}
	case map[string]any:
		for key, e := range v {
			if key != "__ansible_unsafe" {
				b.WriteString(templates(e))
			}
		}
	}
	return b.String()
}

// words are those of a template that can be names of variables, also within
// quotes, as lookup('vars', 'name') has them; sorted, each once.
func words(template string) []string {
	all := strings.FieldsFunc(template, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
	slices.Sort(all)
	return slices.Compact(all)
}

// Plain returns a sentence for every secret that the environment of p would
// bring to one of these hosts in plain text: all of them at once, before any
// host is asked. A vault_… variable counts also where others stand between it
// and the environment. What only Ansible can resolve is left to the playbook,
// which looks at the values of p.Secrets and p.Resources.
func (in *Infra) Plain(hosts []string, p plan.Plan) []string {
	found := map[string][]string{} // what is said of a variable → its hosts
	for _, v := range in.reached(hosts, p) {
		if slices.Contains(in.answer.Secrets[v.host].Plain, v.name) {
			said := fmt.Sprintf("the variable %s is not encrypted for", v.name)
			found[said] = append(found[said], v.host)
		}
		if slices.Contains(p.Resources, v.name) && slices.Contains(in.answer.Secrets[v.host].Passwords, v.name) {
			said := fmt.Sprintf("the variable %s has a password in plain text for", v.name)
			found[said] = append(found[said], v.host)
		}
	}
	var told []string
	for said, hosts := range found {
		told = append(told, said+" "+strings.Join(hosts, " "))
	}
	slices.Sort(told)
	return told
}

// withSecrets adds to p the vault_… variables that its environment reaches by
// way of others, so that the playbook looks at their values too.
func (in *Infra) withSecrets(hosts []string, p plan.Plan) plan.Plan {
	p.Secrets = slices.Clone(p.Secrets)
	for _, v := range in.reached(hosts, p) {
		if strings.HasPrefix(v.name, "vault_") {
			p.Secrets = append(p.Secrets, v.name)
		}
	}
	slices.Sort(p.Secrets)
	p.Secrets = slices.Compact(p.Secrets)
	return p
}

// variable is one of a host.
type variable struct{ host, name string }

// reached are the variables that the environment of p names for these hosts,
// in their order, and all that the values of those name in turn.
func (in *Infra) reached(hosts []string, p plan.Plan) []variable {
	var all []variable
	seen := map[variable]bool{}
	var visit func(host string, names []string)
	visit = func(host string, names []string) {
		from := []string{host}
		if slices.Contains(names, hostvars) {
			for other := range in.answer.Defined {
				from = append(from, other)
			}
			slices.Sort(from[1:])
		}
		for _, h := range from {
			for _, name := range names {
				v := variable{h, name}
				if seen[v] || !slices.Contains(in.answer.Defined[h], name) {
					continue
				}
				seen[v] = true
				all = append(all, v)
				visit(h, in.answer.Secrets[h].Uses[name])
			}
		}
	}
	var expressions strings.Builder
	for _, v := range p.Environment {
		for _, part := range v.Parts {
			expressions.WriteString(part.Expression + "\n")
		}
	}
	names := words(expressions.String())
	for _, h := range hosts {
		visit(h, names)
	}
	return all
}
