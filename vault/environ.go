package vault

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// VariableError is what is wrong with one variable. It never has its value.
type VariableError struct {
	Name string
	Err  error
}

func (e *VariableError) Error() string { return e.Name + ": " + e.Err.Error() }
func (e *VariableError) Unwrap() error { return e.Err }

// DecryptEnv replaces every encrypted variable of the process's environment by
// its value, adds the variables of bundles and takes the bundles away. After an
// error the environment is as it was. Call it at the beginning of main, before
// anything reads the environment. See [Environ] for the errors.
//
// What the kernel shows in /proc/PID/environ is what the process was started with:
// the encrypted values. But a program that this one starts gets the plain values in its
// environment, where others of the same user can read them; one that starts programs
// takes the values from [Environ], which leaves the environment alone.
func DecryptEnv() error {
	environ := os.Environ()
	passwords, err := PasswordsOf(environ)
	if err != nil {
		return fmt.Errorf("decrypt the environment: %w", err)
	}
	values, err := Environ(environ, passwords)
	if err != nil {
		return fmt.Errorf("decrypt the environment: %w", err)
	}
	for name, value := range values {
		if err := os.Setenv(name, value); err != nil {
			return fmt.Errorf("decrypt the environment: %w", &VariableError{name, err})
		}
	}
	for name := range variablesOf(environ) {
		if IsBundle(name) {
			os.Unsetenv(name)
		}
	}
	return nil
}

// Environ returns the variables of environ ("KEY=value", as os.Environ gives
// them) that are encrypted or in a bundle, with their values; the bundles
// themselves ([IsBundle]) are not among them. It works on as many texts at once as Go uses CPUs.
//
// All faults come in one error, joined by errors.Join and each a
// [*VariableError]: a text that is damaged ([LooksEncrypted]) or encrypted twice or that no password
// fits, a variable that is both in a bundle and in the environment or another bundle, a bundle that
// is not encrypted. When there is no password at all, each has [ErrNoPassword], and one more error
// says where passwords are looked for.
//
// With SKIP_DECRYPT=true in environ encrypted variables are left as they are, and a
// bundle must be plain KEY=value lines.
func Environ(environ []string, passwords []Password) (map[string]string, error) {
	variables := variablesOf(environ)
	skip, err := skipped(variables)
	if err != nil {
		return nil, err
	}
	var faults []error
	fault := func(name string, err error) { faults = append(faults, &VariableError{name, err}) }

	plain := map[string]string{} // of the encrypted variables and the bundles
	var encrypted []string
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		value := variables[name]
		switch bundle := IsBundle(name) && value != ""; {
		case bundle && skip && LooksEncrypted(value):
			fault(name, errors.New("a bundle must be plain KEY=value lines with "+skipDecrypt))
		case bundle && skip:
			plain[name] = value
		case bundle && !LooksEncrypted(value):
			fault(name, errors.New("a bundle must be a vault text, or "+skipDecrypt+" be true"))
		case !skip && LooksEncrypted(value):
			encrypted = append(encrypted, name)
		}
	}
	if len(encrypted) > 0 && len(passwords) == 0 {
		for _, name := range encrypted {
			_, err := Check([]byte(variables[name]))
			fault(name, cmp.Or(err, ErrNoPassword))
		}
		return nil, errors.Join(append(faults, whereLooked(variables))...)
	}
	ring := newKeyring(passwords)
	texts, errs := make([][]byte, len(encrypted)), make([]error, len(encrypted))
	inParallel(len(encrypted), func(i int) { texts[i], errs[i] = ring.open([]byte(variables[encrypted[i]])) })
	for i, name := range encrypted {
		switch {
		case errs[i] != nil:
			fault(name, errs[i])
		case strings.ContainsRune(string(texts[i]), 0):
			fault(name, errors.New("its value has a NUL byte, which no variable can hold"))
		case LooksEncrypted(string(texts[i])):
			fault(name, errors.New("it is encrypted twice"))
		default:
			plain[name] = string(texts[i])
		}
	}
	values, more := unpack(plain, variables)
	if faults = append(faults, more...); len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return values, nil
}

// unpack puts the variables of bundles beside the others. plain are the plain texts of encrypted
// variables and bundles, variables the whole environment.
func unpack(plain, variables map[string]string) (map[string]string, []error) {
	values := map[string]string{}
	var faults []error
	from := map[string]string{} // in which bundle a variable is
	for _, name := range slices.Sorted(maps.Keys(plain)) {
		if !IsBundle(name) {
			values[name] = plain[name]
			continue
		}
		held, err := ParseBundle([]byte(plain[name]))
		if err != nil {
			faults = append(faults, &VariableError{name, err})
			continue
		}
		for _, inner := range slices.Sorted(maps.Keys(held)) {
			other := from[inner]
			if _, set := variables[inner]; set {
				other = "the environment"
			}
			if other != "" {
				faults = append(faults, &VariableError{inner, fmt.Errorf("it is both in %s and in %s", other, name)})
				continue
			}
			values[inner], from[inner] = held[inner], name
		}
	}
	return values, faults
}

// inParallel calls f with 0 to n-1, on as many goroutines as Go uses CPUs.
func inParallel(n int, f func(i int)) {
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	all.Wait()
}

// variablesOf takes an environment apart. Of a name that is there twice the last counts, as in
// os/exec.
func variablesOf(environ []string) map[string]string {
	all := make(map[string]string, len(environ))
	for _, entry := range environ {
		if name, value, ok := strings.Cut(entry, "="); ok && name != "" {
			all[name] = value
		}
	}
	return all
}
