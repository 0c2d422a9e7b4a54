package web

import "testing"

// Sixteen addresses that want everything leave room for others.
func TestShares(t *testing.T) {
	t.Parallel()
	s := newShares(8192, 512)
	for range 1000 {
		for i := range 16 {
			s.take(address(i), false)
		}
	}
	if s.taken > 6000 {
		t.Errorf("16 addresses hold %d of %d places", s.taken, s.most)
	}
	for i := range 100 {
		for range 8 {
			if !s.take(address(100+i), false) {
				t.Fatalf("newcomer %d gets no place beside %d", i, s.taken)
			}
		}
	}
	alone := newShares(8192, 512)
	n := 0
	for alone.take(address(1), false) {
		n++
	}
	if n != 512 {
		t.Errorf("one address alone has %d places", n)
	}
	for range n {
		alone.give(address(1))
	}
	if alone.taken != 0 || len(alone.of) != 0 {
		t.Errorf("%d places are taken, %d addresses known", alone.taken, len(alone.of))
	}
}
