package packager

import (
	"context"
	"io"
	"sync"

	"github.com/goreleaser/nfpm/v2"
)

// packUntil lets the library write the package. It returns when ctx is done, even in
// the middle of a compression, which the library does in memory and without
// asking anybody.
func packUntil(ctx context.Context, p nfpm.Packager, info *nfpm.Info, w io.Writer) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	out, done := &output{to: w}, make(chan error, 1)
	go func() { done <- p.Package(info, out) }()
	select {
	case err := <-done:
		if err != nil {
			return err
		}
		return out.close(nil)
	case <-ctx.Done():
		return out.close(ctx.Err())
	}
}

// output keeps the first error of a writer: a library may lose one.
type output struct {
	mu  sync.Mutex
	to  io.Writer
	err error
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return 0, o.err
	}
	n, err := o.to.Write(b)
	o.err = err
	return n, err
}

// close lets nothing be written any more, once it has returned, if err is not
// nil. It returns the first error.
func (o *output) close(err error) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil {
		o.err = err
	}
	return o.err
}
