package faults

import (
	"fmt"
	"testing"

	"hookgate/test/lab"
)

// The check of the order finds inversions: the standing negative control of the
// tests that use it.
func TestInversions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		steps []int // event numbers of one key; negative: the attempt failed
		want  int
	}{
		{"in order", []int{1, 2, 3}, 0},
		{"with retries", []int{-1, -1, 1, -2, 2, 3}, 0},
		{"a repeat before the next", []int{1, 1, 2}, 0},
		{"overtaken", []int{1, 3, 2}, 2},
		{"overtaken while retrying", []int{-1, 2, 1}, 2},
		{"repeated too late", []int{1, 2, 1}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var arrivals []lab.Arrival
			for _, n := range c.steps {
				a := lab.Arrival{Status: 200}
				if n < 0 {
					n, a.Status = -n, 503
				}
				a.Body = fmt.Appendf(nil, `{"n":%d,"key":"k"}`, n)
				arrivals = append(arrivals, a)
			}
			if got := inversions(t, arrivals); got != c.want {
				t.Errorf("%d inversions, want %d", got, c.want)
			}
		})
	}
}
