package service

import (
	"fmt"
	"log/slog"
)

// Secret is a value that does not show: not in logs, dumps, JSON or errors. The
// zero value is an empty secret. A field of this type may also be *Secret or []Secret.
// Two secrets are compared by what they Reveal, not by ==.
type Secret struct {
	// fmt prints a field that is not exported without asking its methods, and a
	// pointer in there as a number.
	value *string
}

// NewSecret is for tests, and for secrets that come by another way than the
// environment.
func NewSecret(value string) Secret { return Secret{&value} }

// Reveal is the value.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

const redacted = "(secret)"

// String hides the value.
func (s Secret) String() string { return redacted }

// GoString hides the value from %#v.
func (s Secret) GoString() string { return "service.Secret{}" }

// Format hides the value from every verb.
func (s Secret) Format(f fmt.State, verb rune) {
	if verb == 'v' && f.Flag('#') {
		fmt.Fprint(f, s.GoString())
		return
	}
	fmt.Fprint(f, redacted)
}

// MarshalText hides the value from encoders of text.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalJSON hides the value from JSON.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// LogValue hides the value from logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// UnmarshalText takes the value.
func (s *Secret) UnmarshalText(text []byte) error {
	*s = NewSecret(string(text))
	return nil
}
