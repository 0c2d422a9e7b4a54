package ui

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/admin"
	"hookgate/internal/event"
	"hookgate/rules"
	"hookgate/rules/lang"
)

// eventPage tells what came in and why it went where it went.
type eventPage struct {
	Event   *admin.EventDetail
	Tab     string // "", payload, request or replays
	State   mark
	Story   template.HTML
	Rules   []ruleStory
	Others  []string // rules that do not listen to such events
	Lanes   *lifeLine
	Payload string // data, indented
	Lines   []payloadLine
	Curl    string // the request as a command
	Replay  *replayPlan
}

// ruleStory is one rule of an event: how it came to its result, and what it sent.
type ruleStory struct {
	rules.Trace
	State      mark
	Why        template.HTML
	Near       bool
	Open       bool
	Deliveries []admin.Delivery
	Taken      int // elements of a rule with for_each for which something is sent
	// Later are the actions that come after others and have no delivery yet, and those of
	// which a reason says why there is none.
	Later []*rules.ActionTrace
}

// event shows one event.
func (u *UI) event(c *fiber.Ctx) error {
	var id event.ID
	if err := id.UnmarshalText([]byte(c.Params("id"))); err != nil {
		return u.notFound(c, noSuchEvent)
	}
	detail, err := u.cfg.Service.Event(c.UserContext(), id)
	if missing(err) {
		return u.notFound(c, "There is no such event: it never was, or retention has removed it.")
	}
	if err != nil {
		return u.fail(c, err)
	}
	// As the rules made them, for the page reads downwards.
	slices.SortFunc(detail.Deliveries, func(a, b admin.Delivery) int { return cmp.Compare(a.ID, b.ID) })
	v := u.view(c, "events", "")
	data := eventPage{Event: &detail, Tab: c.Query("tab"), State: v.EventState(detail.Event)}
	data.Rules, data.Others = v.ruleStories(&detail)
	data.Story = v.story(&detail, data.Rules)
	data.Lanes = v.lifeLine(&detail)
	data.Payload = indented(&detail)
	if data.Tab == "payload" {
		data.Lines = v.payloadLines(&detail, u.cfg.Service.Uses(detail.Source, detail.Type))
	}
	if data.Tab == "replays" {
		if data.Replay, err = u.planReplay(c.UserContext(), &detail); err != nil {
			return u.fail(c, err)
		}
	}
	form, err := u.isForm(c, detail.Source)
	if err != nil {
		return u.fail(c, err)
	}
	data.Curl = asCurl(&detail, u.base(c), form)
	return u.renderPage(c, "event", "events", v.Title1(detail.Event), data)
}

// noSuchEvent is what who names an event that can't be is told.
const noSuchEvent = "There is no event of this name. Names of events begin with evt_."

// indented is the payload for people: its data, or the body where there is none.
func indented(d *admin.EventDetail) string {
	var out bytes.Buffer
	if len(d.Data) > 0 && json.Indent(&out, d.Data, "", "  ") == nil {
		return out.String()
	}
	return d.Body
}

// Title1 is what a person calls the event; Title2 what happened to it.
func (v *view) Title1(e admin.Event) string {
	name, _, _ := strings.Cut(e.Summary, " · ")
	switch {
	case name != "":
		return name
	case e.Type != "":
		return e.Type
	}
	return v.T("a request to %s", e.Source)
}

// Title2 is what happened to what Title1 names; "" where nothing tells.
func (v *view) Title2(e admin.Event) string {
	_, what, _ := strings.Cut(e.Summary, " · ")
	return what
}

