package spec

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// made returns a text of the form of a secret. None stands in this file: what
// looks for secrets in repositories would find it.
func made(prefix, letters string, n int) string {
	r := rand.New(rand.NewPCG(uint64(n), uint64(len(letters))))
	var b strings.Builder
	b.WriteString(prefix)
	for range n {
		b.WriteByte(letters[r.IntN(len(letters))])
	}
	return b.String()
}

const (
	capitals = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	all62    = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
)

// formed are secrets that show by their form.
func formed() []string {
	json := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	return []string{
		made("AKIA", capitals, 16), made("ghp"+"_", all62, 36), made("github"+"_pat_", all62, 60), made("glpat"+"-", all62, 20),
		made("xoxb"+"-1234567890-", all62, 20), made("sk"+"_live_", all62, 24), made("AIza", all62, 35), made("npm"+"_", all62, 36), made("hvs"+".", all62, 30),
		made("SG"+".", all62, 22) + made(".", all62, 43), made("hf"+"_", all62, 34), made("sk"+"-", all62, 48), made("sk"+"-proj-", all62, 40),
		json(`{"alg":"HS256","typ":"JWT"}`) + "." + json(`{"sub":"1234567890"}`) + "." + made("", all62, 43),
	}
}

// TestSecretsByForm plants each in every place that a spec has for text: it is
// found and not shown.
func TestSecretsByForm(t *testing.T) {
	places := []string{
		"  environments: |\n    A=%s\n", "  environments: |\n    A=x,%s,y\n", "  environments: |\n    # A=%s\n", "  environments: |\n    export A=%s\n", "  environments: |\n    A='x\n    %s'\n",
		"  exec: {start: \"/usr/bin/a --x=%s\"}\n", "  exec: {start: \"a %s\"}\n", "  deploy: {before: \"/usr/bin/a %s\"}\n", "  deploy: {probe: {path: \"/a?k=%s\"}}\n",
		"  timers: [{name: a, on_calendar: daily, exec: \"/usr/bin/a %s\"}]\n", "  timers: [{name: a, on_calendar: \"%s\"}]\n",
		"  alerts: [{name: A, expr: \"up{x=\\\"%s\\\"}\"}]\n", "  files: [{src: %s, dst: /usr/share/a/b}]\n",
		"  homepage: https://example.com/%s\n", "  # see %s\n", "  unknown: %s\n", "  license: \"%s\"\n", "  resources: [%s]\n", "  capabilities: [%s]\n",
	}
	for _, secret := range formed() {
		for _, place := range places {
			_, findings := Check("spec.yml", []byte(minimal+"  limits: {mem: 1G}\n"+fmt.Sprintf(place, secret)))
			var b strings.Builder
			_ = findings.Write(&b, false)
			if !strings.Contains(b.String(), "[plain-secret]") || strings.Contains(b.String(), secret) || strings.Contains(b.String(), secret[:15]) {
				t.Errorf("%s with %s:\n%s", place, secret, b.String())
			}
		}
	}
	key := "-----BEGIN RSA " + "PRIVATE KEY-----"
	text := minimal + "  environments: |\n    A='" + key + "\n    " + made("", all62, 64) + "\n    -----END RSA PRIVATE KEY-----'\n    A=x\n"
	_, findings := Check("spec.yml", []byte(text))
	var b strings.Builder
	_ = findings.Write(&b, false)
	if !strings.Contains(b.String(), "A holds a private key") || strings.Contains(b.String(), made("", all62, 64)) {
		t.Errorf("private key:\n%s", b.String())
	}
}

