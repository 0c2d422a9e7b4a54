package lang

import (
	"fmt"
	"math"
	"slices"
)

// domain is a set of values: those listed, or with not all but those; of
// numbers, those between the limits that there are.
type domain struct {
	not       bool
	values    []any // nil, bool, float64, string
	low, high *limit
}

type limit struct {
	at   float64
	open bool // the limit itself is not in
}

// canonical makes equal numbers the same value. Of whole numbers beyond 2^53
// several are one float, and so these stay as they are.
func canonical(v any) any {
	if n, ok := v.(int); ok {
		if n > 1<<53 || n < -1<<53 {
			return fmt.Sprintf("integer %d", n)
		}
		return float64(n)
	}
	return v
}

// join is and or or.
func (d domain) join(o domain, operator string) domain {
	if operator == "or" {
		return d.or(o)
	}
	return d.and(o)
}

// decided reports whether a side with this domain decides the junction for
// every event: nothing meets it under and, everything does under or.
func (d domain) decided(operator string) bool {
	if operator == "or" {
		return d.not && len(d.values) == 0 && !d.ranged()
	}
	return d.empty()
}

// single reports whether the domain comes from a comparison with one value.
func (d domain) single() bool { return len(d.values) == 1 && !d.ranged() }

func (d domain) ranged() bool { return d.low != nil || d.high != nil }

func (d domain) inverse() (domain, bool) {
	d.not = !d.not
	return d, !d.ranged()
}

func (d domain) empty() bool {
	if d.low != nil && d.high != nil && (d.low.at > d.high.at || d.low.at == d.high.at && (d.low.open || d.high.open)) {
		return true
	}
	return !d.not && !slices.ContainsFunc(d.values, d.within)
}

// within reports whether v is between the limits.
func (d domain) within(v any) bool {
	if !d.ranged() {
		return true
	}
	n, ok := v.(float64)
	return ok && !math.IsNaN(n) &&
		(d.low == nil || n > d.low.at || n == d.low.at && !d.low.open) &&
		(d.high == nil || n < d.high.at || n == d.high.at && !d.high.open)
}

func (d domain) and(o domain) domain {
	out := domain{low: higher(d.low, o.low), high: lower(d.high, o.high)}
	switch {
	case d.not && o.not:
		out.not, out.values = true, union(d.values, o.values)
	case d.not:
		out.values = without(o.values, d.values)
	case o.not:
		out.values = without(d.values, o.values)
	default:
		out.values = common(d.values, o.values)
	}
	return out
}

// or is the union. Of ranges it is everything, without being called so.
func (d domain) or(o domain) domain {
	switch {
	case d.ranged() || o.ranged():
		return domain{not: true, low: &limit{at: math.Inf(-1)}}
	case d.not && o.not:
		return domain{not: true, values: common(d.values, o.values)}
	case d.not:
		return domain{not: true, values: without(d.values, o.values)}
	case o.not:
		return domain{not: true, values: without(o.values, d.values)}
	}
	return domain{values: union(d.values, o.values)}
}

func higher(a, b *limit) *limit {
	if a == nil || b != nil && (b.at > a.at || b.at == a.at && b.open) {
		return b
	}
	return a
}

func lower(a, b *limit) *limit {
	if a == nil || b != nil && (b.at < a.at || b.at == a.at && b.open) {
		return b
	}
	return a
}

func union(a, b []any) []any { return append(slices.Clone(a), without(b, a)...) }

func common(a, b []any) []any {
	return slices.DeleteFunc(slices.Clone(a), func(v any) bool { return !slices.Contains(b, v) })
}

func without(a, b []any) []any {
	return slices.DeleteFunc(slices.Clone(a), func(v any) bool { return slices.Contains(b, v) })
}
