package rules

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"hookgate/internal/calendar"
	"hookgate/internal/cron"
	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

// Digest is how an action gathers events, as it stands in the file.
type Digest struct {
	Key      yamlnode.Text `yaml:"key" doc:"What is gathered apart: those with the same value of this expression. All of the action's together where left out." type:"expression" example:"lower(data.email)"`
	Cron     yamlnode.Text `yaml:"cron" doc:"It closes when this comes next: minute, hour, day of the month, month, day of the week. One that begins with * needs quotes." example:"0 17 * * mon-fri"`
	Timezone yamlnode.Text `yaml:"timezone" doc:"The time zone of cron; server.timezone unless set." example:"Europe/Berlin"`
	Wait     time.Duration `yaml:"wait" doc:"It closes so long after the first event in it." example:"10m" above:"0s" max:"366d"`
	Quiet    time.Duration `yaml:"quiet" doc:"It closes when so long no event has joined it." example:"5m" above:"0s" max:"366d"`
	MaxWait  time.Duration `yaml:"max_wait" doc:"With quiet: it closes so long after the first event in any case." default:"24h" above:"0s" max:"366d"`
	Max      int           `yaml:"max" doc:"It closes with so many events. The next one opens another." default:"100" min:"1" max:"1000"`
	node     yamlnode.Node
}

const (
	// defaultMax is how many events close a digest where the rule does not say.
	defaultMax = 100
	// defaultMaxWait is when a digest with quiet closes in any case.
	defaultMaxWait = 24 * time.Hour
	// longestKey is how many bytes of a key are kept as they are.
	longestKey = 256
)

// DecodeNode implements yamlnode.Decoder: it keeps the Node.
func (d *Digest) DecodeNode(n yamlnode.Node) diag.List {
	list := n.Decode(d.Noun(), (*digestKeys)(d))
	d.node = n
	return list
}

// digestKeys is a Digest without DecodeNode and Describe.
type digestKeys Digest

// KeyHint is that of the Digest.
func (*digestKeys) KeyHint(key string) string { return (*Digest)(nil).KeyHint(key) }

// Describe implements yamlnode.Described.
func (Digest) Describe() yamlnode.Spec { return yamlnode.Describe[digestKeys]() }

// Noun names a digest in messages.
func (*Digest) Noun() string { return "a digest" }

// KeyHint says what other tools' words for a digest's keys are here.
func (*Digest) KeyHint(key string) string {
	ours := map[string]string{
		"by": "key", "group_by": "key", "on": "key", "window": "wait", "within": "wait", "every": "wait", "interval": "wait", "group_wait": "wait", "for": "wait", "delay": "wait",
		"debounce": "quiet", "idle": "quiet", "inactivity": "quiet", "group_interval": "quiet", "at": "cron", "schedule": "cron", "time": "cron", "tz": "timezone", "zone": "timezone",
		"limit": "max", "size": "max", "count": "max", "max_size": "max", "batch_size": "max", "times": "max", "max_delay": "max_wait", "timeout": "max_wait", "until": "max_wait",
	}[key]
	if ours == "" {
		return ""
	}
	return diag.Meant(ours)
}

// Words say when it closes.
func (d *Digest) Words() string {
	switch {
	case !d.Cron.IsZero():
		return "cron " + d.Cron.Value
	case d.Quiet > 0:
		return span(d.Quiet) + " after the last, " + span(d.latest()) + " after the first at the latest"
	}
	return span(d.Wait) + " after the first"
}

// Most is how many events close it.
func (d *Digest) Most() int { return cmp.Or(d.Max, defaultMax) }

// latest is how long after the first event one with quiet closes in any case.
func (d *Digest) latest() time.Duration {
	return cmp.Or(d.MaxWait, max(defaultMaxWait, d.Quiet))
}

// digest is a compiled Digest.
type digest struct {
	words  string
	key    *lang.Expression // nil: there is none, or it has a fault
	keyed  bool
	cron   *cron.Schedule
	zone   *time.Location
	wait   time.Duration
	quiet  time.Duration
	latest time.Duration
	max    int
}

func (b *builder) digest(in *Action) *digest {
	d := in.Digest
	b.digestConflicts(in)
	out := &digest{words: d.Words(), keyed: !d.Key.IsZero(), wait: d.Wait, quiet: d.Quiet, latest: d.latest(), max: d.Most()}
	if out.keyed {
		out.key = b.expression(d.Key)
	}
	if !d.Cron.IsZero() {
		var list diag.List
		out.cron, list = cron.Read(d.Cron)
		b.add(list...)
	}
	var list diag.List
	out.zone, list = cron.ReadZone(d.Timezone, b.compiler.Location())
	b.add(list...)
	return out
}

