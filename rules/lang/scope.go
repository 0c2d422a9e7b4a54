package lang

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/expr-lang/expr/vm"

	"hookgate/internal/jsondoc"
)

// eventTime is how event.time is written: RFC 3339, to the millisecond, in
// the time zone that Meta.Time has.
const eventTime = "2006-01-02T15:04:05.000Z07:00"

// Scope is what one event's expressions see: data, event, headers, query. It
// keeps what it resolved, so everything that judges one event should share
// one. Event may be changed between evaluations. Not for concurrent use.
type Scope struct {
	Event   Meta
	Began   time.Time      // what delays count from; zero: the event's time
	Output  map[string]any // what an Assertion sees as output, as plain data; nil otherwise
	Records Records        // of kept tables; nil: there are none
	// Answers are what steps are taken to be answered where it is asked what would
	// come of an event, by their names, with or without that of their rule; nil: all
	// are open.
	Answers map[string]Answer
	doc     *jsondoc.Doc
	headers map[string]string
	query   map[string]any

	space  *space         // whose numbers slots has
	slots  []slot         // by path.slot
	env    map[string]any // of the fast route, by path.name
	plain  map[string]any // of the plain route; nil until it is needed
	values bool           // plain is all that there is
	item   any            // what expressions of an element see as item
	index  int            // and as index; -1: there is no element
	// What expressions of an action see of the steps that it comes after; nil: there
	// are none.
	outputs, errors map[string]any
	items           []any // what expressions see as items; nil: there is no digest
	vm              vm.VM
	meter           meter
}

// slot is what a Scope knows of a path.
type slot struct {
	state  slotState
	loaded bool // the value is in env
	// computed says the same of the value to compute with.
	computed bool
	value    jsondoc.Value
	decoded  any // value, once one of the two is in env
}

type slotState byte

const (
	unresolved slotState = iota
	resolved             // value is good; none: null or missing
	broken               // the path breaks off before its end
)

// scopes keeps virtual machines and environments from one event to the next.
var scopes = sync.Pool{New: func() any { return &Scope{env: map[string]any{}} }}

// NewScope makes the scope of one event. doc may be nil: then data is nil.
// Header names must be in lower case. The arguments must stay unchanged until
// Release, which does not release doc.
func NewScope(doc *jsondoc.Doc, meta Meta, headers map[string]string, query map[string]any) *Scope {
	s, ok := scopes.Get().(*Scope)
	if !ok {
		s = &Scope{env: map[string]any{}}
	}
	s.Event, s.doc, s.headers, s.query, s.index = meta, doc, headers, query, -1
	s.vm.MemoryBudget = maxElements
	return s
}

// NewValues makes a scope of plain data, as jsondoc.Doc.Value has it, for what was
// compiled by NewCompilerFor. The values must stay unchanged until Release.
func NewValues(values map[string]any) *Scope {
	s := &Scope{env: map[string]any{}, values: true, plain: maps.Clone(values), index: -1}
	if s.plain == nil {
		s.plain = map[string]any{}
	}
	s.vm.MemoryBudget = maxElements
	return s
}

// Begun is what the delays of actions count from, in the zone of the event's
// time.
func (s *Scope) Begun() time.Time {
	if s.Began.IsZero() {
		return s.Event.Time
	}
	return s.Began.In(s.Event.Time.Location())
}

// Release gives the scope's memory back. Values and JSON that came from it stay good.
func (s *Scope) Release() {
	s.reset(nil)
	if s.plain != nil { // the machine may still point into the decoded event
		s.vm = vm.VM{}
	}
	s.doc, s.headers, s.query, s.plain, s.values, s.item = nil, nil, nil, nil, false, nil
	s.outputs, s.errors, s.Answers, s.items = nil, nil, nil, nil
	s.Event, s.Began, s.Records = Meta{}, time.Time{}, nil
	s.meter.records = nil
	clear(s.vm.Stack[:cap(s.vm.Stack)])
	clear(s.vm.Variables)
	scopes.Put(s)
}

// reset forgets the paths of one Compiler and gets ready for those of another.
func (s *Scope) reset(to *space) {
	s.space = to
	clear(s.slots)
	clear(s.env)
}

