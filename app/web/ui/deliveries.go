package ui

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"html/template"
	"net/url"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/admin"
	"hookgate/internal/event"
)

// deliveryList is the page of deliveries: by cause, or one by one.
type deliveryList struct {
	State      event.DeliveryState
	Connection string
	Rule       string
	Cause      string // the id of one; its error is CauseText where it is known
	Since      string // as it was asked for: 24h, 7d
	SinceAt    time.Time
	By         string // cause, or time for a list
	Causes     admin.Causes
	Items      []admin.Delivery
	Older      string
	States     []stateTab
	Runs       []admin.RetryRun // that can go on
	Error      template.HTML
}

type stateTab struct {
	State event.DeliveryState
	Here  bool
}

var deliveryTabs = []event.DeliveryState{event.Failed, event.Retrying, event.Waiting, event.Held, event.Scheduled, event.Delivered, event.Cancelled}

// Link is this list with something else: name and value pairs; "" takes away.
func (l deliveryList) Link(changes ...string) string {
	q := url.Values{"state": {string(l.State)}, "by": {l.By}}
	for name, value := range map[string]string{"connection": l.Connection, "rule": l.Rule, "cause": l.Cause, "since": l.Since} {
		q.Set(name, value)
	}
	for i := 0; i+1 < len(changes); i += 2 {
		q.Set(changes[i], changes[i+1])
	}
	for name := range q {
		if q.Get(name) == "" {
			q.Del(name)
		}
	}
	return prefix + "/deliveries?" + q.Encode()
}

// OfCause is the query that selects the deliveries of one of the causes, as far as
// the list has them.
func (l deliveryList) OfCause(c admin.Cause) string { return ofCause(l.State, c, l.Rule, l.Since) }

// Here is the list as it is filtered, where an act leads back to.
func (l deliveryList) Here() string { return l.Link() }

func ofCause(state event.DeliveryState, c admin.Cause, rule, since string) string {
	return query("state", string(state), "connection", c.Connection, "cause", c.ID, "rule", rule, "since", since)
}

// Chips are the filters of the list, each with the list without it.
func (l deliveryList) Chips(v *view) (list []chip) {
	for _, f := range []struct{ name, word, value string }{
		{"connection", v.T("connection"), l.Connection}, {"rule", v.T("rule"), l.Rule}, {"cause", v.T("cause"), l.Cause}, {"since", v.T("since"), l.Since},
	} {
		if f.value != "" {
			list = append(list, chip{f.word, f.value, l.Link(f.name, "")})
		}
	}
	return list
}

// deliveries lists deliveries of a state. What failed is grouped by its cause,
// because that is what somebody can mend.
func (u *UI) deliveries(c *fiber.Ctx) error {
	data := deliveryList{
		State: event.DeliveryState(cmp.Or(c.Query("state"), string(event.Failed))), By: c.Query("by"),
		Connection: c.Query("connection"), Rule: c.Query("rule"), Cause: c.Query("cause"), Since: c.Query("since"),
	}
	l := languageOf(c)
	if !slices.Contains(deliveryTabs, data.State) {
		c.Status(fiber.StatusBadRequest)
		data.Error, data.State = l.told(refusals, admin.UnknownState(string(data.State), deliveryTabs).Error()), event.Failed
	}
	for _, s := range deliveryTabs {
		data.States = append(data.States, stateTab{s, s == data.State})
	}
	if caused := data.State == event.Failed || data.State == event.Retrying; !caused || data.By == "" && data.Cause != "" {
		data.By = "time"
	} else if data.By == "" {
		data.By = "cause"
	}
	f := event.DeliveryFilter{States: []event.DeliveryState{data.State}, Connection: data.Connection, Rule: data.Rule, Cause: data.Cause, Limit: eventsPerPage}
	var err error
	if data.Since != "" {
		if f.Since, err = admin.ReadMoment("since", data.Since, u.cfg.Now()); err != nil {
			c.Status(fiber.StatusBadRequest)
			data.Error, data.Since = l.told(refusals, err.Error()), ""
		}
		data.SinceAt = f.Since
	}
	if before := c.Query("before"); before != "" && data.By == "time" {
		if err := f.Before.UnmarshalText([]byte(before)); err != nil {
			return u.notFound(c, noSuchPage)
		}
	}
	err = u.fillDeliveries(c.UserContext(), &data, f)
	if said, status := explained(languageOf(c), err); status != 0 {
		c.Status(status)
		data.Error = said
	} else if err != nil {
		return u.fail(c, err)
	}
	return u.render(c, "deliveries", "Deliveries", data)
}

func (u *UI) fillDeliveries(ctx context.Context, data *deliveryList, f event.DeliveryFilter) (err error) {
	if slices.Contains(admin.RunStates(), data.State) {
		if data.Runs, err = u.openRuns(ctx); err != nil {
			return err
		}
	}
	if data.By == "cause" {
		data.Causes, err = u.cfg.Service.Causes(ctx, f)
		return err
	}
	page, err := u.cfg.Service.Deliveries(ctx, f)
	data.Items = page.Items
	if page.Next != "" {
		data.Older = data.Link("before", page.Next)
	}
	return err
}

// CauseMark shows what kind of cause it is, and CauseWhy says why.
func (v *view) CauseMark(kind admin.CauseKind) mark {
	word, _ := kind.Advice()
	m := mark{"warn", "retry", v.T(word)}
	switch kind {
	case admin.RetryNever:
		m.Class, m.Icon = "bad", "ban"
	case admin.MendRule:
		m.Icon = "warn"
	case admin.RetryAgain:
	}
	return m
}

