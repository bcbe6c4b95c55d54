package service

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// field is one variable of the configuration, as its tags describe it.
type field struct {
	variable   string
	prefix     string // of the variable, by envPrefix tags
	path       string // in Go, like DB.Timeout
	in         reflect.StructField
	value      reflect.Value // where it is to be put
	byDefault  string
	hasDefault bool
	required   bool
	secret     bool
	help       string
}

// fieldsOf finds the variables of a struct, those of the structs within it too, in
// their order. Its errors are mistakes of the program's author.
func fieldsOf(v reflect.Value, prefix, path string) (all []field, faults []error) {
	for i := range v.NumField() {
		in, value := v.Type().Field(i), v.Field(i)
		if !value.CanSet() {
			continue
		}
		where := strings.TrimPrefix(path+"."+in.Name, ".")
		variable, list, _ := strings.Cut(in.Tag.Get("env"), ",")
		options := strings.Split(list, ",")
		if variable == "-" || slices.Contains(options, "-") {
			continue
		}
		if variable != "" {
			f := field{
				variable: prefix + variable, prefix: prefix, path: where, in: in, value: value,
				required: slices.Contains(options, "required") || slices.Contains(options, "notEmpty"),
				secret:   isSecret(in.Type), help: in.Tag.Get("help"),
			}
			f.byDefault, f.hasDefault = in.Tag.Lookup("envDefault")
			if err := f.check(options); err != nil {
				faults = append(faults, fmt.Errorf("field %s: %w", where, err))
				continue
			}
			all = append(all, f)
			continue
		}
		within := value
		if slices.Contains(options, "init") && value.Kind() == reflect.Pointer {
			value.Set(reflect.New(in.Type.Elem()))
			within = value.Elem()
		}
		if within.Kind() == reflect.Struct {
			inner, wrong := fieldsOf(within, prefix+in.Tag.Get("envPrefix"), where)
			all, faults = append(all, inner...), append(faults, wrong...)
			continue
		}
		if _, given := in.Tag.Lookup("envPrefix"); given {
			faults = append(faults, fmt.Errorf("field %s: envPrefix is for structs: a list has no fixed variables that --help could show", where))
		}
	}
	return all, faults
}

// check refuses what the tags cannot mean here.
func (f field) check(options []string) error {
	for _, option := range options {
		switch option {
		case "", "required", "notEmpty", "file", "unset", "init":
		case "expand":
			return fmt.Errorf("the option expand is not supported: it would take secrets into plain values")
		default:
			return fmt.Errorf("the option %q is not known", option)
		}
	}
	if f.in.Tag.Get("secret") != "" && !f.secret {
		return fmt.Errorf("it is tagged as a secret, but is a %s: make it a service.Secret", f.in.Type)
	}
	return nil
}

// isSecret tells whether a type hides its value.
func isSecret(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	return t == reflect.TypeFor[Secret]()
}

// allFields finds the variables of a service's configuration and of every service.
func allFields(config, standard reflect.Value) (own, shared []field, faults []error) {
	if config.Kind() != reflect.Struct {
		return nil, nil, []error{fmt.Errorf("the configuration is a %s: make it a struct", config.Type())}
	}
	own, faults = fieldsOf(config, "", "")
	shared, more := fieldsOf(standard, "", "")
	faults = append(faults, more...)
	owner := map[string]string{}
	for _, f := range shared {
		owner[f.variable] = "every service"
	}
	for _, f := range own {
		if other := owner[f.variable]; other != "" {
			faults = append(faults, fmt.Errorf("field %s: %s is a variable of %s already", f.path, f.variable, other))
		}
		owner[f.variable] = "field " + f.path
	}
	return own, shared, faults
}