// ruleStories are the rules in the order of what a person wants to know: those
// that matched, those that failed, near misses, the rest. Rules that do not
// listen to such events are only named.
func (v *view) ruleStories(d *admin.EventDetail) (list []ruleStory, others []string) {
	traces := d.Why
	if len(traces) == 0 { // judged by rules that are not stored
		for _, r := range d.Rules {
			traces = append(traces, rules.Trace{Rule: r.Rule, Result: r.Result, Error: r.Message})
		}
	}
	for _, t := range traces {
		if t.Result == rules.Skipped {
			others = append(others, t.Rule)
			continue
		}
		s := ruleStory{Trace: t, Near: t.NearMiss != nil}
		for i := range d.Deliveries {
			if d.Deliveries[i].Rule == t.Rule {
				s.Deliveries = append(s.Deliveries, d.Deliveries[i])
			}
		}
		s.addActions()
		s.State, s.Why = v.ruleState(&s)
		s.Open = t.Result != rules.NotMatched || s.Near
		list = append(list, s)
	}
	slices.SortStableFunc(list, func(a, b ruleStory) int { return rank(&a) - rank(&b) })
	return list, others
}

// addActions tells of the elements, and of the actions that have no delivery.
func (s *ruleStory) addActions() {
	for i := range s.Elements {
		if s.Elements[i].Result == rules.Matched {
			s.Taken++
		}
	}
	for a := range s.Sends() {
		made := slices.ContainsFunc(s.Deliveries, func(d admin.Delivery) bool { return d.Name == a.Name })
		if !made && (a.After != "" || a.Reason != "") {
			s.Later = append(s.Later, a)
		}
	}
}

// BranchState is what became of a branch.
func (v *view) BranchState(result string) mark {
	switch result {
	case rules.Matched:
		return mark{"ok", "ok", v.T("Taken")}
	case rules.Failed:
		return mark{"bad", "bad", v.T("Rule error")}
	case rules.NotReached:
		return mark{"idle", "minus", v.T("Not reached")}
	}
	return mark{"idle", "none", v.T("Not taken")}
}

func rank(s *ruleStory) int {
	switch {
	case s.Result == rules.Matched:
		return 0
	case s.Result == rules.Failed:
		return 1
	case s.Near:
		return 2
	}
	return 3
}

func (v *view) ruleState(s *ruleStory) (m mark, why template.HTML) {
	switch {
	case s.Result == rules.Matched:
		return mark{"ok", "ok", v.T("Matched")}, ""
	case s.Result == rules.Failed:
		return mark{"bad", "bad", v.T("Rule error")}, inEnglish(s.Error)
	case s.Near:
		return mark{"warn", "near", v.T("Near miss")}, v.noted(s.NearMiss)
	}
	return mark{"idle", "none", v.T("Did not match")}, v.firstFalse(s.Parts)
}

// noted is a part of a condition with its note.
func (v *view) noted(p *lang.Part) template.HTML {
	if p.Note == "" {
		return plain(p.Text)
	}
	return plain(p.Text+" ") + v.Note(p.Note)
}

// firstFalse is the part that decided against a rule, with its note.
func (v *view) firstFalse(parts []lang.Part) template.HTML {
	for _, p := range parts {
		if p.Verdict == lang.False && p.Text != "" {
			return v.noted(&p)
		}
	}
	return ""
}

// story says in sentences what became of an event.
func (v *view) story(d *admin.EventDetail, list []ruleStory) template.HTML {
	var said []template.HTML
	add := func(text string, args ...any) { said = append(said, v.Tell(text, args...)) }
	if before, after, ok := strings.Cut(v.Title2(d.Event), " → "); ok {
		add("It went from %s to %s.", before, after)
	}
	switch d.State {
	case event.Rejected:
		add("It was refused and kept: %s.", inEnglish(strings.TrimSuffix(d.Cause, ".")))
		return sentences(said)
	case event.Spam:
		add("It was taken for spam, so that no rule saw it: %s.", v.Reason(strings.TrimSuffix(d.Cause, ".")))
		return sentences(said)
	case event.Duplicate:
		add("It repeats an event that is here already, so nothing was sent for it.")
		return sentences(said)
	case event.Routed, event.NoMatch, event.RuleError:
	}
	matched := 0
	for i := range list {
		if list[i].Result == rules.Matched {
			matched++
		}
	}
	switch {
	case len(d.Rules) == 0:
		add("No rule saw it.")
	case matched == 0:
		add("None of %d rules matched.", len(d.Rules))
	default:
		add("%d of %d rules matched.", matched, len(d.Rules))
	}
	said = append(said, v.deliveryStories(d)...)
	for i := range d.Digests {
		said = append(said, v.digestStory(&d.Digests[i]))
	}
	return sentences(said)
}

