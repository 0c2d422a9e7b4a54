//go:build unix

package egress

import (
	"net"
	"syscall"
)

// probes says that this system can tell whether an idle connection lives. Only
// then connections are kept without net/http, which has a goroutine read from
// each.
const probes = true

// newProbe makes the question whether conn is open and has nothing to read. A
// receiver that has closed it, or has sent what nobody asked for, must not be
// met by the next request. A connection that cannot be asked never is.
func newProbe(conn net.Conn) func() bool {
	sc, ok := conn.(syscall.Conn)
	if !ok {
		return func() bool { return false }
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return func() bool { return false }
	}
	var quiet bool
	var one [1]byte
	look := func(fd uintptr) bool {
		_, err := syscall.Read(int(fd), one[:]) // it does not block: the descriptor is Go's
		quiet = err == syscall.EAGAIN
		return true
	}
	return func() bool {
		quiet = false
		return raw.Read(look) == nil && quiet
	}
}