// digestConflicts refuses what does not go together with a digest, or in it.
func (b *builder) digestConflicts(in *Action) {
	d := in.Digest
	at := func(key string) yamlnode.Node { return d.node.Get(key) }
	var closes []string
	for _, key := range []string{"cron", "wait", "quiet"} {
		if !at(key).IsZero() {
			closes = append(closes, key)
		}
	}
	switch {
	case len(closes) == 0:
		b.add(yamlnode.MissingKey(d.node, "wait", "or cron, or quiet: a digest closes by one of them", "a digest"))
	case len(closes) > 1:
		b.add(at(closes[1]).Diag("conflict", "leave one of the two out", "a digest closes by %s or by %s, not by both", closes[0], closes[1]))
	}
	if !d.Timezone.IsZero() && d.Cron.IsZero() {
		b.add(d.Timezone.Diag("conflict", "leave it out", "a timezone is for a digest that closes by cron"))
	}
	switch {
	case at("max_wait").IsZero():
	case d.Quiet == 0:
		b.add(at("max_wait").Diag("conflict", "leave it out", "max_wait is for a digest that closes by quiet"))
	case d.MaxWait < d.Quiet:
		b.add(at("max_wait").Diag("bad-value", "make it longer than quiet", "max_wait is shorter than quiet"))
	}
	for _, key := range []string{"after", "delay", "delay_until", "throttle"} {
		if n := in.Node.Get(key); !n.IsZero() {
			b.add(n.Diag("conflict", "leave one of the two out", "an action with a digest has no %s: it goes when the digest closes", key))
		}
	}
}

// Joining is how an event joins a digest in place of being sent.
type Joining struct {
	Name    string // of the action, as its digests are stored
	Key     string
	Shown   string // the key for people; "": there is none
	Closes  string // in words
	Keyed   bool
	Missing string // the source of a key that gave nothing; "": it gave something
	Ref     Ref
	of      *digest
	open    *calendar.Calendar // while which its deliveries go; nil: always
}

// joining is the digest that the event joins.
func (a *action) joining(rule string, sc *lang.Scope) (*Joining, error) {
	d := a.digest
	j := &Joining{Name: a.identity(), Closes: d.words, Keyed: d.keyed, Ref: Ref{Rule: rule, Connection: a.connection, Action: a.number}, of: d}
	if a.moment != nil {
		j.open = a.moment.open
	}
	if d.key == nil {
		return j, nil
	}
	key, err := d.key.Text(sc)
	if err != nil {
		return nil, fmt.Errorf("digest: %w", err)
	}
	if key == "" {
		j.Missing = d.key.Source()
	}
	j.Key, j.Shown = strings.ReplaceAll(key, "\x00", ""), shorten(key)
	if len(j.Key) > longestKey {
		sum := sha256.Sum256([]byte(j.Key))
		j.Key = strings.ToValidUTF8(j.Key[:100], "") + "…" + hex.EncodeToString(sum[:])
	}
	return j, nil
}

// shorten cuts a key for people.
func shorten(key string) string {
	const shown = 60
	if runes := []rune(key); len(runes) > shown {
		return string(runes[:shown]) + "…"
	}
	return key
}

// Gather is what is stored of an event of so many bytes of data that joins the digest
// now.
func (j *Joining) Gather(size int, now time.Time) event.Gather {
	g := event.Gather{
		Name: j.Name, Key: j.Key, Max: j.of.max, Size: size,
		Info: event.DigestInfo{Rule: j.Ref.Rule, Connection: j.Ref.Connection, Action: j.Ref.Action, Key: j.Shown, Keyed: j.Keyed, Closes: j.Closes},
	}
	switch {
	case j.of.cron != nil:
		g.Due = j.of.cron.Next(now, j.of.zone)
		g.Next = j.of.cron.Next(g.Due, j.of.zone)
	case j.of.quiet > 0:
		g.After, g.Latest = j.of.quiet, j.of.latest
	default:
		g.After = j.of.wait
	}
	return g
}

// Goes is when what is made of a digest that closes at a time is sent: then, or when
// the action's calendar opens next.
func (j *Joining) Goes(at time.Time) time.Time {
	if j.open == nil {
		return at
	}
	if next := j.open.NextOpen(at); next.After(at) {
		return next
	}
	return at
}

// ClosesOpen is when an open digest closes, that was opened then and closes at due,
// once the event has joined it now.
func (j *Joining) ClosesOpen(opened, due, now time.Time) time.Time {
	if j.of.quiet == 0 {
		return due
	}
	at, latest := now.Add(j.of.quiet), opened.Add(j.of.latest)
	if latest.Before(at) {
		return latest
	}
	return at
}

// Words say what differs where two versions gather in another way.
func (j *Joining) Words() string {
	if j == nil {
		return ""
	}
	text := "closes " + j.Closes
	if j.Keyed {
		text = fmt.Sprintf("key %q, %s", j.Shown, text)
	}
	return fmt.Sprintf("%s, %d at most", text, j.of.max)
}

// gathered is the place of an event that joins a digest among what its rule makes.
func (a *action) gathered(rule string, sc *lang.Scope) (r Rendered, err error) {
	r = Rendered{Rule: rule, Connection: a.connection, Action: a.number, Later: true}
	r.Joining, err = a.joining(rule, sc)
	return r, err
}