// sentences are one after the other.
func sentences(list []template.HTML) (all template.HTML) {
	for i, one := range list {
		if i > 0 {
			all += " "
		}
		all += one
	}
	return all
}

// deliveryStories say in a sentence each how the deliveries stand, and in one what was
// written.
func (v *view) deliveryStories(d *admin.EventDetail) (said []template.HTML) {
	written := 0
	for i := range d.Deliveries {
		if one := &d.Deliveries[i]; v.Record(*one) && one.State == event.Delivered {
			written++
			continue
		}
		said = append(said, v.deliveryStory(&d.Deliveries[i], d.Time))
	}
	switch written {
	case 0:
	case 1:
		said = append(said, v.Tell("A record was written."))
	default:
		said = append(said, v.Tell("%d records were written.", written))
	}
	return said
}

// digestStory says in a sentence where an event is gathered.
func (v *view) digestStory(g *admin.Gathered) template.HTML {
	switch {
	case g.Digest != nil:
		return v.Tell("It is gathered for %s, in a digest of %d so far, which closes %s.", g.Action, g.Others+1, v.Opening(g.Closes))
	case g.Delivery != nil:
		return v.Tell("For %s it was gathered in a digest of %d: %s.", g.Action, g.Others+1, v.DeliveryState(g.State).Word)
	}
	return v.Tell("The digest for %s that it was in was given up.", g.Action)
}

// Opening is a time to come, with its day and the zone: it stands in a sentence, which
// no script writes in the browser's.
func (v *view) Opening(at *time.Time) string {
	local := at.In(v.location)
	return v.Lang.locale().Weekday(local.Weekday(), true) + " " + v.Lang.clock(local, "day") + ", " + v.Lang.clock(local, "minute") + local.Format(" MST")
}

// deliveryStory says in a sentence how a delivery of an event of began stands.
func (v *view) deliveryStory(d *admin.Delivery, began time.Time) template.HTML {
	if v.Record(*d) {
		return v.recordStory(d)
	}
	switch d.State {
	case event.Delivered:
		if len(d.History) == 0 {
			return v.Tell("%s has it.", d.Connection)
		}
		last := d.History[len(d.History)-1]
		return v.Tell("%s had it after %s.", d.Connection, v.Took(float64(last.Started.Sub(began))/1e6+last.DurationMS))
	case event.Failed:
		return v.Tell("%s did not get it: %s.", d.Connection, inEnglish(strings.TrimSuffix(d.Error, ".")))
	case event.Retrying:
		return v.Tell("%s has not got it yet, and is tried again.", d.Connection)
	case event.Held:
		if d.HeldUntil != nil {
			return v.Tell("%s is closed; it is sent when it opens, %s.", d.Connection, v.Opening(d.HeldUntil))
		}
		return v.Tell("%s is paused; it is kept until it goes on.", d.Connection)
	case event.Scheduled:
		return v.Tell("%s gets it later.", d.Connection)
	case event.Cancelled:
		return v.Tell("The delivery to %s was cancelled.", d.Connection)
	default:
		return v.Tell("%s gets it next.", d.Connection)
	}
}

// Record reports whether d stands for a record that a rule writes after a step, which
// has ended without an attempt. An older version let connections have that name.
func (v *view) Record(d admin.Delivery) bool {
	ended := d.State == event.Delivered || d.State == event.Failed || d.State == event.Cancelled
	return d.Connection == rules.RememberName && ended && d.Attempts == 0
}

// Became is what became of a delivery: a record was written.
func (v *view) Became(d admin.Delivery) mark {
	m := v.DeliveryState(d.State)
	if v.Record(d) && d.State == event.Delivered {
		m.Word = v.T("Written")
	}
	return m
}

