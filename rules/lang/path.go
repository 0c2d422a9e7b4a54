package lang

import (
	"strconv"
	"sync/atomic"

	"github.com/expr-lang/expr/ast"

	"hookgate/internal/jsondoc"
)

// step is one member access of a static path.
type step struct {
	key      string
	index    int // into a list; -1: key is meant
	optional bool
	end      int // where an optional step that meets null goes on: past its whole chain
}

// path is a static path into the event, such as data.website.closed_by?.role.
type path struct {
	slot int // its number in the space
	// name and computed are its names in the flat environment: of the value as
	// it is passed on, and of the same with numbers to compute with. They are
	// short, because they are hashed for each use, and no identifiers.
	name, computed string
	root           string
	parent         *path  // the path up to rest; nil: this is a root, or not below data
	rest           []step // one step, or all from the first optional one on
	keyed          keyed  // the paths that go one plain key further
}

// plainKey reports whether the path is one key below its parent.
func (p *path) plainKey() bool {
	return len(p.rest) == 1 && p.rest[0].index < 0 && !p.rest[0].optional
}

// keyed are paths by the length of their last key, so that the keys of an
// object, most of which no expression names, are passed over at once.
type keyed [][]*path

// longKey is the length from which on keys share a place.
const longKey = 32

func (k *keyed) add(p *path) {
	at := min(len(p.rest[0].key), longKey)
	for len(*k) <= at {
		*k = append(*k, nil)
	}
	(*k)[at] = append((*k)[at], p)
}

// find is the path under key, nil when no expression names it.
func (k keyed) find(key []byte) *path {
	at := min(len(key), longKey)
	if at >= len(k) {
		return nil
	}
	for _, p := range k[at] {
		if p.rest[0].key == string(key) {
			return p
		}
	}
	return nil
}

// space numbers the paths of everything one Compiler compiled, so that a Scope
// resolves each of them once however many rules name it.
type space struct {
	bySource map[string]*path      // by pathSource
	links    atomic.Pointer[Links] // see SetLinks
	linked   []linkCall
	place    place // see SetPlace
	kept     bool  // see AllowKept
}

// add returns the path, with its parents, under its number.
func (s *space) add(root string, steps []step) *path {
	source := pathSource(root, steps)
	if p, ok := s.bySource[source]; ok {
		return p
	}
	p := &path{root: root}
	cut := len(steps) - 1
	for i, st := range steps {
		if st.optional {
			cut = i
			break
		}
	}
	if cut > 0 || (cut == 0 && root == "data") {
		p.parent = s.add(root, steps[:cut])
	}
	if cut >= 0 {
		p.rest = make([]step, len(steps)-cut)
		for i, st := range steps[cut:] {
			st.end -= cut
			p.rest[i] = st
		}
	}
	if p.parent != nil && p.plainKey() {
		p.parent.keyed.add(p)
	}
	p.slot = len(s.bySource)
	s.bySource[source] = p
	number := strconv.Itoa(p.slot)
	p.name, p.computed = "\x01"+number, "\x02"+number
	return p
}

// pathSource spells a path so that no two are alike.
func pathSource(root string, steps []step) string {
	name := []byte(root)
	for _, st := range steps {
		if st.optional {
			name = strconv.AppendInt(append(name, '?'), int64(st.end), 10)
		}
		if st.index >= 0 {
			name = append(strconv.AppendInt(append(name, '['), int64(st.index), 10), ']')
		} else {
			name = strconv.AppendQuote(append(name, '.'), st.key)
		}
	}
	return string(name)
}

// roots are the names in scope, with what they are.
var roots = map[string]bool{"data": true, "event": true, "headers": true, "query": true}

// staticPath reads a member chain whose every step is known at load. chain
// says that n stands inside an optional chain, whose end is known there.
func staticPath(n ast.Node, chain bool) (root string, steps []step, ok bool) {
	switch x := n.(type) {
	case *ast.IdentifierNode:
		return x.Value, nil, roots[x.Value]
	case *ast.ChainNode:
		root, steps, ok = staticPath(x.Node, true)
		for i := range steps {
			if steps[i].optional && steps[i].end < 0 {
				steps[i].end = len(steps)
			}
		}
		return root, steps, ok
	case *ast.MemberNode:
		if x.Method || (x.Optional && !chain) {
			return "", nil, false
		}
		st := step{index: -1, optional: x.Optional, end: -1}
		switch p := x.Property.(type) {
		case *ast.StringNode:
			st.key = p.Value
		case *ast.IntegerNode:
			st.index = p.Value
		default:
			return "", nil, false
		}
		root, steps, ok = staticPath(x.Node, chain)
		return root, append(steps, st), ok
	}
	return "", nil, false
}

// walk follows the steps. It reports false where the way breaks off: null or
// the wrong kind of value before a step that is not optional. A missing key
// of an object is nil, as null is.
func walk(v jsondoc.Value, steps []step) (jsondoc.Value, bool) {
	for i := 0; i < len(steps); i++ {
		st := &steps[i]
		if v.Kind() == jsondoc.None {
			if !st.optional {
				return v, false
			}
			i = st.end - 1
			continue
		}
		switch {
		case v.Kind() == jsondoc.Object && st.index < 0:
			v = v.Member(st.key)
		case v.Kind() == jsondoc.List && st.index >= 0:
			if v = v.Item(st.index); v.Kind() == jsondoc.None {
				return v, false
			}
		default:
			return jsondoc.Value{}, false
		}
		if v.IsNull() {
			v = jsondoc.Value{}
		}
	}
	return v, true
}