// CauseWhy is why it is of its kind.
func (v *view) CauseWhy(kind admin.CauseKind) string {
	_, why := kind.Advice()
	return v.T(why)
}

// Spark are the bars of a small picture of what failed.
func (v *view) Spark(counts []int) []sparkBar { return spark(counts, "f-bad") }

// Stamp is a moment for a field of a form, as selection reads it.
func (v *view) Stamp(at time.Time) string { return at.Format(time.RFC3339) }

// Called is what a person calls the delivery's event.
func (v *view) Called(d admin.Delivery) string { return cmp.Or(d.Summary, d.ID.String()) }

// Tries tells how often a delivery was tried, and what comes next.
func (v *view) Tries(d admin.Delivery) string {
	switch {
	case d.State == event.Delivered && v.Record(d):
		return ""
	case d.State == event.Delivered && d.Attempts <= 1:
		return v.T("at the first try, %s", v.Took(d.DurationMS))
	case d.State == event.Delivered:
		return v.T("after %d tries, %s", d.Attempts, v.Took(d.DurationMS))
	case d.WaitsFor != nil:
		return v.T("waits for %s", d.WaitsFor.String())
	case d.Attempts > 0:
		return v.T("%d tries", d.Attempts)
	}
	return ""
}

// CanRetry and CanCancel say what may be done by hand; see admin.Service.
func (v *view) CanRetry(d admin.Delivery) bool {
	return d.State == event.Failed || d.State == event.Scheduled || d.State == event.Retrying || d.State == event.Cancelled
}

// CanRender reports whether the delivery may be rendered again.
func (v *view) CanRender(d admin.Delivery) bool {
	return d.State == event.Failed && d.Rule != event.AutoreplyRule
}

// CanCancel reports whether the delivery may be given up.
func (v *view) CanCancel(d admin.Delivery) bool {
	return d.State == event.Failed || d.State == event.Scheduled || slices.Contains(event.OpenStates(), d.State)
}

// HoldsUp reports whether others with the delivery's ordering key wait for it.
func (v *view) HoldsUp(d admin.Delivery) bool {
	return d.Key != "" && slices.Contains(event.OpenStates(), d.State)
}

// Pretty is JSON for people.
func (v *view) Pretty(raw json.RawMessage) string {
	var out bytes.Buffer
	if json.Indent(&out, raw, "", "  ") != nil {
		return string(raw)
	}
	return out.String()
}

// noSuchDelivery is what who names a delivery that can't be is told.
const noSuchDelivery = "There is no delivery of this name. Names of deliveries begin with dlv_."

// noSuchTime is what who asks for an act since a time that is none is told.
const noSuchTime = "The time from which on deliveries are meant is none. Write 30d, 12h, or 2026-11-24."

// selection reads which deliveries an act is for: those named, or all that the
// filter of the page selects.
func selection(now time.Time, value func(string) string, ids [][]byte) (sel admin.Selection, err error) {
	for _, raw := range ids {
		var id event.DeliveryID
		if err := id.UnmarshalText(raw); err != nil {
			return sel, &queryError{noSuchDelivery}
		}
		sel.IDs = append(sel.IDs, id)
	}
	sel.State = event.DeliveryState(value("state"))
	sel.Connection, sel.Rule, sel.Cause = value("connection"), value("rule"), value("cause")
	sel.Render = value("render") != ""
	sel.SkipOvertaken = value("overtaken") == "skip"
	if since := value("since"); since != "" {
		if sel.Since, err = admin.ReadMoment("since", since, now); err != nil {
			return sel, &queryError{noSuchTime}
		}
	}
	return sel, nil
}

// cancel gives deliveries up.
func (u *UI) cancel(c *fiber.Ctx) error {
	return u.bulk(c, u.cfg.Service.Cancel, "%d deliveries were given up.")
}

func (u *UI) bulk(c *fiber.Ctx, act func(ctx context.Context, sel admin.Selection) (admin.Changed, error), done string) error {
	form := c.Context().PostArgs()
	sel, err := selection(u.cfg.Now(), func(name string) string { return string(form.Peek(name)) }, form.PeekMulti("id"))
	if err == nil {
		var changed admin.Changed
		if changed, err = act(u.acts(c), sel); err == nil {
			if said := leftWords(languageOf(c), &changed); said != "" {
				return u.done(c, cmp.Or(string(form.Peek("to")), prefix+"/deliveries"), "bad", said)
			}
			return u.done(c, cmp.Or(string(form.Peek("to")), prefix+"/deliveries"), "ok", languageOf(c).text(done, changed.Count))
		}
	}
	return u.fail(c, err)
}

// longestReason is how much of a reason a note has: it travels in a cookie.
const longestReason = 300

// leftWords say what did not go of deliveries that were to be rendered again; "": all
// of them went.
func leftWords(l language, c *admin.Changed) string {
	switch {
	case len(c.Left) > 0:
		return l.text("%d deliveries were rendered again.", c.Count) + " " + l.text("What stays as it is: %s", shortened(c.Left[0].Reason, longestReason))
	case c.Unmet > 0:
		return l.text("%d deliveries were rendered again.", c.Count) + " " + l.text("%d were cancelled: the condition is not met now.", c.Unmet)
	}
	return ""
}

func missing(err error) bool { return errors.Is(err, event.ErrNotFound) }