// recordStory says in a sentence why such a record was not written.
func (v *view) recordStory(d *admin.Delivery) template.HTML {
	if d.State == event.Failed {
		return v.Tell("A record could not be written: %s.", inEnglish(strings.TrimSuffix(d.Error, ".")))
	}
	return v.Tell("A record was not written: %s.", inEnglish(strings.TrimSuffix(d.Error, ".")))
}

// Later is when a scheduled delivery begins; nil: it is not scheduled.
func (v *view) Later(d admin.Delivery) *time.Time {
	if d.State != event.Scheduled {
		return nil
	}
	return d.Moment
}

// Took is a duration in milliseconds for people.
func (v *view) Took(ms float64) string {
	switch {
	case ms < 1000:
		return v.Lang.number(int(math.Round(ms))) + " ms"
	case ms < 60_000:
		return v.Lang.number(ms/1000) + " s"
	}
	return v.Lang.number(ms/60_000) + " min"
}

// lifeLine draws when each step happened after the event came in, on a
// logarithmic scale, for each delivery a lane.
type lifeLine struct {
	Lanes  []string
	Height int    // of the picture, in pixels
	Text   string // what a screen reader says of it
	Ticks  []tick
	Bars   []bar
	Dots   []dot
}

type tick struct {
	at      float64 // X in percent
	X, Text string
	Anchor  string // of the text: start, middle or end
	Foot, Y int
}

type bar struct {
	X, Width, TextX string
	Y, TextY        int
	Class, Text     string
}

type dot struct {
	X, Text  string
	Anchor   string // of the text: start, middle or end
	Y, TextY int
}

// laneHeight and laneTop are in pixels of the picture.
const laneHeight, laneTop = 28, 10

func (v *view) lifeLine(d *admin.EventDetail) *lifeLine {
	sent := slices.DeleteFunc(slices.Clone(d.Deliveries), v.Record)
	if len(sent) == 0 || len(sent) > 12 {
		return nil
	}
	bottom := laneHeight * (len(sent) + 1)
	l := &lifeLine{Height: bottom + laneHeight - laneTop}
	longest := time.Second
	for i := range sent {
		one := &sent[i]
		for _, a := range one.History {
			longest = max(longest, a.Started.Sub(d.Time)+time.Duration(a.DurationMS*1e6))
		}
		if next := nextOf(one); next != nil {
			longest = max(longest, next.Sub(d.Time))
		}
	}
	at := scale(longest)
	l.Lanes = append(l.Lanes, v.T("came in"))
	for _, t := range []struct {
		after time.Duration
		text  string
	}{{time.Millisecond, "1 ms"}, {10 * time.Millisecond, "10 ms"}, {100 * time.Millisecond, "100 ms"}, {time.Second, "1 s"}, {10 * time.Second, "10 s"}, {time.Minute, "1 min"}, {10 * time.Minute, "10 min"}, {time.Hour, "1 h"}, {12 * time.Hour, "12 h"}, {48 * time.Hour, "2 d"}, {14 * 24 * time.Hour, "14 d"}, {90 * 24 * time.Hour, "90 d"}} {
		if t.after <= longest {
			x := at(t.after)
			l.Ticks = append(l.Ticks, tick{at: x, X: percent(x), Text: t.text, Anchor: anchor(x), Y: bottom, Foot: bottom + 15})
		}
	}
	thin(l.Ticks)
	l.Bars = append(l.Bars, bar{X: percent(at(0)), Width: "2%", TextX: percent(at(0) + 3), Y: laneTop, TextY: laneTop + 8, Class: "f-ink", Text: v.T("kept")})
	var said []string
	for i := range sent {
		said = append(said, v.lane(l, &sent[i], d.Time, laneTop+laneHeight*(i+1), at))
	}
	l.Text = v.T("How long each step took after the event came in: %s", strings.Join(said, "; "))
	return l
}

