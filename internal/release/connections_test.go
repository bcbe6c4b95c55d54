package release

import (
	"encoding/binary"
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestEndMaster plays the master: what ssh itself does is seen in the lab, where no
// connection is left behind.
func TestEndMaster(t *testing.T) {
	f := func(want error, answer ...uint32) {
		t.Helper()
		socket := filepath.Join(t.TempDir(), "s")
		l, err := net.Listen("unix", socket)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		asked := make(chan [6]uint32, 1)
		go func() {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			var words [6]uint32
			_ = binary.Read(conn, binary.BigEndian, &words)
			_ = binary.Write(conn, binary.BigEndian, answer)
			asked <- words
		}()
		err = endMaster(socket, 5*time.Second)
		if want == nil && err != nil || want != nil && !errors.Is(err, want) {
			t.Errorf("answer %x: %v, want %v", answer, err, want)
		}
		if got := <-asked; got != [6]uint32{8, 1, 4, 8, 0x10000005, 1} {
			t.Errorf("asked %x", got)
		}
	}
	f(nil, 8, 1, 4, 8, 0x80000001, 1)
	f(os.ErrPermission, 8, 1, 4, 8, 0x80000002, 1) // MUX_S_PERMISSION_DENIED
	f(os.ErrInvalid, 1<<20)
	if err := endMaster(filepath.Join(t.TempDir(), "none"), time.Second); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no socket: %v", err)
	}
}
