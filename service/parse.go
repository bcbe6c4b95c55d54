package service

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"
)

// parse puts the value of one variable where it belongs. The library that knows the
// types is given a struct of this one field, so that its error is this field's.
func (f field) parse(value string, set bool) error {
	one := reflect.New(reflect.StructOf([]reflect.StructField{{Name: f.in.Name, Type: f.in.Type, Tag: f.in.Tag}}))
	environment := map[string]string{}
	if set {
		environment[f.variable] = value
	}
	err := env.ParseWithOptions(one.Interface(), env.Options{Prefix: f.prefix, Environment: environment})
	if err == nil {
		f.value.Set(one.Elem().Field(0))
		return nil
	}
	if !set {
		value = f.byDefault
	}
	var aggregate env.AggregateError
	if errors.As(err, &aggregate) && len(aggregate.Errors) > 0 {
		err = aggregate.Errors[0]
	}
	return f.explain(err, value, set)
}

// explain says what is wrong in words of ours: those of the library have the
// field's name in place of the variable's, and the value even of a secret.
func (f field) explain(err error, value string, set bool) error {
	var missing env.VarIsNotSetError
	var empty env.EmptyVarError
	if errors.As(err, &missing) || errors.As(err, &empty) {
		return errors.New("it is required, and not set")
	}
	var unread env.LoadFileContentError
	if errors.As(err, &unread) {
		var of *os.PathError
		if errors.As(unread.Err, &of) {
			return fmt.Errorf("read the file that it names: %w", of.Err)
		}
		return errors.New("the file that it names cannot be read")
	}
	var unknown env.NoParserError
	if errors.As(err, &unknown) {
		return fmt.Errorf("field %s is a %s, which no variable can be read as", f.path, f.in.Type)
	}
	if f.secret {
		return errors.New("its value cannot be read")
	}
	why := f.reason(err, value)
	switch {
	case !f.shown() && !set:
		return fmt.Errorf("default of field %s: %s", f.path, why)
	case !f.shown():
		return errors.New(why)
	case !set:
		return fmt.Errorf("default %q of field %s: %s", value, f.path, why)
	}
	return fmt.Errorf("%.100q: %s", value, why)
}

// shown tells whether a value that cannot be read may be in the error: that of a number, a truth
// value, a duration, an address, a word of the shell's own. In all else, like a URL, a list
// of them or a type of the program's, a password may be within.
func (f field) shown() bool {
	t := f.in.Type
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t {
	case reflect.TypeFor[Address](), reflect.TypeFor[operationAddress](), reflect.TypeFor[logFormat]():
		return true
	}
	return reflect.Bool <= t.Kind() && t.Kind() <= reflect.Float64
}

// reason is why a value is not of the field's type. What the parser of a type says is left
// out when it has the value within, or a part of a list of them, and the value is not to be shown.
func (f field) reason(err error, value string) string {
	var wrong env.ParseError
	if errors.As(err, &wrong) {
		err = wrong.Err
	}
	if errors.Is(err, strconv.ErrRange) {
		return "it is out of range"
	}
	t := f.in.Type
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	var noURL *url.Error
	var number *strconv.NumError
	isNumber := errors.As(err, &number)
	switch {
	case t == reflect.TypeFor[time.Duration]():
		return "must be a duration like 90s or 1h30m"
	case t.Kind() == reflect.Map:
		return fmt.Sprintf("must be pairs like key:value, for a %s", t)
	case t == reflect.TypeFor[url.URL]() || errors.As(err, &noURL): // it quotes parts of it
		return "must be a URL"
	case isNumber && t.Kind() == reflect.Bool:
		return "must be true or false"
	case isNumber && (t.Kind() == reflect.Float32 || t.Kind() == reflect.Float64):
		return "must be a number"
	case isNumber:
		return "must be a whole number"
	case !f.shown() && f.quotes(err.Error(), value):
		return fmt.Sprintf("it cannot be read as a %s", f.in.Type)
	}
	return err.Error()
}

// quotes tells whether a text has the value within, or one of a list. What a file has is not known here.
func (f field) quotes(text, value string) bool {
	_, options, _ := strings.Cut(f.in.Tag.Get("env"), ",")
	if slices.Contains(strings.Split(options, ","), "file") {
		return true
	}
	for _, part := range append(strings.Split(value, cmp.Or(f.in.Tag.Get("envSeparator"), ",")), value) {
		quoted := strings.Trim(strconv.Quote(part), `"`)
		if part != "" && (strings.Contains(text, part) || strings.Contains(text, quoted)) {
			return true
		}
	}
	return false
}