// apart is how far texts of ticks are apart, in percent: as one needs on a phone.
const apart = 17

// thin leaves texts out of ticks that would stand in each other's way, the last one's
// never.
func thin(ticks []tick) {
	last := math.Inf(1)
	for i, t := range slices.Backward(ticks) {
		if last-t.at < apart {
			ticks[i].Text = ""
			continue
		}
		last = t.at
	}
}

// lane draws the attempts of one delivery, and tells them.
func (v *view) lane(l *lifeLine, d *admin.Delivery, began time.Time, y int, at func(time.Duration) float64) string {
	l.Lanes = append(l.Lanes, d.Connection)
	said := []string{d.Connection}
	for n, a := range d.History {
		from, to := a.Started.Sub(began), a.Started.Sub(began)+time.Duration(a.DurationMS*1e6)
		b := bar{X: percent(at(from)), Width: percent(max(1.5, at(to)-at(from))), TextX: percent(max(at(to), at(from)+1.5) + .6), Y: y, TextY: y + 8, Class: "f-bad", Text: v.answerWord(&a)}
		if d.State == event.Delivered && n == len(d.History)-1 {
			b.Class, b.Text = "f-ok", v.T("delivered")
		}
		l.Bars = append(l.Bars, b)
		said = append(said, fmt.Sprintf("%s %s", b.Text, v.Took(float64(to.Milliseconds()))))
	}
	if next := nextOf(d); next != nil {
		x, local := at(next.Sub(began)), next.In(v.location)
		text := v.Lang.clock(local, "minute") + local.Format(" MST")
		if next.Sub(began) > 12*time.Hour {
			text = v.Lang.clock(local, "day") + " " + text
		}
		l.Dots = append(l.Dots, dot{X: percent(x), Text: text, Anchor: anchor(x), Y: y + 4, TextY: y - 5})
		said = append(said, text)
	}
	return strings.Join(said, ", ")
}

// nextOf is when a delivery is tried next, or has its moment; nil where it is not.
func nextOf(d *admin.Delivery) *time.Time {
	switch d.State {
	case event.Retrying:
		return d.Next
	case event.Scheduled:
		return d.Moment
	case event.Waiting, event.Sending, event.Held, event.Delivered, event.Failed, event.Cancelled:
	}
	return nil
}

// Awaited is after how many seconds an event's page is to be asked for again, for what
// is under way or comes next; 0: all has ended, or is held.
func (v *view) Awaited(d *admin.EventDetail) int {
	const soon, late = 2, 3600
	after := 0
	for i := range d.Deliveries {
		var wait int
		switch one := &d.Deliveries[i]; {
		case one.State == event.Waiting || one.State == event.Sending:
			wait = soon
		case nextOf(one) != nil:
			wait = min(max(soon, int(nextOf(one).Sub(v.Now).Seconds())+1), late)
		default:
			continue
		}
		if after == 0 || wait < after {
			after = wait
		}
	}
	return after
}

// answerWord is what an attempt that did not deliver met, in a word.
func (v *view) answerWord(a *admin.Attempt) string {
	switch {
	case a.Status > 0:
		return fmt.Sprint(a.Status)
	case strings.Contains(a.Error, "timeout") || strings.Contains(a.Error, "within"):
		return v.T("timeout")
	}
	return v.T("no answer")
}

// scale places a time after the beginning between 1.5 and 95 percent.
func scale(longest time.Duration) func(time.Duration) float64 {
	top := math.Log10(max(10, float64(longest)/float64(time.Millisecond)))
	return func(d time.Duration) float64 {
		ms := max(1, float64(d)/float64(time.Millisecond))
		return 1.5 + 93.5*min(1, math.Log10(ms)/top)
	}
}

// anchor keeps the text at a place within the picture.
func anchor(x float64) string {
	switch {
	case x < 3:
		return "start"
	case x > 92:
		return "end"
	}
	return "middle"
}

func percent(x float64) string { return fmt.Sprintf("%.2f%%", min(x, 100)) }
