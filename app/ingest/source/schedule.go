package source

import (
	"encoding/json"
	"maps"
	"time"

	"hookgate/internal/calendar"
	"hookgate/internal/cron"
	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/internal/schema"
	"hookgate/internal/yamlnode"
)

// The types of sources that nobody posts to. The events of manual ones are of
// that type, too.
const (
	scheduleType = "schedule"
	manualType   = "manual"
)

// The keys that a tick adds to the data of its schedule.
const (
	scheduledFor = "scheduled_for"
	missedTicks  = "missed"
)

// Schedule is when a source of type schedule makes events of itself, and what
// they hold. It never changes and is safe for concurrent use.
type Schedule struct {
	Cron     *cron.Schedule
	Location *time.Location
	// SkipMissed has no event made of ticks that came while nothing ran; else one
	// is made of all of them.
	SkipMissed bool

	data         map[string]any
	calendar     *calendar.Calendar // nil: always
	calendarName string
}

// Next is the first tick after t; zero where there is none.
func (s *Schedule) Next(t time.Time) time.Time { return s.Cron.Next(t, s.Location) }

// Open reports whether the schedule makes an event of a tick at t: outside of
// the calendar that it names it does not.
func (s *Schedule) Open(t time.Time) bool { return s.calendar == nil || s.calendar.Open(t) }

// Calendar is the name of the calendar outside of which no event is made; ""
// is none.
func (s *Schedule) Calendar() string { return s.calendarName }

// Ticks are the next n ticks after t of which an event is made.
func (s *Schedule) Ticks(t time.Time, n int) []time.Time {
	list := make([]time.Time, 0, n)
	for range n {
		if t = s.nextOpen(t); t.IsZero() {
			break
		}
		list = append(list, t)
	}
	return list
}

// mostOpenings bounds in how many openings of a calendar a tick is looked for.
const mostOpenings = 100

// nextOpen is the first tick after t of which an event is made; zero where none
// is to be seen.
func (s *Schedule) nextOpen(t time.Time) time.Time {
	for range mostOpenings {
		if t = s.Next(t); t.IsZero() || s.Open(t) {
			return t
		}
		opening := s.calendar.NextOpen(t)
		if opening.IsZero() {
			return opening
		}
		t = opening.Add(-time.Second) // a tick may come at the opening
	}
	return time.Time{}
}

// Data is that of the event of a tick: what config.yaml says, when the tick was
// to come, and how many came before it of which no event was made.
func (s *Schedule) Data(tick time.Time, missed int) []byte {
	data := map[string]any{}
	maps.Copy(data, s.data)
	data[scheduledFor], data[missedTicks] = tick.In(s.Location).Format(time.RFC3339), missed
	text, err := json.Marshal(data)
	if err != nil { // what YAML says always has a form in JSON
		return []byte(`{}`)
	}
	return text
}

// Sample is the data of one of its ticks, always the same.
func (s *Schedule) Sample() []byte {
	return s.Data(s.Next(time.Date(2026, 3, 10, 14, 30, 0, 0, time.UTC)), 0)
}

// shape is what its events look like.
func (s *Schedule) shape() schema.Payload {
	b := schema.NewBuilder()
	b.Add(s.Sample())
	shape := b.Payload(event.Tick)
	shape.Events, shape.Complete = 0, true
	for i := range shape.Fields {
		shape.Fields[i].Seen = 0
		if path := shape.Fields[i].Path; len(path) == 2 && (path[1] == scheduledFor || path[1] == missedTicks) {
			shape.Fields[i].More = true
		}
	}
	return shape
}

type scheduleKeys struct {
	Type     yamlnode.Text `yaml:"type,required" doc:"What kind of sender it is."`
	Cron     yamlnode.Text `yaml:"cron,required" doc:"When: minute, hour, day of the month, month, day of the week. One that begins with * needs quotes." example:"0 8 * * mon"`
	Timezone yamlnode.Text `yaml:"timezone" doc:"The time zone of cron; server.timezone unless set." example:"Europe/Berlin"`
	Only     yamlnode.Text `yaml:"only_during" doc:"The calendar outside of which a tick makes no event." example:"office"`
	Data     yamlnode.Node `yaml:"data" doc:"What data holds in its events, beside scheduled_for and missed." type:"map" example:"{ report: leads }"`
	Missed   yamlnode.Text `yaml:"missed" doc:"What becomes of ticks that came while nothing ran: one event for all of them, or none." values:"once,skip" default:"once"`
}

