package access

import (
	"net/netip"
	"testing"
	"time"
)

func address(i int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
}

// An attacker has more addresses than we have memory.
func TestLockoutsAreBounded(t *testing.T) {
	t.Parallel()
	l := newLockouts()
	now := time.Unix(0, 0)
	for i := range maxLockouts + 500 {
		l.failed(address(i), now.Add(time.Duration(i)*time.Millisecond))
	}
	if n := len(l.from); n > maxLockouts {
		t.Errorf("%d addresses are remembered", n)
	}
	if l.from[address(maxLockouts+499)] == nil || l.from[address(0)] != nil {
		t.Error("not the oldest is forgotten")
	}
	l.failed(address(1<<20), now.Add(time.Hour))
	if n := len(l.from); n != 1 {
		t.Errorf("%d addresses are remembered although their time is over", n)
	}
}
