package release

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// lock keeps a second run for the same service and environment off, as long as
// this one lasts: the hosts themselves only know of a release while they are in
// the middle of it. It holds for one user of one machine; the error wraps
// ErrLocked and says who holds it. The kernel gives it back when the process
// ends, however it ends.
func lock(dir string, in *Infra, service string) (unlock func(), err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(in.Inventory + "\x00" + service))
	f, err := os.OpenFile(filepath.Join(dir, hex.EncodeToString(sum[:8])+".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		holder, _ := os.ReadFile(f.Name())
		f.Close()
		who := cmp.Or(strings.TrimSpace(string(holder)), "it has just begun")
		return nil, &hostError{ErrLocked, fmt.Sprintf("%s in %s is locked: another kinectl on this machine is at it (%s)", service, in.Env, who)}
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	// Who holds it is only for the message; the lock itself is the kernel's.
	_ = f.Truncate(0)
	_, _ = fmt.Fprintf(f, "process %d, since %s\n", os.Getpid(), time.Now().Format(time.RFC3339))
	return func() { f.Close() }, nil
}
