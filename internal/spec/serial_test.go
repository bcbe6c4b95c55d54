package spec

import (
	"strings"
	"testing"
)

func TestParseSerial(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		batches, err := ParseSerial(text)
		got := strings.Join(batches, " ")
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
	f("1", "1")
	f("25%", "25%")
	f("1,25%, 100%", "1 25% 100%")
	f("", `serial cannot be ""`)
	f("0", `serial cannot be "0"`)
	f("-1", `serial cannot be "-1"`)
	f("101%", `serial cannot be "101%"`)
	f("0%", `serial cannot be "0%"`)
	f("1,,2", `serial cannot be ""`)
	f("1.5", `serial cannot be "1.5"`)
	f("100000", `serial cannot be "100000"`)
}
