package storage

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"strings"
	"time"

	"github.com/kinectl/kinectl/internal/lazyregexp"
)

// Options are the choices of [Open] and [OpenReader].
type Options struct {
	HTTPClient *http.Client      // for http(s) locations; nil: one that gives up on a silent server
	Step       func(what string) // for directories, see Dir
	Create     bool              // Lock makes a directory that is not there, also on another machine
	Lease      time.Duration     // of the lock of a bucket, see the type s3Lock; 0: 30 seconds
	SSH        []string          // the ssh program and arguments before ours; nil: "ssh"
}

// forms is what a user can write.
const forms = "a directory, s3://BUCKET[/PREFIX], ssh://[USER@]HOST[:PORT]/PATH, or, only to read, http(s)://HOST/PATH"

// Open returns the place that location names:
//
//	DIRECTORY                       ./ before it where it looks like one of the others
//	s3://BUCKET[/PREFIX]            endpoint, region and credentials from the AWS_ environment
//	ssh://[USER@]HOST[:PORT]/PATH   through the program ssh and its configuration
//
// It reaches for nothing yet. What cannot be understood is [ErrLocation], an
// http(s) address is [ErrReadOnly]. The caller ends with [Close].
func Open(location string, o Options) (Store, error) {
	r, err := OpenReader(location, o)
	if err != nil {
		return nil, err
	}
	if s, ok := r.(Store); ok {
		return s, nil
	}
	return nil, fmt.Errorf("%s: %w", r, ErrReadOnly)
}

// OpenReader is [Open] for one who only reads; it takes http(s)://HOST[:PORT]/PATH too.
func OpenReader(location string, o Options) (Reader, error) {
	scheme, isURL := schemeOf(location)
	if !isURL {
		if location == "" {
			return nil, fmt.Errorf("the location is empty: write %s: %w", forms, ErrLocation)
		}
		d := newDir(location, o.Step)
		d.create = o.Create
		return d, nil
	}
	u, err := url.Parse(location)
	switch {
	case err != nil, u.Opaque != "", u.Host == "", u.RawQuery != "", u.Fragment != "", strings.ContainsAny(u.Path, "\x00\n\r"):
		return nil, locationError(location, scheme)
	}
	switch scheme {
	case "s3":
		prefix := strings.Trim(u.Path, "/")
		if u.User != nil || u.Port() != "" || prefix != "" && checkName(prefix) != nil {
			return nil, locationError(location, scheme)
		}
		return newS3(u.Host, prefix, o.Lease, os.Getenv)
	case "ssh":
		if _, password := u.User.Password(); password || !sshName.MatchString(u.Hostname()) || !sshUser.MatchString(u.User.Username()) ||
			path.Clean(u.Path) != u.Path && path.Clean(u.Path)+"/" != u.Path || u.Path == "/" || strings.Contains(u.Path, "'") {
			return nil, locationError(location, scheme)
		}
		return newSSH(u, o), nil
	case "http", "https":
		client := o.HTTPClient
		if client == nil {
			client = newClient()
		}
		return &web{strings.TrimRight(location, "/"), client}, nil
	default:
		return nil, locationError(location, scheme)
	}
}

// Close ends the connections of a place; to a directory it does nothing.
func Close(r Reader) error {
	if c, ok := r.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

var (
	urlLike = lazyregexp.New(`^(?:([a-z][a-z0-9+.-]*)://|(s3|ssh|https?):|[^/:@]+@[^/:]+:)`)
	// What ssh gets as an argument never looks like an option.
	sshName = lazyregexp.New(`^[A-Za-z0-9_:][A-Za-z0-9_.:%-]*$`)
	sshUser = lazyregexp.New(`^([A-Za-z0-9_][A-Za-z0-9_.@+-]*)?$`)
)

// schemeOf tells what is written as an address from the path of a directory.
// USER@HOST:PATH, as scp has it, counts as a misspelled address.
func schemeOf(location string) (scheme string, isURL bool) {
	m := urlLike.FindStringSubmatch(location)
	if m == nil {
		return "", false
	}
	return m[1] + m[2], true
}

func locationError(location, scheme string) error {
	form := forms
	switch scheme {
	case "s3":
		form = "s3://BUCKET or s3://BUCKET/PREFIX, the endpoint in AWS_ENDPOINT_URL"
	case "ssh", "":
		form = "ssh://[USER@]HOST[:PORT]/PATH with an absolute path, no quotes and no password, or ./ before the name of a directory"
	case "http", "https":
		form = "http(s)://HOST[:PORT]/PATH"
	}
	// A password may be in it, so only what is before one is shown.
	if _, after, found := strings.Cut(location, "@"); found && scheme != "" {
		location = scheme + "://…@" + after
	}
	return fmt.Errorf("%q: write %s: %w", location, form, ErrLocation)
}
