package lang

import (
	"fmt"
	"reflect"
	"time"

	"hookgate/internal/jsondoc"
)

// The bounds of one evaluation.
const (
	maxNodes      = 500                   // of an expression's syntax tree
	maxSource     = 10_000                // bytes of an expression
	maxNesting    = 2                     // of predicates: any(…, any(…, …))
	maxItems      = 10_000                // of a list that is iterated or sorted
	maxUniq       = 1_000                 // of a list for uniq, which compares each with each
	maxText       = 1 << 20               // bytes of a text that a function makes
	maxSpent      = 4 << 20               // bytes of all texts and lists made
	maxElements   = 300_000               // of all lists and objects that the machine makes
	maxPattern    = 1_000                 // bytes of a regular expression
	maxRegexWork  = 4_000_000             // instructions of the pattern × bytes of the text
	maxTime       = 80 * time.Millisecond // one step more may end after it
	maxStep       = 20 * time.Millisecond // of maxTime, for what happens between two looks at the clock
	ticksPerCheck = 128                   // iterations between two looks at the clock
)

// meterName is the meter's name in the environment; no expression can spell it.
const meterName = "\x00meter"

// limitError is the end of an evaluation that wanted too much, or a function
// called with what it cannot take. Its text is for people.
type limitError struct{ message string }

func (e *limitError) Error() string { return e.message }

func limitf(format string, args ...any) error {
	return &limitError{message: fmt.Sprintf(format, args...)}
}

// errSpent is the end of an evaluation that makes too much.
var errSpent = limitf("it made more than %d MB of texts and lists", maxSpent>>20)

// meter bounds one evaluation.
type meter struct {
	looked time.Time     // when the clock was looked at last
	took   time.Duration // up to then
	ticks  int
	spent  int
	doc    *jsondoc.Doc // what data is

	place   *place
	links   *Links  // nil: there are none
	records Records // nil: there are none
	at      time.Time
	source  string
	seen    func(branch int, value any) // of a CoverageProbe; nil: nobody watches
}

func (m *meter) start() {
	*m = meter{looked: time.Now(), seen: m.seen}
}

// tick counts an iteration.
func (m *meter) tick() error {
	if m.ticks++; m.ticks%ticksPerCheck == 0 {
		return m.clock()
	}
	return nil
}

// clock ends an evaluation that takes too long. On a busy machine a process can
// stand still for longer than that: what passes between two looks counts up to
// maxStep only, so that an expression of a few steps ends at its value always.
func (m *meter) clock() error {
	now := time.Now()
	m.took += min(now.Sub(m.looked), maxStep)
	m.looked = now
	if m.took > maxTime {
		return limitf("it took longer than %d ms", maxTime.Milliseconds())
	}
	return nil
}

// charge accounts for a value that a function made.
func (m *meter) charge(v any) error {
	switch x := v.(type) {
	case string:
		m.spent += len(x)
	case []any:
		m.spent += 16 * len(x)
	case bool, int, float64, nil:
	default:
		if r := reflect.ValueOf(v); r.Kind() == reflect.Slice || r.Kind() == reflect.Map {
			m.spent += 48 * r.Len()
		}
	}
	if m.spent > maxSpent {
		return errSpent
	}
	return m.clock()
}

// room refuses a text of size bytes before it is made.
func (m *meter) room(name string, size int) error {
	if size > maxText || size < 0 {
		return limitf("%s would make a text longer than %d MB", name, maxText>>20)
	}
	return nil
}
