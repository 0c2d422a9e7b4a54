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

// Whoever wants all of a portion has half of what the others leave; little is
// given beyond it, and once all is given back nobody is known.
func TestPortion(t *testing.T) {
	t.Parallel()
	const most = 1 << 20
	p := newPortion(most)
	fill := func(i int, little bool) (n int64) {
		for p.take(address(i), 1000, little) {
			n += 1000
		}
		return n
	}
	first, second := fill(1, false), fill(2, false)
	if first < most/2-1000 || first > most/2 || second < most/4-1000 || second > most/4+1000 {
		t.Errorf("two addresses have %d and %d of %d", first, second, most)
	}
	for i := range 100 {
		fill(10+i, false)
	}
	if p.held > most {
		t.Errorf("%d of %d are held", p.held, most)
	}
	third := fill(3, true)
	if third < most/4-1000 || p.held > most+most/4 {
		t.Errorf("for those that need little there are %d, and %d are held", third, p.held)
	}
	for from, n := range p.of {
		p.give(from, n)
	}
	if p.held != 0 || len(p.of) != 0 {
		t.Errorf("%d are held, by %d", p.held, len(p.of))
	}
}

// An upload that has come is a request as all others: its memory is no longer
// that of uploads, and all of it is given back in the end.
func TestHolding_upload(t *testing.T) {
	t.Parallel()
	b := newBudget(16 << 20)
	upload := &holding{budget: b, coming: true, from: address(1)}
	if !upload.grow(2<<20) || upload.grow(1<<20) || b.held.Load() != 2<<20 {
		t.Fatalf("an upload has %d of %d", b.held.Load(), b.most)
	}
	upload.arrived()
	if b.uploads.held != 0 || !upload.grow(4<<20) || b.held.Load() != 6<<20 {
		t.Errorf("one that has come holds %d, of them %d of those that come in", b.held.Load(), b.uploads.held)
	}
	upload.leave()
	full := &holding{budget: b}
	if !full.grow(8 << 20) {
		t.Fatal("there is no room")
	}
	b.held.Add(8 << 20)
	other := &holding{budget: b, coming: true, from: address(1)}
	if other.grow(1<<20) || b.uploads.held != 0 {
		t.Errorf("what was refused keeps %d", b.uploads.held)
	}
	full.leave()
	b.held.Add(-8 << 20)
	if b.held.Load() != 0 || len(b.uploads.of) != 0 {
		t.Errorf("%d are held in the end", b.held.Load())
	}
}