// enter gets ready for what one Compiler compiled.
func (s *Scope) enter(of *space) {
	if s.space != of {
		s.reset(of)
	}
	if missing := len(of.bySource) - len(s.slots); missing > 0 {
		s.slots = append(s.slots, make([]slot, missing)...)
	}
}

// load puts the values of all paths into the environment. It reports false
// when one of them breaks off, and the plain route must decide.
func (s *Scope) load(reads []read) bool {
	for _, r := range reads {
		if r.path.root == "data" {
			if !s.loadData(r) {
				return false
			}
		} else if !s.loadOther(r.path) {
			return false
		}
	}
	return true
}

func (s *Scope) loadData(r read) bool {
	at := &s.slots[r.path.slot]
	loaded := &at.loaded
	if r.computed {
		loaded = &at.computed
	}
	if *loaded {
		return true
	}
	value, ok := s.resolve(r.path)
	if !ok {
		return false
	}
	if value.Kind() != jsondoc.None { // a missing key of the environment is nil already
		if !at.loaded && !at.computed {
			at.decoded = jsondoc.Decode(value)
		}
		if r.computed {
			s.env[r.path.computed] = jsondoc.Compute(at.decoded)
		} else {
			s.env[r.path.name] = at.decoded
		}
	}
	*loaded = true
	return true
}

// resolve finds the value of a path below data, and that of its parents.
func (s *Scope) resolve(p *path) (jsondoc.Value, bool) {
	at := &s.slots[p.slot]
	if at.state != unresolved {
		return at.value, at.state == resolved
	}
	switch {
	case p.parent == nil:
		if at.state = resolved; !s.doc.Root().IsNull() {
			at.value = s.doc.Root()
		}
	case p.plainKey():
		s.expand(p.parent)
	default:
		value, ok := s.resolve(p.parent)
		if ok {
			value, ok = walk(value, p.rest)
		}
		if at.state = resolved; !ok {
			at.state = broken
		}
		at.value = value
	}
	return at.value, at.state == resolved
}

// expand resolves all paths that are one key below parent in one pass over the
// object. Of a key that stands twice the last value counts.
func (s *Scope) expand(parent *path) {
	value, ok := s.resolve(parent)
	state := broken
	if ok && value.Kind() == jsondoc.Object {
		state = resolved
	}
	for _, list := range parent.keyed {
		for _, p := range list {
			s.slots[p.slot].state = state
		}
	}
	if state == broken {
		return
	}
	for key, value := range value.Fields() {
		p := parent.keyed.find(key)
		switch {
		case p == nil:
		case value.IsNull():
			s.slots[p.slot].value = jsondoc.Value{}
		default:
			s.slots[p.slot].value = value
		}
	}
}

// loadOther loads a path that starts at event, headers or query. What goes
// deeper than one key is left to the plain route: these are flat.
func (s *Scope) loadOther(p *path) bool {
	if len(p.rest) == 0 {
		s.env[p.name] = s.rootValue(p.root)
		return true
	}
	key := p.rest[0]
	if len(p.rest) > 1 || p.parent != nil || key.index >= 0 {
		return false
	}
	switch p.root {
	case "event": // it may have changed since it was loaded
		if field, ok := s.eventField(key.key); ok && s.env[p.name] != field {
			s.env[p.name] = field
		}
	case "headers":
		if value, ok := s.headers[key.key]; ok && !s.slots[p.slot].loaded {
			s.env[p.name] = value
		}
	case "query":
		if value, ok := s.query[key.key]; ok && !s.slots[p.slot].loaded {
			s.env[p.name] = value
		}
	}
	s.slots[p.slot].loaded = true
	return true
}

// eventFields are the keys of event.
var eventFields = []string{"id", "source", "time", "type"}

// eventField is the value of one of eventFields; of another key there is none.
func (s *Scope) eventField(key string) (value string, ok bool) {
	switch key {
	case "id":
		return s.Event.ID, true
	case "source":
		return s.Event.Source, true
	case "type":
		return s.Event.Type, true
	case "time":
		return s.Event.Time.Format(eventTime), true
	}
	return "", false
}

