package rules

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/rules/lang"
)

// throttle is a compiled Throttle.
type throttle struct {
	key    *lang.Expression // nil: there is none, or it has a fault
	keyed  bool
	times  int
	within time.Duration
}

func (b *builder) throttle(in *Throttle) *throttle {
	out := &throttle{keyed: !in.Key.IsZero(), times: max(in.Times, 1), within: in.Within}
	if out.keyed {
		out.key = b.expression(in.Key)
	}
	return out
}

// once is by what a delivery of the action is counted; nil where its key is missing:
// then it goes, and counts for nobody. What is stored of a key is a hash.
func (t *throttle) once(action string, sc *lang.Scope) (*event.Once, error) {
	o := &event.Once{Scope: "throttle/" + action, Window: t.within, Times: t.times, Reason: "throttle: " + t.words()}
	if t.key == nil {
		return o, nil
	}
	key, err := t.key.Text(sc)
	if err != nil || key == "" {
		return nil, err //nolint:wrapcheck // as it is for people
	}
	sum := sha256.Sum256([]byte(key))
	o.Key = hex.EncodeToString(sum[:16])
	o.Reason += fmt.Sprintf(" for %q", shorten(key))
	return o, nil
}

// identity is by what an action is counted: its step, else its place among the rule's
// actions to its connection.
func (a *action) identity() string {
	if a.step == "" {
		return a.name
	}
	rule, _, _ := strings.Cut(a.name, "/")
	return rule + "//" + a.step
}

// words are how many go in which time: 3 in 1 h.
func (t *throttle) words() string {
	if t.times == 1 {
		return "one in " + span(t.within)
	}
	return fmt.Sprintf("%d in %s", t.times, span(t.within))
}

// Span is the time in which so many go: 30 d.
func (t *Throttle) Span() string { return span(t.Within) }

// span is a duration in the largest units that leave nothing over: 30 d, 90 min.
func span(d time.Duration) string {
	for _, unit := range []struct {
		of   time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "min"}, {time.Second, "s"}} {
		if d%unit.of == 0 {
			return fmt.Sprintf("%d %s", d/unit.of, unit.name)
		}
	}
	return d.String()
}

// personal are the inputs that say whom an action reaches.
var personal = []string{"recipient", "channel", "phone", "to_number", "email", "chat_id", "user"}

// throttle warns of a key that reads what no event has, and advises where a throttle
// counts together what may be meant apart, or by a name that can change.
func (l *linter) throttle(in *Action, a *action, to audience) {
	if in.Throttle == nil || a.throttle == nil {
		return
	}
	l.secrets(in.Throttle.Key)
	if a.throttle.key != nil {
		analysis := a.throttle.key.Analyse()
		l.analysis(&analysis, to)
	}
	at := in.To
	for i := range a.inputs {
		if a.throttle.keyed || a.inputs[i].template == nil || a.inputs[i].template.Static() || !isPersonal(a.inputs[i].name) {
			continue
		}
		l.add(at.Diag("throttle-no-key", "key: what tells them apart, such as lower(data.email)",
			"%s is another for each event, and the throttle counts them all together", a.inputs[i].name).Weigh(diag.Advice))
		break
	}
	if a.number > 1 && a.step == "" {
		l.add(at.Diag("throttle-no-step", "give it a name, as in step: welcome, by which it is counted then",
			"the throttle counts as %s: an action to %s that is put before it begins the count anew", a.name, a.connection).Weigh(diag.Advice))
	}
}

func isPersonal(input string) bool {
	for _, name := range personal {
		if strings.EqualFold(name, input) {
			return true
		}
	}
	return false
}