// TestSecretsByName tries names of variables and options.
func TestSecretsByName(t *testing.T) {
	f := func(text string, secret bool) {
		t.Helper()
		if got := strings.Contains(found(text), "plain-secret"); got != secret {
			t.Errorf("%q: a secret: %v, want %v", text, got, secret)
		}
	}
	for _, line := range []string{
		"API_TOKEN=x", "secret_key=x", "DB_PASSWORD='x y'", "SESSION_SECRET=abc", "ENCRYPTION_KEY=abc", "DB_PASS=hunter2", "PASSWORD=changeme",
		"URL=https://user:word@host/", "URL=https://{{ user }}:x{{ word }}@host/", "DSN=postgres://u:p@{{ host }}/db",
		"DB_PWD=hunter2", "MYSQL_PWD=hunter2", "SESSION_KEY=hunter2", "JWT_KEY=hunter2", "COOKIE_SALT=hunter2", "DB_PASSWORD_1=hunter2", "DB_PASSWORD_OLD=hunter2", "DB_PASS2=hunter2",
		"DB_CREDS=app:hunter2", "TOKENS=hunter2,hunter3", "DBPASSWORD=hunter2", "DB_PASSWORD=12345678",
		"DSN=host=db user=app password=hunter2 dbname=films", "DSN=\"host={{ db_host }} password='hunter2'\"", "DSN=app:hunter2@tcp(db:3306)/films", "DSN=app:x{{ word }}@unix(/run/mysqld/mysqld.sock)/films",
		"CONNECTION=Server=db;User Id=app;Password=hunter2;", `JSON='{"user":"app","password":"hunter2"}'`,
		"A_PASSWORD={{ x | default('literal') }}", "A_PASSWORD={{ vault_x | default('literal') }}", "A_PASSWORD={{ vault_x | default(y) }}", "A_PASSWORD=literal{{ x }}", "A_PASSWORD=literal{{ vault_x }}", "A_PASSWORD={{ db_password }}", "API_TOKEN=Bearer {{ api_token }}",
		"AUTH=Bearer abcdefghijk", "AUTH='Authorization: Bearer " + made("", "abcdef0123456789", 20) + "1'", "AUTH=Basic " + base64.StdEncoding.EncodeToString([]byte("app:hunter2")),
		"DATA_KEY=" + made("", "0123456789abcdef", 64), "KEY_2=" + made("", "0123456789ABCDEF", 64),
		"SALT=" + made("", all62, 24), "SALT=" + made("", all62+"+/", 43) + "=", "HEADER='Bearer " + made("", all62, 40) + "'",
	} {
		f(env(line), true)
	}
	for _, option := range []string{"--password=hunter2", "--api-key abc", "-token=abc", "--password='two words'", "--dsn='host=db password=hunter2'", "PASSWORD=hunter2", "--password=hunter2${X}", "--x=" + made("", all62, 32)} {
		f("  exec: {start: \"/usr/bin/a "+option+"\"}\n", true)
	}
	for _, option := range []string{"--password=${PW}", "--password-file=/etc/my-api/pw", "--token=/run/my-api/token", "--password --verbose", "--pass-through=all", "--x=${Y}", "--max-tokens=4096", "--dsn='host=db password=${PW}'"} {
		f("  exec: {start: \"/usr/bin/a "+option+"\"}\n", false)
	}
	f("  exec: {start: \"/bin/sh -c 'PASSWORD=hunter2 exec /usr/bin/a'\"}\n", true)
	f("  exec: {start: '/bin/sh -c \"PASSWORD=$(cat /etc/my-api/pw) exec /usr/bin/a\"'}\n", false)
}

// TestSecretsByOrigin: what is said of a secret that comes from elsewhere than
// the vault, and what is shown of it.
func TestSecretsByOrigin(t *testing.T) {
	f := func(line, message, excerpt string) {
		t.Helper()
		_, findings := Check("spec.yml", []byte(minimal+env(line)))
		if len(findings) != 1 || findings[0].Message != message || strings.TrimSpace(findings[0].Excerpt) != excerpt || !strings.Contains(findings[0].Hint, "{{ vault_a_password }}") {
			t.Errorf("%s: %+v", line, findings)
		}
	}
	const message = "by its name A_PASSWORD is a secret, and a secret comes from a vault_… variable alone"
	f("A_PASSWORD={{ db_password }}", message, "A_PASSWORD={{ db_password }}")
	f("A_PASSWORD={{ x | default('word') }}", message, "A_PASSWORD=*************************")
	f("A_PASSWORD=word{{ vault_x }}", message, "A_PASSWORD=*****************")
	f("A_PASSWORD=word", "A_PASSWORD looks like a secret in plain text", "A_PASSWORD=****")
}

