package service

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/kinectl/kinectl/vault"
)

// standard are the variables that every service has.
type standard struct {
	MetricsAddress    operationAddress `env:"METRICS_ADDRESS" envDefault:":9090" help:"address of metrics, health and profiles; off for none"`
	LogLevel          logLevel         `env:"LOG_LEVEL" envDefault:"info" help:"debug, info, warn or error"`
	LogFormat         logFormat        `env:"LOG_FORMAT" envDefault:"logfmt" help:"logfmt or json"`
	ShutdownTimeout   shutdownTimeout  `env:"SHUTDOWN_TIMEOUT" envDefault:"20s" help:"the time that a stop may take, requests under way included"`
	VaultPasswordFile string           `env:"VAULT_PASSWORD_FILE" help:"file with the password of encrypted variables"`
	SkipDecrypt       bool             `env:"SKIP_DECRYPT" envDefault:"false" help:"leave encrypted variables as they are, for work on a desk"`
}

// shutdownTimeout is SHUTDOWN_TIMEOUT.
type shutdownTimeout time.Duration

// UnmarshalText reads a duration above zero.
func (t *shutdownTimeout) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	if err != nil || d <= 0 || d > time.Hour {
		return errors.New("must be a duration like 20s, above zero and at most an hour")
	}
	*t = shutdownTimeout(d)
	return nil
}

// settings are what a service was told by its environment.
type settings[C any] struct {
	config   C
	standard standard
	clear    []string // variables with secrets, which nobody is to read again
}

// load reads the environment ("KEY=value"). Its error is all mistakes, joined by
// errors.Join, each beginning with the variable or the field of the program.
func load[C any](environ []string) (settings[C], error) {
	var s settings[C]
	own, shared, faults := allFields(reflect.ValueOf(&s.config).Elem(), reflect.ValueOf(&s.standard).Elem())
	if len(faults) > 0 {
		return s, errors.Join(faults...)
	}
	e := readEnviron(environ)
	faults = append(faults, e.faults...)
	for _, f := range append(own, shared...) {
		value, set := e.plain[f.variable]
		switch {
		case e.blamed[f.variable]:
			continue
		case e.sealed[f.variable] && !f.secret:
			faults = append(faults, fmt.Errorf("%s: it is encrypted, but field %s is a %s: make it a service.Secret", f.variable, f.path, f.in.Type))
			continue
		case !set && f.secret && e.unknown:
			continue // it may be there
		}
		if err := f.parse(value, set); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", f.variable, err))
		}
		if set && f.secret {
			e.sealed[f.variable] = true
		}
	}
	s.clear = slices.Sorted(maps.Keys(e.sealed))
	return s, errors.Join(faults...)
}

// environment is what load parses.
type environment struct {
	plain   map[string]string // values, decrypted; empty ones are as if not set
	sealed  map[string]bool   // those that are or were encrypted, the bundles too
	blamed  map[string]bool   // those in faults
	unknown bool              // encrypted values could not be read
	faults  []error
}

func readEnviron(environ []string) environment {
	e := environment{plain: map[string]string{}, sealed: map[string]bool{}, blamed: map[string]bool{}}
	for name, value := range variables(environ) {
		encrypted := vault.LooksEncrypted(value)
		if value != "" {
			e.plain[name] = value
		}
		if encrypted || vault.IsBundle(name) {
			e.sealed[name] = true
		}
	}
	passwords, err := vault.PasswordsOf(environ)
	var values map[string]string
	if err == nil {
		values, err = vault.Environ(environ, passwords)
	}
	if err != nil {
		e.unknown = true
		for _, fault := range each(err) {
			var of *vault.VariableError
			if errors.As(fault, &of) {
				e.blamed[of.Name] = true
			}
			e.faults = append(e.faults, fault)
		}
		for name := range e.sealed {
			delete(e.plain, name)
		}
		return e
	}
	for name, value := range values {
		e.plain[name], e.sealed[name] = value, true
		if value == "" {
			delete(e.plain, name)
		}
	}
	return e
}

// variables takes an environment apart. Of a name that is there twice the last
// counts, as in os/exec.
func variables(environ []string) map[string]string {
	all := make(map[string]string, len(environ))
	for _, entry := range environ {
		if name, value, ok := strings.Cut(entry, "="); ok && name != "" {
			all[name] = value
		}
	}
	return all
}

// each takes errors apart that errors.Join has joined.
func each(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []error
		for _, e := range joined.Unwrap() {
			all = append(all, each(e)...)
		}
		return all
	}
	if err == nil {
		return nil
	}
	return []error{err}
}
