package storage

import (
	"context"
	"iter"
	"strings"

	"github.com/minio/minio-go/v7"
)

func (s *s3) List(ctx context.Context, prefix string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		for o, err := range s.objects(ctx, prefix) {
			if err != nil {
				yield(Info{}, err)
				return
			}
			hidden := strings.HasPrefix(o.Name, ".") || strings.Contains(o.Name, "/.")
			if !hidden && !strings.HasSuffix(o.Name, "/") && !yield(o, nil) {
				return
			}
		}
	}
}

// objects is List with the names that start with a dot. A listing comes in pages
// of a thousand, and the next page is asked for by the last key. A server over a
// file system (versitygw) lists "a/…" before "a-b/…", against S3's order, then takes
// the last key of a page for an earlier place, and gives the same pages again for
// ever. So a name that comes twice makes this go on folder by folder, where the
// order is right, but for some names that come twice.
func (s *s3) objects(ctx context.Context, prefix string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		seen := map[string]bool{}
		for o, err := range s.listing(ctx, prefix, true) {
			if err == nil && seen[o.Name] {
				s.folders(ctx, prefix, seen, yield)
				return
			}
			seen[o.Name] = true
			if !yield(o, err) || err != nil {
				return
			}
		}
	}
}

// folders lists prefix, and each folder below it by itself. It leaves out what
// is in seen, and reports whether yield wants more.
func (s *s3) folders(ctx context.Context, prefix string, seen map[string]bool, yield func(Info, error) bool) bool {
	for o, err := range s.listing(ctx, prefix, false) {
		if err != nil {
			yield(Info{}, err)
			return false
		}
		if seen[o.Name] {
			continue
		}
		seen[o.Name] = true
		if strings.HasSuffix(o.Name, "/") {
			if !s.folders(ctx, o.Name, seen, yield) {
				return false
			}
		} else if !yield(o, nil) {
			return false
		}
	}
	return true
}

// listing asks the server. Without deep, a folder is one name with a slash at
// its end.
func (s *s3) listing(ctx context.Context, prefix string, deep bool) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		ctx, cancel := context.WithCancel(ctx) // ends the listing when yield does
		defer cancel()
		for o := range s.client.Client.ListObjects(ctx, s.bucket, minio.ListObjectsOptions{Prefix: s.key(prefix), Recursive: deep}) {
			if o.Err != nil {
				yield(Info{}, s.failed("list", prefix, o.Err))
				return
			}
			name := strings.TrimPrefix(o.Key, s.key(""))
			if !yield(Info{Name: name, Size: o.Size, Modified: o.LastModified}, nil) {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(Info{}, s.failed("list", prefix, err))
		}
	}
}
