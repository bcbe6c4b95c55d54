package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// s3 keeps a repository in a bucket, one object a file. It relies on what
// Amazon S3 promises: an object is replaced whole, and whoever reads or lists
// after a write has returned sees it.
type s3 struct {
	client *minio.Core // tries again by itself after network errors and answers like 503
	sender *minio.Core // does not: see upload
	bucket string
	prefix string // without slashes at its ends; may be empty
	lease  time.Duration

	mu   sync.Mutex
	held *s3Lock // nil: not locked by us
}

// newS3 reads what it needs from the variables that Amazon's own tools read:
// AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL (default: Amazon), AWS_REGION or
// AWS_DEFAULT_REGION, AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY and
// AWS_SESSION_TOKEN, or AWS_SHARED_CREDENTIALS_FILE and AWS_PROFILE, or the role
// of the machine.
func newS3(bucket, prefix string, lease time.Duration, getenv func(string) string) (*s3, error) {
	first := func(names ...string) (value string) {
		for _, name := range names {
			if value = getenv(name); value != "" {
				break
			}
		}
		return value
	}
	endpoint, region := &url.URL{Scheme: "https", Host: "s3.amazonaws.com"}, first("AWS_REGION", "AWS_DEFAULT_REGION")
	if given := first("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"); given != "" {
		u, err := url.Parse(given)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.Trim(u.Path, "/") != "" || u.User != nil {
			return nil, fmt.Errorf("the variable AWS_ENDPOINT_URL: write http(s)://HOST[:PORT]: %w", ErrLocation)
		}
		endpoint = u
		if region == "" {
			region = "us-east-1" // what others than Amazon go by, and no question to them
		}
	}
	transport, err := minio.DefaultTransport(endpoint.Scheme == "https")
	if err != nil {
		return nil, err
	}
	o := minio.Options{
		Creds: credentials.NewChainCredentials([]credentials.Provider{
			&credentials.EnvAWS{}, &credentials.FileAWSCredentials{},
			&credentials.IAM{Client: &http.Client{Timeout: 5 * time.Second}},
		}),
		Secure:     endpoint.Scheme == "https",
		Region:     region,
		Transport:  dated{transport},
		MaxRetries: tries,
	}
	client, err := minio.NewCore(endpoint.Host, &o)
	if err != nil {
		return nil, fmt.Errorf("s3://%s: %w", bucket, err)
	}
	o.MaxRetries = 1
	sender, err := minio.NewCore(endpoint.Host, &o)
	if err != nil {
		return nil, fmt.Errorf("s3://%s: %w", bucket, err)
	}
	if lease == 0 {
		lease = 30 * time.Second
	}
	return &s3{client: client, sender: sender, bucket: bucket, prefix: prefix, lease: lease}, nil
}

func (s *s3) String() string { return strings.TrimSuffix("s3://"+s.bucket+"/"+s.prefix, "/") }

// key is the key of the object for a name.
func (s *s3) key(name string) string {
	if s.prefix == "" {
		return name
	}
	return s.prefix + "/" + name
}

func (s *s3) Get(ctx context.Context, name string, limit int64) ([]byte, error) {
	in, err := s.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	body, err := ReadAllLimit(in, limit)
	if err != nil {
		return nil, s.failed("read", name, err)
	}
	return body, nil
}

func (s *s3) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	body, _, _, err := s.client.GetObject(ctx, s.bucket, s.key(name), minio.GetObjectOptions{})
	if err != nil {
		return nil, s.failed("read", name, err)
	}
	return body, nil
}

func (s *s3) Stat(ctx context.Context, name string) (Info, error) {
	if err := checkName(name); err != nil {
		return Info{}, err
	}
	return s.stat(ctx, name)
}

func (s *s3) stat(ctx context.Context, name string) (Info, error) {
	o, err := s.client.StatObject(ctx, s.bucket, s.key(name), minio.StatObjectOptions{})
	if err != nil {
		return Info{}, s.failed("ask for", name, err)
	}
	return Info{Name: name, Size: o.Size, Modified: o.LastModified}, nil
}

// failed says what went wrong with which object; one that is not there is
// fs.ErrNotExist, a bucket that is not there is not. No error is none.
func (s *s3) failed(action, name string, err error) error {
	if err == nil {
		return nil
	}
	if answer := minio.ToErrorResponse(err); answer.Code == minio.NoSuchKey {
		err = fs.ErrNotExist
	} else if answer.Code != "" {
		err = fmt.Errorf("%w (%s)", err, answer.Code)
	} else if u := (*url.Error)(nil); errors.As(err, &u) {
		err = u.Err // its address is that of a signed request
	}
	return fmt.Errorf("%s %s of %s: %w", action, name, s, err)
}
