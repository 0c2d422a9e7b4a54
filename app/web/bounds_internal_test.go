package web

import (
	"net/netip"
	"testing"
	"time"
)

func address(i int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
}

// An attacker has more addresses than we have memory.
func TestBucketsAreBounded(t *testing.T) {
	t.Parallel()
	b := newBuckets[netip.Addr](100)
	now := time.Unix(0, 0)
	for i := range 1000 {
		if _, ok := b.take(address(i), 1, time.Minute, now); !ok {
			t.Fatalf("the first post of address %d is refused", i)
		}
		if _, ok := b.take(address(i), 1, time.Minute, now); ok {
			t.Fatalf("the second post of address %d is let through", i)
		}
	}
	if len(b.byKey) != 100 || b.order.Len() != 100 {
		t.Errorf("%d keys, %d in order", len(b.byKey), b.order.Len())
	}
	if wait, ok := b.take(address(999), 1, time.Minute, now); ok || wait != time.Minute {
		t.Errorf("the latest address is forgotten: %s %v", wait, ok)
	}
	// A reload raises the rate: it counts from the next post on.
	b.take(address(999), 2, time.Second, now.Add(time.Second))
	if _, ok := b.take(address(999), 2, time.Second, now.Add(2*time.Second)); !ok {
		t.Error("a higher rate does not count after a reload")
	}
}

func TestNetwork(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"203.0.113.7": "203.0.113.7", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::", "2001:db8:1:2::9": "2001:db8:1:2::",
	} {
		if got := network(netip.MustParseAddr(text)).String(); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
	if got := network(netip.Addr{}); got.IsValid() {
		t.Errorf("no address: %s", got)
	}
}

func TestBodyTimeout(t *testing.T) {
	t.Parallel()
	l := Limits{}.withDefaults()
	for size, want := range map[int]time.Duration{
		-2: 10 * time.Second, -1: 10 * time.Second, 0: 10 * time.Second, 128 << 10: 10 * time.Second,
		1 << 20: 18 * time.Second, 10 << 20: 90 * time.Second, 1 << 30: longestRead,
	} {
		if got := l.bodyTimeout(size); got != want {
			t.Errorf("%d bytes: %s, want %s", size, got, want)
		}
	}
}
