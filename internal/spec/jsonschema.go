package spec

import (
	"bytes"
	"encoding/json"
	"strings"

	"go.yaml.in/yaml/v4"
)

// SchemaID names the JSON Schema of spec.yml.
const SchemaID = "https://raw.githubusercontent.com/kinectl/kinectl/main/docs/spec.schema.json"

// JSONSchema returns the JSON Schema (json-schema.org, draft 2020-12) of
// spec.yml, for editors, made from the same tree as [Parse]. Whatever Parse
// takes without an error is valid by it. It is no replacement for lint: what
// takes more than one value to see, and the insides of some values, it leaves
// to Parse.
func JSONSchema() []byte {
	root := describe(schema(&Spec{})).node
	root.Schema, root.ID = "https://json-schema.org/draft/2020-12/schema", SchemaID
	root.Title, root.Description = "spec.yml of kinectl", "everything that the operation of one service needs"
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(root); err != nil {
		panic(err) // strings, numbers and lists only: they can always be encoded
	}
	return b.Bytes()
}

// node is a schema. Only the keywords that we need are there.
type node struct {
	Schema               string     `json:"$schema,omitempty"`
	ID                   string     `json:"$id,omitempty"`
	Title                string     `json:"title,omitempty"`
	Description          string     `json:"description,omitempty"`
	Type                 string     `json:"type,omitempty"`
	Const                any        `json:"const,omitempty"`
	Enum                 []string   `json:"enum,omitempty"`
	Pattern              string     `json:"pattern,omitempty"`
	MinLength            int        `json:"minLength,omitempty"`
	MaxLength            int        `json:"maxLength,omitempty"`
	Minimum              *int       `json:"minimum,omitempty"`
	Maximum              *int       `json:"maximum,omitempty"`
	Items                *node      `json:"items,omitempty"`
	MinItems             int        `json:"minItems,omitempty"`
	UniqueItems          bool       `json:"uniqueItems,omitempty"`
	Properties           properties `json:"properties,omitempty"`
	PatternProperties    properties `json:"patternProperties,omitempty"`
	Required             []string   `json:"required,omitempty"`
	AdditionalProperties *bool      `json:"additionalProperties,omitempty"`
	MinProperties        int        `json:"minProperties,omitempty"`
	MaxProperties        int        `json:"maxProperties,omitempty"`
	AnyOf                []*node    `json:"anyOf,omitempty"`
	Default              any        `json:"default,omitempty"`
	Examples             []any      `json:"examples,omitempty"`
}

// properties keep the order of the file: editors offer them in it.
type properties []property

type property struct {
	name string
	node *node
}

// MarshalJSON writes the properties as one object.
func (all properties) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	b.WriteByte('{')
	for i, p := range all {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := enc.Encode(p.name); err != nil {
			return nil, err
		}
		b.WriteByte(':')
		if err := enc.Encode(p.node); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// object describes a mapping, and in it every key.
func (o object) node() *node {
	closed := false
	n := &node{Type: "object", AdditionalProperties: &closed}
	for _, k := range o {
		inner := *describe(k.value).node
		inner.Title, inner.Description = k.name, k.doc
		if k.def != "" {
			if value, ok := k.literal(); ok {
				inner.Default = value
			} else {
				inner.Description += "; by default " + k.def
			}
		}
		if k.example != "" {
			inner.Examples = []any{value(k.example)}
		}
		n.Properties = append(n.Properties, property{k.name, &inner})
		if k.required {
			n.Required = append(n.Required, k.name)
		}
	}
	return n
}

// literal returns the default as a value of the key. Some defaults are told in
// words instead, such as "the name".
func (k key) literal() (any, bool) {
	if strings.HasPrefix(k.def, "the ") || strings.Contains(k.def, "NAME") || k.def == "" || !k.takes(k.def) {
		return nil, false
	}
	return value(k.def), true
}

// takes reports whether a text, as YAML, is a value of the key.
func (k key) takes(text string) bool {
	var doc yaml.Node
	if err := yaml.Load([]byte(text), &doc); err != nil || len(doc.Content) == 0 {
		return false
	}
	s, _ := Parse("", nil)
	s.lines = strings.Split(text, "\n")
	p := &parser{spec: s}
	k.value.read(p, doc.Content[0], k.name)
	return len(p.findings) == 0
}

// value is what a text, as YAML, holds.
func value(text string) any {
	var v any
	if err := yaml.Load([]byte(text), &v); err != nil {
		return text // a test holds every default and example to its key
	}
	return v
}