// AtClose renders an action for the events in its digest, which has closed: the scope
// is that of the newest, and items has all of them, as lang.Item gives them. During is
// the calendar that it waits for then; "" is none.
func (s *Set) AtClose(sc *lang.Scope, ref Ref, items []any) (made Rendered, during string, err error) {
	r, a := s.find(ref)
	if a == nil || a.digest == nil {
		return made, "", fmt.Errorf("%w: %s with a digest", ErrNoAction, event.ActionName(ref.Rule, ref.Connection, ref.Action))
	}
	sc.SetItems(items)
	defer sc.SetItems(nil)
	room := MaxOutputs
	made = a.render(r.name, sc, &room)
	made.Flow = event.Digest
	if a.moment != nil {
		during = a.moment.during
	}
	return made, during, nil
}

// DigestTrace tells which digest an event joins.
type DigestTrace struct {
	Key    string `json:"key,omitempty"`
	Keyed  bool   `json:"keyed,omitempty"`
	Closes string `json:"closes_by"` // in words
	// At is when it closes, if nothing more comes; nil: that is not known.
	At *time.Time `json:"closes,omitempty"`
	// Goes is when it is sent, where the action waits for a calendar then.
	Goes *time.Time `json:"goes,omitempty"`
	// Open is the digest that it joins, and Events how many are in it, where that was
	// looked up.
	Open   *event.DigestID `json:"digest,omitempty"`
	Events int             `json:"events,omitempty"`

	Joining *Joining `json:"-"`
}

// ClosesAt says when the digest closes.
func (t *DigestTrace) ClosesAt(at time.Time) {
	t.At, t.Goes = &at, nil
	if goes := t.Joining.Goes(at); goes.After(at) {
		t.Goes = &goes
	}
}

// explainDigest tells which digest the event joins. What is shown as its output is
// that of a digest of the event alone.
func (a *action) explainDigest(rule string, sc *lang.Scope, of *Trace, t *ActionTrace, room *int) {
	j, err := a.joining(rule, sc)
	if err != nil {
		of.fail(lang.Trace{Error: err.Error(), At: a.digest.key.At()})
		return
	}
	g := j.Gather(0, sc.Begun())
	t.Digest = &DigestTrace{Key: j.Shown, Keyed: j.Keyed, Closes: j.Closes, Joining: j}
	t.Digest.ClosesAt(g.Closes(sc.Begun()))
	sc.SetItems([]any{sc.Item()})
	rendered := a.render(rule, sc, room)
	sc.SetItems(nil)
	t.Key, t.Output, t.Warnings, t.Err = rendered.Key, rendered.Output, rendered.Warnings, rendered.Err
	if j.Missing != "" {
		t.Warnings = append(t.Warnings, j.Missing+" is missing: it joins those that have no key either")
	}
	if t.Err != "" {
		sc.SetItems([]any{sc.Item()})
		t.At = a.faultAt(sc)
		sc.SetItems(nil)
	}
}

// digest advises where a digest gathers together what may be meant apart, or by a
// name that can change.
func (l *linter) digest(in *Action, a *action, to audience) {
	if in.Digest == nil || a.digest == nil {
		return
	}
	l.secrets(in.Digest.Key)
	if a.digest.key != nil {
		analysis := a.digest.key.Analyse()
		l.analysis(&analysis, to)
	}
	at := in.To
	for i := range a.inputs {
		if a.digest.keyed || a.inputs[i].template == nil || a.inputs[i].template.Static() || !isPersonal(a.inputs[i].name) {
			continue
		}
		l.add(at.Diag("digest-no-key", "key: what tells them apart, such as lower(data.email)",
			"%s is another for each event, and the digest gathers them all for that of the newest", a.inputs[i].name).Weigh(diag.Advice))
		break
	}
	if a.number > 1 && a.step == "" {
		l.add(at.Diag("digest-no-step", "give it a name, as in step: leads, by which it gathers then",
			"the digest gathers as %s: an action to %s that is put before it begins another", a.name, a.connection).Weigh(diag.Advice))
	}
}

// unfollowed refuses to come after an action that has a digest.
func (b *builder) unfollowed(s *steps, of int, p Predecessor) bool {
	if s.in[of].Digest == nil {
		return true
	}
	b.add(p.Step.Diag("conflict", "let it come after another step, or write a rule of its own", "the step %q gathers events in a digest, of which each is a part: nothing comes after it", p.Step.Value))
	return false
}

// digestsIn refuses digests in a rule with for_each.
func (b *builder) digestsIn(in *Rule) {
	if in.ForEach.IsZero() {
		return
	}
	for _, a := range in.Actions() {
		if a.Digest != nil {
			b.add(a.Node.Get("digest").Diag("conflict", "gather the events, and go through items in a template: map(items, …)", "a rule with for_each has no digest: its elements are sent each by itself"))
		}
	}
}
