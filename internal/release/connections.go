package release

import (
	"encoding/binary"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// closeConnections ends the ssh masters of a run, all at once, by what lies between
// `ssh -O exit` and a master, which is far less than a process for each. One that is
// stuck is left to its ControlPersist.
func closeConnections(dir string) {
	sockets, _ := os.ReadDir(dir)
	var all sync.WaitGroup
	for _, s := range sockets {
		all.Go(func() { _ = endMaster(filepath.Join(dir, s.Name()), 5*time.Second) })
	}
	all.Wait()
}

// From PROTOCOL.mux of OpenSSH.
const (
	muxHello     = 0x00000001
	muxVersion   = 4
	muxTerminate = 0x10000005
	muxOK        = 0x80000001
)

// endMaster asks the ssh behind a control socket to end. It returns when that has said
// yes, with an error when it has said no or hung up: OpenSSH's hangs up as it ends.
func endMaster(socket string, patience time.Duration) error {
	conn, err := net.DialTimeout("unix", socket, patience)
	if err != nil {
		return err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	const request = 1
	// Each is its length, its kind and one number.
	ask := []uint32{8, muxHello, muxVersion, 8, muxTerminate, request}
	if err := binary.Write(conn, binary.BigEndian, ask); err != nil {
		return err
	}
	for {
		var length, kind uint32
		if err := binary.Read(conn, binary.BigEndian, &length); err != nil {
			return err
		}
		if length < 4 || length > 1<<16 {
			return os.ErrInvalid
		}
		rest := make([]byte, length-4)
		if err := binary.Read(conn, binary.BigEndian, &kind); err != nil {
			return err
		}
		if err := binary.Read(conn, binary.BigEndian, rest); err != nil {
			return err
		}
		if kind == muxOK {
			return nil
		}
		if kind != muxHello {
			return os.ErrPermission
		}
	}
}
