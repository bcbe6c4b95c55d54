package transaction

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMaskEnvironment shows what of an environment file leaves a host.
func TestMaskEnvironment(t *testing.T) {
	f := func(before, after, want string) {
		t.Helper()
		dir := t.TempDir()
		for name, text := range map[string]string{"before": before, "after": after} {
			if text == "-" {
				continue
			}
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		got, err := sourced(t, hello(), `work=$KINECTL_TEST; mask_environment "$work/before" "$work/after"; cat "$work/masked.old"; say --; cat "$work/masked.new"`, "KINECTL_TEST="+dir)
		if err != nil || got != want {
			t.Errorf("%v: got\n%s\nwant\n%s", err, got, want)
		}
		if strings.Contains(got, "hunter") {
			t.Errorf("a secret leaves the host:\n%s", got)
		}
	}
	const vault = `"\$ANSIBLE_VAULT;1.1;AES256` + "\n3836hunter\n6162" + `"` + "\n"
	f("", "", "--\n")
	f("-", "LOG_LEVEL=\"info\"\n", "--\nLOG_LEVEL=\"info\"\n")
	f("LOG_LEVEL=\"info\"\n", "LOG_LEVEL=\"debug\"\nGREETING=\"a \\\"b\\\" c\"\n", "LOG_LEVEL=\"info\"\n--\nLOG_LEVEL=\"debug\"\nGREETING=\"a \\\"b\\\" c\"\n")

	// Secrets by their names, and whether they change.
	f("DB_PASSWORD=\"hunter1\"\n", "DB_PASSWORD=\"hunter1\"\n", "DB_PASSWORD=(secret)\n--\nDB_PASSWORD=(secret)\n")
	f("DB_PASSWORD=\"hunter1\"\nA=\"1\"\n", "A=\"1\"\nDB_PASSWORD=\"hunter2\"\n", "DB_PASSWORD=(secret)\nA=\"1\"\n--\nA=\"1\"\nDB_PASSWORD=(another secret)\n")
	f("", "api_key='hunter'\nTOKEN=hunter\nX_SECRET_OLD=\"hunter\"\nEMPTY_TOKEN=\"\"\n", "--\napi_key=(secret)\nTOKEN=(secret)\nX_SECRET_OLD=(secret)\nEMPTY_TOKEN=\"\"\n")

	// By their values: encrypted ones, also over many lines, and known shapes.
	f("A="+vault+"B=\"1\"\n", "A="+strings.ReplaceAll(vault, "3836", "3837")+"B=\"2\"\n", "A=(secret)\nB=\"1\"\n--\nA=(another secret)\nB=\"2\"\n")
	f("", "A=\"JEFOU0lCTEVfVkFVTFQ7hunter\"\nB=\"ghp_hunter\"\nC=\"-----BEGIN RSA\nhunter\n-----END\"\nD=\"1\"\n", "--\nA=(secret)\nB=(secret)\nC=(secret)\nD=\"1\"\n")

	// In addresses: the rest of them is shown.
	f(`DSN="postgres://app:hunter@h1/db"`+"\n", `DSN="postgres://app:hunter@h2/db"`+"\n", `DSN="postgres://app:(secret)@h1/db"`+"\n--\n"+`DSN="postgres://app:(secret)@h2/db"`+"\n")
	f(`DSN="postgres://app:hunter1@h1/db"`+"\n", `DSN="postgres://app:hun@ter2@h1/db"`+"\n", `DSN="postgres://app:(secret)@h1/db"`+"\n--\n"+`DSN="postgres://app:(another secret)@h1/db"`+"\n")
	f("", `A="redis://:hunter@h1:6379/0"`+"\n"+`B="app:hunter@tcp(h1)/db"`+"\n"+`C="host=h1 password=hunter"`+"\n"+`D="http://h1:80/x"`+"\n",
		"--\n"+`A="redis://:(secret)@h1:6379/0"`+"\n"+`B="app:(secret)@tcp(h1)/db"`+"\nC=(secret in it)\n"+`D="http://h1:80/x"`+"\n")

	f("", `A="{\"user\": \"app\", \"password\": \"hunter\"}"`+"\n"+`B='token: hunter'`+"\n", "--\nA=(secret in it)\nB=(secret in it)\n")

	// What is no variable, or has no end, is not shown at all.
	f("", "# hunter\nhunter2\nA=\"hunter\nB=\"1\"\n", "--\n")
	f("A=\"hunter\n", "B=\"1\"\n", "--\nB=\"1\"\n")
}
