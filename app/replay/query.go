// Package replay looks at stored events again: with the rules that judged
// them, with the rules in force, or with those of another configuration.
package replay

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"hookgate/app/ingest"
	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

// WhereFile is the name that positions in an expression give in place of a file.
const WhereFile = "where"

// Query selects events by what is in them. The zero Query selects all. It is
// safe for concurrent use.
type Query struct {
	where *lang.Predicate
	text  []byte // in lower case
}

// NewQuery compiles a condition of the rules' language over data, event,
// headers and query ("" is none), and a text that an event must hold in its
// data, its id or its type, in upper or lower case ("" is none).
func NewQuery(where, text string) (*Query, diag.List) {
	q := &Query{text: bytes.ToLower([]byte(strings.TrimSpace(text)))}
	if strings.TrimSpace(where) == "" {
		return q, nil
	}
	// A literal block holds any text as it is, moved by a line and two columns.
	code := strings.TrimLeft(where, " \t\r\n")
	block := "|-\n  " + strings.ReplaceAll(strings.TrimRight(code, " \t\r\n"), "\n", "\n  ")
	node, list := yamlnode.Parse(WhereFile, []byte(block))
	if list.Err() == nil {
		var faults diag.List
		q.where, faults = lang.NewCompiler().Predicate(node.Text())
		list = append(list, faults...)
	}
	before := where[:len(where)-len(code)]
	for i := range list {
		d := &list[i]
		d.Line, d.Column = max(1, d.Line-1), max(1, d.Column-2)
		if d.Line == 1 {
			d.Column += len(before) - strings.LastIndexByte(before, '\n') - 1
		}
		d.Line += strings.Count(before, "\n")
	}
	return q, list
}

// anywhere makes the scopes of a condition: it sees times in UTC.
var anywhere = &ingest.RuleSet{}

// All reports whether every event is selected.
func (q *Query) All() bool { return q.where == nil && len(q.text) == 0 }

// Match reports whether e is selected. The error is that the condition cannot
// be evaluated for it: then it is not.
func (q *Query) Match(e *event.Event) (ok bool, err error) {
	if len(q.text) > 0 && !q.holdsText(e) {
		return false, nil
	}
	if q.where == nil {
		return true, nil
	}
	if e.State == event.Rejected { // what there is of it is no data
		return false, nil
	}
	scoped := anywhere.WithScope(e, func(sc *lang.Scope) { ok, err = q.where.Eval(sc) })
	if scoped != nil {
		return false, scoped
	}
	return ok, err
}

func (q *Query) holdsText(e *event.Event) bool {
	for _, short := range []string{e.ID.String(), e.Type, e.Source} {
		if bytes.Contains(bytes.ToLower([]byte(short)), q.text) {
			return true
		}
	}
	data := e.Data()
	if q.isIn(data) {
		return true
	}
	// Letters beyond ASCII, and quotes, may be written as escapes.
	if !bytes.Contains(data, []byte(`\`)) {
		return false
	}
	var v any
	if json.Unmarshal(data, &v) != nil {
		return false
	}
	return q.holdsValue(v)
}

// lowered are buffers for texts in lower case: a search has one of each event.
var lowered = sync.Pool{New: func() any { return new([]byte) }}

// isIn reports whether text holds what is looked for, in upper or lower case.
func (q *Query) isIn(text []byte) bool {
	buffer := lowered.Get().(*[]byte)
	defer lowered.Put(buffer)
	lower := append((*buffer)[:0], text...)
	*buffer = lower
	for i, c := range lower {
		switch {
		case c >= utf8.RuneSelf:
			return bytes.Contains(bytes.ToLower(text), q.text)
		case c >= 'A' && c <= 'Z':
			lower[i] = c + ('a' - 'A')
		}
	}
	return bytes.Contains(lower, q.text)
}

// holdsValue looks at the texts in v, and at the names of its keys.
func (q *Query) holdsValue(v any) bool {
	switch v := v.(type) {
	case string:
		return q.isIn([]byte(v))
	case []any:
		return slices.ContainsFunc(v, q.holdsValue)
	case map[string]any:
		for key, item := range v {
			if q.holdsValue(key) || q.holdsValue(item) {
				return true
			}
		}
	}
	return false
}
