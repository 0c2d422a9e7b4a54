package yamlnode

import (
	"reflect"

	"hookgate/internal/diag"
)

// Placed is a value with the place where it stands, for a setting that others
// beside it can contradict. The tags of the field (bounds, hint, doc) speak of the
// value. A value that is refused is as if it were left out, so that nothing is said
// of it twice.
type Placed[T any] struct {
	Node // zero where the setting is left out

	Value T
}

// DecodeNode implements Decoder.
func (p *Placed[T]) DecodeNode(n Node) diag.List {
	var d decoder
	if d.value(n, p.held(), options{}); len(d.list) == 0 {
		p.Node = n
	}
	return d.list
}

// Describe implements Described.
func (p Placed[T]) Describe() Spec { return Describe[T]() }

func (p *Placed[T]) held() reflect.Value { return reflect.ValueOf(&p.Value).Elem() }

// held is the value that v, a Placed, holds; false where v is none.
func held(v reflect.Value) (reflect.Value, bool) {
	if v.CanAddr() {
		if p, ok := reflect.TypeAssert[interface{ held() reflect.Value }](v.Addr()); ok {
			return p.held(), true
		}
	}
	return v, false
}