// TestInnocent keeps the rule from crying wolf.
func TestInnocent(t *testing.T) {
	for _, line := range []string{
		"MAX_TOKEN=4096", "MAX_TOKENS={{ max_tokens }}", "PASSWORD_REQUIRED=true", "TOKENS=3", "API_TOKEN=Bearer {{ vault_api_token }}", "API_TOKEN={{ vault_api_token | default('') }}", "API_TOKEN={{ vault_a }},{{ vault_b }}",
		"REDIS_PASSWORD={{ redis_url }}", "PASSWORD_FILE={{ password_file }}", "TOKEN_PATH={{ x }}", "TOKEN_URL={{ token_url }}", "SECRET_NAME=films", "PWD=/srv/films",
		"DSN=host=db password={{ vault_db_password }}", "DSN=app:{{ vault_pw }}@tcp(db:3306)/films", "DSN=app@tcp(db:3306)/films", "DSN=host=db password=$PGPASSWORD", "DSN=host=db sslmode=require passfile=/etc/films/pgpass",
		"TEXT=Basic authentication, or bearer tokens", "MODE=Basic", "SCHEME=Bearer token", "NAME=sk-film-2024-catalogue-of-the-year", "SET=hf_models",
		"KEY_SHA256=" + made("", "0123456789abcdef", 64), "PUBLIC_KEY=" + made("", "0123456789abcdef", 64), "CACHE=" + made("", "0123456789abcdef", 64), "SORT_KEY=year", "KEY_PREFIX=films",
		"JSON='{\"maxTokens\":3,\"token\":\"{{ vault_x }}\"}'", "FLAGS=RequirePassword=true,TokenTTL=5m", "QUERY=?token=", "LINE=password=%s",
		"API_TOKEN={{ vault_api_token }}", "TOKEN=", "TOKEN_TTL=5m", "PASSWORD_MIN_LENGTH=8", "SECRET_FILE=/x", "MONKEY=x", "KEYBOARD=de",
		"REQUIRE_PASSWORD=true", "API_TOKEN=optional", "API_TOKEN=/run/secrets/token", "PRIVATE_KEY=/etc/my-api/key.pem", "API_KEY=${API_KEY}",
		"URL=https://{{ user }}:{{ word }}@host/", "A=https://user@host:80/", "B=https://host/a:b@c", "A=http://a:80,http://b:80", "A=mailto:a@b",
		"A=postgres://films@db:5432/films?sslmode=require", "A=https://example.com/:x@y", "A=redis://:${REDIS_PASSWORD}@host",
		"ID=123e4567-e89b-12d3-a456-426614174000", "ID=550E8400-E29B-41D4-A716-446655440000", "COMMIT=9fceb02d0ae598e95dc970b74767f19372d61af8",
		"IMAGE=registry.example.com/films@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"DIGEST=sha384-oqVuAfXRKap7fdgcCY5uykM6+R9GqQ8K/uxy9rx7HNQlGYl1kPzQho1wx4JwY8wC",
		"WG_PUBLIC_KEY=HIgo9xNzJMWLKASShiTqIybxZ0U3wGLiUeJ1PKf8ykw=", "AUTHORIZED=ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl me@host",
		"AGE=age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kdwkx4v3qgkm5sp", "PEM='-----BEGIN PUBLIC KEY-----", "    x'",
		"HOSTS=h1.example.com:9000,h2.example.com:9000,h3.example.com:9000", "BROKERS=kafka-01.eu-west-1.example.com:9092,kafka-02.eu-west-1.example.com:9092",
		"FLAGS=NewCheckout2024=true,FastSeek=false,EnableHTTP3=true", "FLAGS=-XX:+UseG1GC", "CIPHERS=TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,TLS_AES_256_GCM_SHA384",
		"TEXT=" + base64.StdEncoding.EncodeToString([]byte("The quick brown fox jumps over 13 lazy dogs.")), "JSON='{\"maxRetries\":3,\"backOff\":\"2s\",\"userAgent\":\"Films/2.0\"}'",
		"PATHS=/srv/Films/2024/Season01/Episode02.mp4", "CLASS=com.example.films.v2.CatalogueServiceImpl", "TIME=2024-05-06T09:08:09Z", "FORMAT=2006-01-02T15:04:05.000Z07:00",
		"LAYOUT=Grid3x4WithSidebar2ColumnsAndFooter", "MODEL=Llama-3-8B-Instruct-Q4-K-M", "AGENT=Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36", "VERSION=v0.0.0-20190502131153-809d4375e1fb",
		"KEY_EXAMPLE=AKIA" + "IOSFODNN7EXAMPLE", "COLOUR=#ff00AA", "S3=arn:aws:s3:eu-west-1:123456789012:films/Prod2024", "TZ=America/Argentina/Buenos_Aires", "REGEX=^[A-Za-z0-9]{3,20}$",
		"# url like postgres://user:password@host/db", "TRACKING=G-ABC123DEF4", "HASHES=argon2id", "LONG=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1B",
	} {
		if strings.Contains(found(env(line)), "plain-secret") {
			t.Errorf("%s is no secret", line)
		}
	}
	// Of a thousand random ones few are missed.
	missed := 0
	r := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		raw := make([]byte, 24)
		for i := range raw {
			raw[i] = byte(r.IntN(256))
		}
		if !looksRandom(base64.StdEncoding.EncodeToString(raw)) {
			missed++
		}
	}
	if missed > 30 {
		t.Errorf("%d of 1000 random keys were missed", missed)
	}
}

