package service

import (
	"encoding/base64"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kinectl/kinectl/vault"
)

type database struct {
	Host string `env:"HOST" envDefault:"localhost"`
	Port uint16 `env:"PORT" envDefault:"5432"`
}

type testConfig struct {
	HTTP    Address       `env:"HTTP_ADDRESS" envDefault:":8080" help:"address of the API"`
	DSN     Secret        `env:"DSN,required" help:"the database"`
	Timeout time.Duration `env:"TIMEOUT" envDefault:"3s"`
	Retries int           `env:"RETRIES"`
	Share   float64       `env:"SHARE"`
	Debug   bool          `env:"DEBUG"`
	Hosts   []string      `env:"HOSTS"`
	Keys    []Secret      `env:"KEYS"`
	Other   *Secret       `env:"OTHER"`
	Site    url.URL       `env:"SITE"`
	Motto   string        `env:"MOTTO,file"`
	Main    database      `envPrefix:"MAIN_"`
	Replica database      `envPrefix:"REPLICA_"`
	Nobody  string        // no variable
}

func TestLoad(t *testing.T) {
	motto := filepath.Join(t.TempDir(), "motto")
	if err := os.WriteFile(motto, []byte("festina lente"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := load[testConfig]([]string{
		"DSN=postgres://u:p@h/d", "HTTP_ADDRESS=127.0.0.1:80", "RETRIES=7", "SHARE=0.5", "DEBUG=true", "HOSTS=a,b", "KEYS=k1,k2", "OTHER=o",
		"SITE=https://example.org/x", "MOTTO=" + motto, "MAIN_PORT=1", "REPLICA_PORT=2", "REPLICA_HOST=", "TIMEOUT=", "LOG_LEVEL=Debug", "METRICS_ADDRESS=off",
	})
	if err != nil {
		t.Fatal(err)
	}
	c := s.config
	if c.HTTP != "127.0.0.1:80" || c.DSN.Reveal() != "postgres://u:p@h/d" || c.Timeout != 3*time.Second || c.Retries != 7 || c.Share != 0.5 || !c.Debug ||
		!slices.Equal(c.Hosts, []string{"a", "b"}) || len(c.Keys) != 2 || c.Keys[1].Reveal() != "k2" || c.Other.Reveal() != "o" || c.Site.Host != "example.org" ||
		c.Motto != "festina lente" || c.Main != (database{"localhost", 1}) || c.Replica != (database{"localhost", 2}) {
		t.Errorf("read %+v", c)
	}
	if s.standard.MetricsAddress != noOperation || time.Duration(s.standard.ShutdownTimeout) != 20*time.Second || s.standard.LogLevel != -4 {
		t.Errorf("read %+v", s.standard)
	}
	if want := []string{"DSN", "KEYS", "OTHER"}; !slices.Equal(s.clear, want) {
		t.Errorf("to be cleared: %q, want %q", s.clear, want)
	}
}

func TestMistakes(t *testing.T) {
	f := func(environ string, want ...string) {
		t.Helper()
		_, err := load[testConfig](strings.Split(environ, "|"))
		var got []string
		for _, fault := range each(err) {
			got = append(got, fault.Error())
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s:\n got %q\nwant %q", environ, got, want)
		}
	}
	f("DSN=x")
	f("A=b", "DSN: it is required, and not set")
	f("DSN=", "DSN: it is required, and not set")
	f("DSN=x|TIMEOUT=5min|RETRIES=x|SHARE=half|DEBUG=perhaps|MAIN_PORT=70000|REPLICA_PORT=-1|HTTP_ADDRESS=8080",
		`HTTP_ADDRESS: "8080": must be host:port, :port or the absolute path of a unix socket`,
		`TIMEOUT: "5min": must be a duration like 90s or 1h30m`,
		`RETRIES: "x": must be a whole number`,
		`SHARE: "half": must be a number`,
		`DEBUG: "perhaps": must be true or false`,
		`MAIN_PORT: "70000": it is out of range`,
		`REPLICA_PORT: "-1": must be a whole number`)
	f("DSN=x|SITE=http://user:hunter2 @h:%zz/", "SITE: must be a URL")
	f("DSN=x|MOTTO=/nonexistent", "MOTTO: read the file that it names: no such file or directory")
	f("DSN=x|LOG_LEVEL=loud|LOG_FORMAT=xml|SHUTDOWN_TIMEOUT=0s|METRICS_ADDRESS=none",
		`METRICS_ADDRESS: "none": must be host:port, :port or the absolute path of a unix socket, or "off"`,
		`LOG_LEVEL: "loud": must be debug, info, warn or error`,
		`LOG_FORMAT: "xml": must be logfmt or json`,
		`SHUTDOWN_TIMEOUT: "0s": must be a duration like 20s, above zero and at most an hour`)
}

// TestFields is about mistakes of the program's author.
func TestFields(t *testing.T) {
	f := func(config any, want ...string) {
		t.Helper()
		var s standard
		_, _, faults := allFields(reflect.New(reflect.TypeOf(config)).Elem(), reflect.ValueOf(&s).Elem())
		var got []string
		for _, fault := range faults {
			got = append(got, fault.Error())
		}
		if !slices.Equal(got, want) {
			t.Errorf("%T:\n got %q\nwant %q", config, got, want)
		}
	}
	f(struct{}{})
	f(struct {
		A Secret `env:"A" secret:"true"`
		B string `env:"-"`
	}{})
	f(3, "the configuration is a int: make it a struct")
	f(struct {
		A string `env:"A" secret:"true"`
	}{}, "field A: it is tagged as a secret, but is a string: make it a service.Secret")
	f(struct {
		A string `env:"A,expand"`
		B string `env:"B,requird"`
	}{}, "field A: the option expand is not supported: it would take secrets into plain values", `field B: the option "requird" is not known`)
	f(struct {
		A  string `env:"A"`
		In struct {
			B string `env:"A"`
		}
		Level string `env:"LOG_LEVEL"`
	}{}, "field In.B: A is a variable of field A already", "field Level: LOG_LEVEL is a variable of every service already")
	f(struct {
		List []database `envPrefix:"LIST"`
	}{}, "field List: envPrefix is for structs: a list has no fixed variables that --help could show")
	f(struct {
		In *database `env:",init" envPrefix:"IN_"`
	}{})

	_, err := load[struct {
		Wrong int `env:"WRONG" envDefault:"x"`
	}](nil)
	if err == nil || err.Error() != `WRONG: default "x" of field Wrong: must be a whole number` {
		t.Errorf("a wrong default: %v", err)
	}
	_, err = load[struct {
		Odd chan int `env:"ODD"`
	}]([]string{"ODD=1"})
	if err == nil || err.Error() != "ODD: field Odd is a chan int, which no variable can be read as" {
		t.Errorf("a type without a parser: %v", err)
	}
}

func TestPointerToStruct(t *testing.T) {
	s, err := load[struct {
		In *database `env:",init" envPrefix:"IN_"`
	}]([]string{"IN_PORT=9"})
	if err != nil || *s.config.In != (database{"localhost", 9}) {
		t.Errorf("read %+v, %v", s.config.In, err)
	}
}

func encrypted(t *testing.T, plain, password string) string {
	t.Helper()
	text, err := vault.EncryptBase64([]byte(plain), vault.NewPassword("", password))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestEncrypted(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("right\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	password := "VAULT_PASSWORD_FILE=" + file
	bundle := encrypted(t, "OTHER=from the bundle\nKEYS=k1,k2\n", "right")

	s, err := load[testConfig]([]string{password, "DSN=" + encrypted(t, "postgres://secret", "right"), "VAULT_BUNDLE=" + bundle, "UNRELATED=" + encrypted(t, "x", "right")})
	if err != nil {
		t.Fatal(err)
	}
	if c := s.config; c.DSN.Reveal() != "postgres://secret" || c.Other.Reveal() != "from the bundle" || c.Keys[1].Reveal() != "k2" {
		t.Errorf("read %q %q %q", c.DSN.Reveal(), c.Other.Reveal(), c.Keys)
	}
	if want := []string{"DSN", "KEYS", "OTHER", "UNRELATED", "VAULT_BUNDLE"}; !slices.Equal(s.clear, want) {
		t.Errorf("to be cleared: %q, want %q", s.clear, want)
	}

	f := func(environ []string, want ...string) {
		t.Helper()
		_, err := load[testConfig](environ)
		faults := each(err)
		if len(faults) != len(want) {
			t.Errorf("faults %q, want %q", faults, want)
			return
		}
		for i, fault := range faults {
			if !strings.Contains(fault.Error(), want[i]) || strings.Contains(fault.Error(), "hunter2") {
				t.Errorf("fault %q, want %q", fault, want[i])
			}
		}
	}
	good := encrypted(t, "x", "right")
	f([]string{password, "DSN=" + encrypted(t, "hunter2", "wrong"), "RETRIES=x"}, "DSN: no password", "RETRIES: ")
	f([]string{"DSN=" + good}, "DSN: ", "a password is looked for in ")
	f([]string{"VAULT_PASSWORD_FILE=/nonexistent", "DSN=" + good, "RETRIES=x"}, "the file of VAULT_PASSWORD_FILE", "RETRIES: ")
	f([]string{password, "DSN=" + good[:len(good)-40]}, "DSN: ")
	f([]string{password, "DSN=" + good, "MAIN_HOST=" + encrypted(t, "hunter2", "right")}, "MAIN_HOST: it is encrypted, but field Main.Host is a string: make it a service.Secret")
	f([]string{password, "DSN=" + good, "LOG_LEVEL=" + good}, "LOG_LEVEL: it is encrypted")
	f([]string{password, "DSN=" + good, "VAULT_BUNDLE=" + encrypted(t, "DSN=hunter2", "right")}, "DSN: it is both")
	// What is in a bundle that cannot be read is not called missing.
	f([]string{password, "VAULT_BUNDLE=" + encrypted(t, "DSN=hunter2", "wrong")}, "VAULT_BUNDLE: no password")

	// What a shell, a template or a cut has altered is encrypted here as it is for package vault.
	for _, altered := range []string{";1.1;AES256\n3132", good[101:], base64.StdEncoding.EncodeToString([]byte(good)), base64.StdEncoding.EncodeToString([]byte("\n$ANSIBLE_VAULT;1.1;AES256\n3132"))} {
		f([]string{password, "DSN=" + altered}, "DSN: damaged vault text")
		f([]string{"SKIP_DECRYPT=true", "DSN=" + good, "MAIN_HOST=" + altered}, "MAIN_HOST: it is encrypted, but field Main.Host is a string")
	}
	skipped, err := load[testConfig]([]string{"SKIP_DECRYPT=true", "DSN=" + good, "VAULT_BUNDLE=OTHER=plain"})
	if err != nil || skipped.config.DSN.Reveal() != good || skipped.config.Other.Reveal() != "plain" {
		t.Errorf("with SKIP_DECRYPT: %v", err)
	}
	f([]string{"SKIP_DECRYPT=perhaps", "DSN=x"}, "SKIP_DECRYPT: must be true or false")
}
