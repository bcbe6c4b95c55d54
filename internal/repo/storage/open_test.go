package storage

import (
	"errors"
	"strings"
	"testing"
)

func TestOpen(t *testing.T) {
	t.Setenv("AWS_ENDPOINT_URL", "")
	t.Setenv("AWS_ENDPOINT_URL_S3", "")
	f := func(location, want string) {
		t.Helper()
		r, err := OpenReader(location, Options{})
		if err != nil || r.String() != want {
			t.Errorf("%q opens %v: %v", location, r, err)
			return
		}
		_, err = Open(location, Options{})
		if web := strings.HasPrefix(location, "http"); web != errors.Is(err, ErrReadOnly) || !web && err != nil {
			t.Errorf("%q to write: %v", location, err)
		}
	}
	f("/srv/repository", "/srv/repository")
	f("repository", "repository")
	f("./s3:x", "./s3:x")
	f("an odd:name+%20", "an odd:name+%20")
	f("../me@host:x", "../me@host:x")
	f("s3://bucket", "s3://bucket")
	f("s3://bucket/", "s3://bucket")
	f("s3://bucket/a/b/", "s3://bucket/a/b")
	f("ssh://host/srv/repository", "ssh://host/srv/repository")
	f("ssh://me@host.example:2222/srv/a%20b", "ssh://me@host.example:2222/srv/a%20b")
	f("ssh://me@[::1]:2222/srv", "ssh://me@[::1]:2222/srv")
	f("http://host/apt/", "http://host/apt")
	f("https://me:secret@host/apt", "https://me:xxxxx@host/apt")

	wrong := func(location, hint string) {
		t.Helper()
		_, err := Open(location, Options{})
		if !errors.Is(err, ErrLocation) || !strings.Contains(err.Error(), hint) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", location, err)
		}
	}
	for _, location := range []string{"s3:bucket", "s3:/bucket", "s3://", "s3://bucket/../x", "s3://bucket?x", "s3://me:secret@bucket", "s3://bucket:1"} {
		wrong(location, "s3://BUCKET")
	}
	for _, location := range []string{
		"ssh:host", "ssh://host", "ssh://host/", "ssh:///path", "ssh://-oProxyCommand=x/path", "ssh://-l@host/path", "ssh://me:secret@host/path",
		"ssh://host/a/../b", "ssh://host/it's", "ssh://host/a%0ab", "me@host:/path", "me@host:path", "ssh://host:99999x/path",
	} {
		wrong(location, "ssh://[USER@]HOST")
	}
	wrong("http:host", "http(s)://HOST")
	wrong("https://me:secret@host/%zz", "http(s)://HOST")
	wrong("ftp://host/path", "s3://BUCKET")
	wrong("", "s3://BUCKET")

	for _, endpoint := range []string{"host:9000", "ftp://host", "http://host/path", "http://me:secret@host"} {
		t.Setenv("AWS_ENDPOINT_URL", endpoint)
		wrong("s3://bucket", "AWS_ENDPOINT_URL")
	}
}