// rootValue is a whole root, other than data, as plain data.
func (s *Scope) rootValue(root string) any {
	switch root {
	case "event":
		object := make(map[string]any, len(eventFields))
		for _, key := range eventFields {
			object[key], _ = s.eventField(key)
		}
		return object
	case "headers":
		object := make(map[string]any, len(s.headers))
		for key, value := range s.headers {
			object[key] = value
		}
		return object
	case "query":
		object := make(map[string]any, len(s.query))
		maps.Copy(object, s.query)
		return object
	}
	return nil
}

// plainEnv is the whole event, fully decoded: the environment of the plain route.
func (s *Scope) plainEnv() map[string]any {
	if s.values {
		return s.plain
	}
	if s.plain == nil {
		s.plain = map[string]any{"data": s.doc.Value(), "headers": s.rootValue("headers"), "query": s.rootValue("query")}
	}
	s.plain["event"] = s.rootValue("event")
	if s.Output != nil {
		s.plain[outputName] = s.Output
	}
	if s.index >= 0 {
		s.plain[ItemName], s.plain[IndexName] = s.item, s.index
	}
	if s.items != nil {
		s.plain[ItemsName] = s.items
	}
	if s.outputs != nil {
		s.plain[OutputsName], s.plain[ErrorsName] = s.outputs, s.errors
	}
	return s.plain
}

// What an expression that is asked for each element of a list calls the element,
// and its position, from 0.
const (
	ItemName  = "item"
	IndexName = "index"
)

// SetElement sets what expressions see as item and index, until it is set anew. item
// is plain data, as Expression.Eval gives it.
func (s *Scope) SetElement(item any, index int) { s.item, s.index = item, index }

// ItemsName is what an expression of an action with a digest calls the events in it.
const ItemsName = "items"

// SetItems sets what expressions see as items, until it is set anew: the events of a
// digest, as Item gives each.
func (s *Scope) SetItems(items []any) { s.items = items }

// Item is the event of the scope as one of a digest's items: its data, and its event.
// It stays good when the scope is released.
func (s *Scope) Item() any {
	return map[string]any{"data": s.doc.Value(), "event": s.rootValue("event")}
}

// What an expression of an action that comes after others calls what these were
// answered.
const (
	OutputsName = "outputs"
	ErrorsName  = "errors"
)

// AnyStep names, in Scope.Answers, all steps that no other name stands for.
const AnyStep = "*"

// Answer is what a step is taken to be answered.
type Answer struct {
	Failed    bool
	Cancelled bool
	Error     string         // of one that failed
	Outputs   map[string]any // of one that was delivered
	// HTTP are the answers to its attempts, the last one to all that follow: who tries
	// rules has its connection judge them. The rest is then what the last of them says
	// by its status alone.
	HTTP []HTTPAnswer
}

// HTTPAnswer is what a receiver answers by HTTP.
type HTTPAnswer struct {
	Status  int
	Headers map[string]string
	Body    []byte
}

// ReadAnswer reads a step and what it is taken to be answered, as people write it:
// contact={"id":"7"} with its outputs, or contact=failed:reason.
func ReadAnswer(text string) (step string, a Answer, ok bool) {
	step, value, found := strings.Cut(text, "=")
	if step = strings.TrimSpace(step); !found || step == "" {
		return "", a, false
	}
	value = strings.TrimSpace(value)
	if reason, is := strings.CutPrefix(value, "failed"); is && (reason == "" || reason[0] == ':') {
		a.Failed, a.Error = true, strings.TrimPrefix(reason, ":")
		return step, a, true
	}
	decoder := json.NewDecoder(strings.NewReader(value))
	decoder.UseNumber() // an id may have more digits than a float
	err := decoder.Decode(&a.Outputs)
	return step, a, err == nil && a.Outputs != nil
}

// SetSteps sets what expressions see as outputs and errors, until they are set anew:
// plain data, by the names of steps.
func (s *Scope) SetSteps(outputs, errors map[string]any) { s.outputs, s.errors = outputs, errors }

// rootNames lists the names in scope, sorted.
func rootNames() []string { return slices.Sorted(maps.Keys(roots)) }