func TestSecretsAreNotShown(t *testing.T) {
	const secret = "hunter2"
	_, findings := Check("spec.yml", []byte("service:\n  environments: |\n    A_TOKEN=x\n    A_TOKEN="+secret+"\n    B_TOKEN='"+secret+"'\n    C=x://u:"+secret+"@h/\n    C=y\n    D_TOKEN=\""+secret+
		"\n    export E_TOKEN="+secret+"\n    F_TOKEN: "+secret+"\n  password: "+secret+"\n  exec: {start: \"a --password="+secret+"\"}\n"))
	var b strings.Builder
	_ = findings.Write(&b, false)
	if strings.Contains(b.String(), secret) {
		t.Errorf("the output shows the secret:\n%s", b.String())
	}
	// Nor does a line that has the name and lacks the sign.
	for _, line := range []string{"DB_PASSWORD \"hunter2\"", "DB_PASSWORD hunter2", "export DB_PASSWORD hunter2", "- API_TOKEN hunter2", "DB_PASSWORD: {{ x }}hunter2", "DB_PASSWORD := hunter2", "DB_PASSWORD hunter2 = x", "# DB_PASSWORD hunter2 \\"} {
		_, findings := Check("spec.yml", block(line))
		b.Reset()
		_ = findings.Write(&b, false)
		if strings.Contains(b.String(), secret) || !strings.Contains(b.String(), "[bad-") {
			t.Errorf("%s: the output shows the secret, or no fault:\n%s", line, b.String())
		}
	}
	_, findings = Check("spec.yml", []byte(minimal+"  exec: {start: \"a --db-password hunter2 --verbose\"}\n"))
	b.Reset()
	if _ = findings.Write(&b, false); strings.Contains(b.String(), secret) {
		t.Errorf("the output shows the secret:\n%s", b.String())
	}
	// What is no secret stays to be read.
	_, findings = Check("spec.yml", block("reset your password by mail\nAPI_TOKEN {{ vault_x }}"))
	if len(findings) < 2 || !strings.HasSuffix(findings[1].Excerpt, "password by mail") || !strings.HasSuffix(findings[2].Excerpt, "{{ vault_x }}") {
		t.Errorf("%+v", findings)
	}
	// The lines of a secret that goes over several, to the last.
	s, _ := Parse("spec.yml", block("A_TOKEN='first\n  second\n  hunter2'\nB=1"))
	for line := 6; line <= 8; line++ {
		if text := s.excerpt(line); strings.Contains(text, "first") || strings.Contains(text, "second") || strings.Contains(text, secret) {
			t.Errorf("line %d is shown: %s", line, text)
		}
	}
	if got := s.excerpt(9); got != "    B=1" {
		t.Errorf("the line below is hidden: %s", got)
	}
	// The hint names a variable that can be.
	_, findings = Check("spec.yml", block("export API_KEY=hunter2"))
	for _, f := range findings {
		if f.Rule == "plain-secret" && (!strings.HasSuffix(f.Hint, "write {{ vault_api_key }}") || !strings.HasPrefix(f.Message, "API_KEY looks")) {
			t.Errorf("%+v", f)
		}
	}
	// A file that is no YAML hides them too.
	_, findings = Check("spec.yml", []byte("service:\n  - password: "+secret+": [\n"))
	b.Reset()
	_ = findings.Write(&b, false)
	if strings.Contains(b.String(), secret) || !strings.Contains(b.String(), "[syntax]") {
		t.Errorf("the output shows the secret, or no fault:\n%s", b.String())
	}
}

// TestEntropy: the bound itself, and what lies just below it. Twenty characters
// of twelve different ones have at most 3.52 bits each, of fourteen 3.72.
func TestEntropy(t *testing.T) {
	f := func(word string, want bool) {
		t.Helper()
		if got := random(word); got != want {
			t.Errorf("%s with %.2f bits is random: %v, want %v", word, entropy(word), got, want)
		}
	}
	f("aB3dE5gH7jK9aB3dE5gH", false)
	f("aB3dE5gH7jK9mNaB3dE5", true)
	if got := entropy("aabb"); got != 1 {
		t.Errorf("the entropy of aabb is %v", got)
	}
}
