package service

import (
	"errors"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// source is a type of a program's with a parser that quotes what it is given.
type source struct{ *url.URL }

func (s *source) UnmarshalText(text []byte) (err error) {
	s.URL, err = url.Parse(string(text))
	return err
}

type colour string

func (c *colour) UnmarshalText(text []byte) error {
	switch *c = colour(text); *c {
	case "red", "blue":
		return nil
	case "":
		return errors.New("must not be empty")
	}
	return errors.New(string(text) + " is no colour")
}

type strict string

func (*strict) UnmarshalText([]byte) error { return errors.New("must be red or blue") }

// TestPasswordsInMistakes has values with a password in them that are wrong.
func TestPasswordsInMistakes(t *testing.T) {
	f := func(variable, value, want string) {
		t.Helper()
		_, err := load[struct {
			Site     url.URL             `env:"SITE"`
			Replica  *url.URL            `env:"REPLICA"`
			Replicas []url.URL           `env:"REPLICAS"`
			Pointers []*url.URL          `env:"POINTERS"`
			Named    map[string]url.URL  `env:"NAMED"`
			Limits   map[string]int      `env:"LIMITS"`
			Ports    []int               `env:"PORTS"`
			Key      []byte              `env:"KEY"`
			Source   source              `env:"SOURCE"`
			Colour   colour              `env:"COLOUR"`
			Colours  []colour            `env:"COLOURS" envSeparator:";"`
			Strict   strict              `env:"STRICT"`
			Zone     time.Location       `env:"ZONE"`
			Peers    []netip.Addr        `env:"PEERS"`
			File     colour              `env:"FILE,file"`
			Wait     *time.Duration      `env:"WAIT"`
			Other    map[Address]Address `env:"OTHER"`
		}]([]string{variable + "=" + value})
		if err == nil || err.Error() != variable+": "+want || strings.Contains(err.Error(), "hunter") {
			t.Errorf("%s=%s: %v, want %s", variable, value, err, want)
		}
	}
	const good, bad = "postgres://u:hunter2@h/x", "postgres://u:hunter3@h:bad/"
	f("SITE", bad, "must be a URL")
	f("REPLICA", bad, "must be a URL")
	f("REPLICAS", good+","+bad, "must be a URL")
	f("POINTERS", good+","+bad, "must be a URL")
	f("NAMED", "a:"+bad, "must be pairs like key:value, for a map[string]url.URL")
	f("LIMITS", "hunter2:many", "must be pairs like key:value, for a map[string]int")
	f("OTHER", "hunter2", "must be pairs like key:value, for a map[service.Address]service.Address")
	f("PORTS", "80,hunter2", "must be a whole number")
	f("KEY", "hunter2", "must be a whole number")
	f("SOURCE", "postgres://u:hunter/2@h", "must be a URL")
	f("COLOUR", "hunter2", "it cannot be read as a service.colour")
	f("COLOURS", "red;hunter2", "it cannot be read as a []service.colour")
	f("STRICT", "hunter2", "must be red or blue")
	f("ZONE", "hunter2", "it cannot be read as a time.Location")
	f("PEERS", "127.0.0.1,hunter\x012", "it cannot be read as a []netip.Addr")
	file := filepath.Join(t.TempDir(), "colour")
	if err := os.WriteFile(file, []byte("hunter2"), 0o600); err != nil {
		t.Fatal(err)
	}
	f("FILE", file, "it cannot be read as a service.colour")
	f("WAIT", "5min", `"5min": must be a duration like 90s or 1h30m`)

	_, err := load[struct {
		Site url.URL `env:"SITE" envDefault:"postgres://u:hunter3@h:bad/"`
	}](nil)
	if err == nil || err.Error() != "SITE: default of field Site: must be a URL" {
		t.Errorf("a wrong default: %v", err)
	}
}
