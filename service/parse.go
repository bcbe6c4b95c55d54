package service

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"reflect"
	"strconv"
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
	why := f.reason(err)
	switch {
	case f.secret:
		return errors.New("its value cannot be read")
	case f.in.Type == reflect.TypeFor[url.URL]() || f.in.Type == reflect.TypeFor[*url.URL]():
		return errors.New(why) // it may have a password within
	case !set:
		return fmt.Errorf("default %q of field %s: %s", value, f.path, why)
	}
	return fmt.Errorf("%.100q: %s", value, why)
}

// reason is why a value is not of the field's type, without the value.
func (f field) reason(err error) string {
	var wrong env.ParseError
	if errors.As(err, &wrong) {
		err = wrong.Err
	}
	if errors.Is(err, strconv.ErrRange) {
		return "it is out of range"
	}
	t := f.in.Type
	if t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	var number *strconv.NumError
	isNumber := errors.As(err, &number)
	switch {
	case t == reflect.TypeFor[time.Duration]():
		return "must be a duration like 90s or 1h30m"
	case t == reflect.TypeFor[url.URL]():
		return "must be a URL"
	case isNumber && t.Kind() == reflect.Bool:
		return "must be true or false"
	case isNumber && (t.Kind() == reflect.Float32 || t.Kind() == reflect.Float64):
		return "must be a number"
	case isNumber:
		return "must be a whole number"
	}
	return err.Error()
}