// Noun implements yamlnode.Nouns.
func (*scheduleKeys) Noun() string { return "a schedule" }

// KeyHint implements yamlnode.Hinted.
func (*scheduleKeys) KeyHint(key string) string {
	switch key {
	case "every", "interval", "at", "schedule", "when", "time":
		return `write cron: 0 8 * * mon for Monday at 08:00, cron: "*/15 * * * *" for each quarter of an hour`
	case "tz", "zone", "time_zone":
		return "it is called timezone"
	case "calendar", "calendars":
		return "it is called only_during"
	case "payload", "body", "json":
		return "it is called data"
	case "token", "verify", "methods", "dedupe", "rate_limit":
		return "nobody posts to a schedule: the clock makes its events"
	}
	return ""
}

// compileSchedule compiles a source of type schedule: the clock makes its
// events, and nobody posts to it.
func compileSchedule(b *builder) {
	var keys scheduleKeys
	b.list = b.node.Decode("a schedule", &keys)
	zone, list := cron.ReadZone(keys.Timezone, b.compiler.Location())
	b.list = append(b.list, list...)
	s := &Schedule{Location: zone, SkipMissed: keys.Missed.Value == "skip", data: b.fixedData(keys.Data)}
	b.unposted(event.Tick)
	if m := keys.Missed.Value; m != "" && m != "once" && m != "skip" {
		b.fail(keys.Missed.Diag("bad-value", "write once for one event for all that were missed, or skip for none", "%q is nothing that can become of missed ticks", m))
	}
	if b.node.Get("cron").Kind() != yamlnode.Scalar {
		return // Decode has said so
	}
	var faults diag.List
	if !keys.Only.IsZero() {
		s.calendar, faults = b.compiler.Calendar(keys.Only)
		s.calendarName = keys.Only.Value
		b.fail(faults...)
	}
	if s.Cron, faults = cron.Read(keys.Cron); s.Cron != nil {
		b.source.schedule = s
	}
	b.fail(faults...)
	if s.Cron != nil && s.calendar != nil && s.nextOpen(time.Now()).IsZero() {
		b.fail(keys.Only.Diag("never-open", "compare cron with the days and hours of the calendar", "no tick of this schedule is within %q", keys.Only.Value))
	}
}

// fixedData is what config.yaml says that events hold.
func (b *builder) fixedData(n yamlnode.Node) map[string]any {
	switch n.Kind() {
	case yamlnode.Null:
		return nil
	case yamlnode.Map:
	case yamlnode.Scalar, yamlnode.List:
		b.fail(n.Diag("wrong-type", "such as data: { report: leads }", `"data" must be a mapping`))
		return nil
	}
	for _, f := range n.Fields() {
		if f.Key.Value == scheduledFor || f.Key.Value == missedTicks {
			b.fail(f.Key.Diag("reserved-name", "choose another name", "each tick sets data.%s itself", f.Key.Value))
		}
	}
	data, _ := n.Any().(map[string]any)
	return data
}

// unposted makes it a source that nobody posts to, whose events are all of one
// type.
func (b *builder) unposted(typ string) {
	b.source.unposted, b.source.verify, b.source.methods = true, refuser{}, defaultMethods()
	b.source.types, b.source.fixedType = []string{typ}, typ
}

type manualKeys struct {
	Type yamlnode.Text `yaml:"type,required" doc:"What kind of sender it is."`
}

// Noun implements yamlnode.Nouns.
func (*manualKeys) Noun() string { return "a manual source" }

// KeyHint implements yamlnode.Hinted.
func (*manualKeys) KeyHint(key string) string {
	switch key {
	case "token", "verify", "methods", "dedupe", "rate_limit":
		return "nobody posts to a manual source; write type: webhook for one that has a URL"
	case "data", "json", "payload":
		return "its events hold what is sent: hookgate events send NAME file.json"
	}
	return ""
}

// compileManual compiles a source of type manual: people make its events by
// hand, and it has no URL.
func compileManual(b *builder) {
	var keys manualKeys
	b.list = b.node.Decode("a manual source", &keys)
	b.unposted(manualType)
}
