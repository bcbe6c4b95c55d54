package e2e

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/kinectl/kinectl/vault"
)

// The two specs that existed before kinectl did, as they stand: from lint to
// healthy, each with the example service under its name.
func TestSpecsAsTheyStand(t *testing.T) {
	f := road
	f.run(t, f.fleet("remove", "", "--limit", "h1")...)
	secret := func(plain string) string {
		t.Helper()
		text, err := vault.EncryptBase64([]byte(plain), vault.NewPassword("", "a password"))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	key, token, small := secret("a key"), secret(`a token: with $ and "quotes"`), secret("secret")
	f.configure(t, `log_level: debug
catalogue_port: 80
postgres_dsn: postgres://catalogue@db.example.com/catalogue
sentinel_addresses: 198.51.100.1:26379
memcached_addresses: 198.51.100.1:11211
nats_url: nats://198.51.100.1:4222
vault_catalogue_secret_key: `+key+`
vault_catalogue_api_token: `+token+`
vault_secret_key_encrypted: `+small+"\n")
	const environ = `tr '\0' '\n' </proc/$(systemctl show -P MainPID NAME)/environ | grep -E '^(HTTP|LOG|POSTGRES|SENTINEL|MEMCACHED|NATS|SECRET|API)_' | sort`
	const process = `pid=$(systemctl show -P MainPID catalogue-api); stat -c %U:%G /proc/$pid/; ps -o ni= -p $pid | tr -d ' '
		grep -E '^Cap(Eff|Bnd|Amb)' /proc/$pid/status; awk '/Max open files/ { print $4, $5 }' /proc/$pid/limits
		systemctl show -P MemoryMax -P TasksMax -P AllowedCPUs catalogue-api | sort; curl -s http://127.0.0.1:80/`
	for _, c := range []struct{ folder, name, environ string }{
		{"seed", "my-api-service", "HTTP_ADDRESS=:8080\nLOG_LEVEL=info\nNATS_URL=nats://198.51.100.1:4222\nPOSTGRES_DSN=postgres://catalogue@db.example.com/catalogue\nSECRET_KEY=" + small + "\nSENTINEL_ADDRESSES=198.51.100.1:26379"},
		{"long", "catalogue-api", "API_TOKEN=" + token + "\nHTTP_ADDRESS=:80\nLOG_LEVEL=debug\nMEMCACHED_ADDRESSES=198.51.100.1:11211\nNATS_URL=nats://198.51.100.1:4222\nPOSTGRES_DSN=postgres://catalogue@db.example.com/catalogue\nSECRET_KEY=" + key + "\nSENTINEL_ADDRESSES=198.51.100.1:26379"},
	} {
		t.Run(c.name, func(t *testing.T) {
			spec := filepath.Join("testdata", c.folder, "spec.yml")
			if out, code := f.run(t, "lint", "-f", spec); code != 0 {
				t.Fatalf("lint: exit code %d\n%s", code, out)
			}
			f.offerSpec(t, spec, c.name, "1.0.0", "")
			fleet := func(verb string, more ...string) []string {
				return append([]string{verb, "-f", spec, "--infra", f.infra, "--env", "lab", "--limit", "h1"}, more...)
			}
			if out, code := f.run(t, fleet("deploy", "--version", "1.0.0")...); code != 0 {
				t.Fatalf("deploy: exit code %d\n%s", code, out)
			}
			t.Cleanup(func() { f.run(t, fleet("remove")...) })
			f.expect(t, "h1", strings.ReplaceAll(environ, "NAME", c.name), c.environ)
			f.expect(t, "h1", "systemctl is-active "+c.name, "active")
			if c.folder == "long" {
				// CAP_NET_BIND_SERVICE is bit 10 (capabilities(7)).
				f.expect(t, "h1", process, "catalogue:catalogue\n-5\nCapEff:\t0000000000000400\nCapBnd:\t0000000000000400\nCapAmb:\t0000000000000400\n10000 10000\n0-1\n1000\n1073741824\nhello from catalogue-api 1.0.0")
			}
		})
	}
}
