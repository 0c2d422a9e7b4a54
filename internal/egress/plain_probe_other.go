//go:build !unix

package egress

import "net"

// probes: see the other file. Here net/http makes all requests.
const probes = false

func newProbe(net.Conn) func() bool { return func() bool { return false } }
