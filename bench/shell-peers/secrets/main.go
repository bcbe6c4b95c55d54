// Command secrets is the service of bench/secrets: fifty secrets, and nothing to do.
// With ONE_BY_ONE=true it decrypts them one after the other before the shell sees them.
package main

import (
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/kinectl/kinectl/service"
	"github.com/kinectl/kinectl/vault"
)

type config struct {
	A ten `envPrefix:"A_"`
	B ten `envPrefix:"B_"`
	C ten `envPrefix:"C_"`
	D ten `envPrefix:"D_"`
	E ten `envPrefix:"E_"`
}

type ten struct {
	S0 service.Secret `env:"SECRET_0,required"`
	S1 service.Secret `env:"SECRET_1,required"`
	S2 service.Secret `env:"SECRET_2,required"`
	S3 service.Secret `env:"SECRET_3,required"`
	S4 service.Secret `env:"SECRET_4,required"`
	S5 service.Secret `env:"SECRET_5,required"`
	S6 service.Secret `env:"SECRET_6,required"`
	S7 service.Secret `env:"SECRET_7,required"`
	S8 service.Secret `env:"SECRET_8,required"`
	S9 service.Secret `env:"SECRET_9,required"`
}

func main() {
	if os.Getenv("ONE_BY_ONE") == "true" {
		if err := oneByOne(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	service.Run(func(s *service.Service, c config) error {
		for _, t := range []ten{c.A, c.B, c.C, c.D, c.E} {
			if got := t.S9.Reveal(); got != "value of 9" {
				return fmt.Errorf("a secret of %d bytes is not what it should be", len(got))
			}
		}
		s.HTTP("127.0.0.1:0", http.NotFoundHandler())
		return nil
	})
}

func oneByOne() error {
	passwords, err := vault.Passwords()
	if err != nil {
		return err
	}
	for _, variable := range os.Environ() {
		name, value, _ := strings.Cut(variable, "=")
		if !vault.IsEncrypted([]byte(value)) {
			continue
		}
		plain, err := vault.Decrypt([]byte(value), passwords...)
		if err != nil {
			return err
		}
		if err := os.Setenv(name, string(plain)); err != nil {
			return err
		}
	}
	return nil
}
