package ui

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"regexp"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/admin"
	"hookgate/internal/event"
)

// causesFrom is how many deliveries the causes are gathered from, the newest.
const causesFrom = 500

// deliveryList is the page of deliveries: by cause, or one by one.
type deliveryList struct {
	State      event.DeliveryState
	Connection string
	By         string // cause, or "" for a list
	Causes     []cause
	Items      []admin.Delivery
	Older      string
	More       bool // there are older ones than the causes were gathered from
	States     []stateTab
	Error      string
}

type stateTab struct {
	State event.DeliveryState
	Here  bool
}

// cause is why deliveries failed: the same error at the same connection.
type cause struct {
	Connection, Error, Advice, Kind string // Kind: again, never, render
	Count                           int
	First, Last                     time.Time
	Example                         admin.Delivery
}

var deliveryTabs = []event.DeliveryState{event.Failed, event.Retrying, event.Waiting, event.Held, event.Delivered, event.Cancelled}

// deliveries lists deliveries of a state. What failed is grouped by its cause,
// because that is what somebody can mend.
func (u *UI) deliveries(c *fiber.Ctx) error {
	data := deliveryList{State: event.DeliveryState(cmp.Or(c.Query("state"), string(event.Failed))), Connection: c.Query("connection"), By: c.Query("by")}
	if !slices.Contains(deliveryTabs, data.State) {
		c.Status(fiber.StatusBadRequest)
		data.Error, data.State = languageOf(c).text("There is no state %q. There are: %s.", string(data.State), admin.Joined(deliveryTabs)), event.Failed
	}
	for _, s := range deliveryTabs {
		data.States = append(data.States, stateTab{s, s == data.State})
	}
	if data.By == "" && (data.State == event.Failed || data.State == event.Retrying) {
		data.By = "cause"
	}
	f := event.DeliveryFilter{States: []event.DeliveryState{data.State}, Connection: data.Connection, Limit: eventsPerPage}
	if data.By == "cause" {
		f.Limit = causesFrom
	} else if before := c.Query("before"); before != "" {
		if err := f.Before.UnmarshalText([]byte(before)); err != nil {
			return u.notFound(c, noSuchPage)
		}
	}
	page, err := u.cfg.Service.Deliveries(c.UserContext(), f)
	if err != nil {
		return u.fail(c, err)
	}
	if data.By == "cause" {
		data.Causes, data.More = causesOf(page.Items, languageOf(c)), page.Next != ""
	} else {
		data.Items = page.Items
		if page.Next != "" {
			data.Older = prefix + "/deliveries?" + url.Values{"state": {string(data.State)}, "connection": {data.Connection}, "by": {"time"}, "before": {page.Next}}.Encode()
		}
	}
	return u.render(c, "deliveries", "Deliveries", data)
}

// digits are what differs between two errors of the same cause.
var digits = regexp.MustCompile(`\b[0-9a-f]{8,}\b|\b(?:evt|dlv)_\w+|\d{5,}`)

// causesOf groups deliveries by connection and error, the most frequent first.
func causesOf(list []admin.Delivery, l language) []cause {
	type key struct{ connection, text string }
	found := map[key]*cause{}
	for i := range list {
		d := &list[i]
		k := key{d.Connection, digits.ReplaceAllString(d.Error, "…")}
		at := found[k]
		if at == nil {
			at = &cause{Connection: d.Connection, Error: k.text, Example: *d, Last: d.Created}
			at.Kind, at.Advice = advice(d, l)
			found[k] = at
		}
		at.Count++
		at.First = d.Created
	}
	causes := make([]cause, 0, len(found))
	for _, c := range found {
		causes = append(causes, *c)
	}
	slices.SortFunc(causes, func(a, b cause) int { return cmp.Or(b.Count-a.Count, b.Last.Compare(a.Last)) })
	return causes
}

// advice says whether to send again is worth it.
func advice(d *admin.Delivery, l language) (kind, text string) {
	switch {
	case d.Attempts == 0:
		return "render", l.text("Nothing was sent: the rule could not make the message. Mend the rule, then replay the events.")
	case d.Status >= 400 && d.Status < 500 && d.Status != 408 && d.Status != 409 && d.Status != 425 && d.Status != 429:
		return "never", l.text("The receiver refuses it, and would again. Mend the rule or the receiver first.")
	}
	return "again", l.text("Worth a retry once the receiver answers again.")
}

// Tries tells how often a delivery was tried, and what comes next.
func (v *view) Tries(d admin.Delivery) string {
	switch {
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
	return d.State == event.Failed || d.State == event.Retrying || d.State == event.Cancelled
}

// CanCancel reports whether the delivery may be given up.
func (v *view) CanCancel(d admin.Delivery) bool {
	return d.State == event.Failed || slices.Contains(event.OpenStates(), d.State)
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

// retryPlan is what a retry would do, before it is done.
type retryPlan struct {
	admin.Selection
	Changed admin.Changed
}

// noSuchDelivery is what who names a delivery that can't be is told.
const noSuchDelivery = "There is no delivery of this name. Names of deliveries begin with dlv_."

// selection reads which deliveries an act is for: those named, or all that the
// filter of the page selects.
func selection(value func(string) string, ids [][]byte) (sel admin.Selection, err error) {
	for _, raw := range ids {
		var id event.DeliveryID
		if err := id.UnmarshalText(raw); err != nil {
			return sel, &queryError{noSuchDelivery}
		}
		sel.IDs = append(sel.IDs, id)
	}
	sel.State = event.DeliveryState(value("state"))
	sel.Connection, sel.Rule = value("connection"), value("rule")
	return sel, nil
}

// planRetry shows how many deliveries a retry would send, and how.
func (u *UI) planRetry(c *fiber.Ctx) error {
	sel, err := selection(func(name string) string { return c.Query(name) }, c.Context().QueryArgs().PeekMulti("id"))
	if err == nil {
		sel.DryRun = true
		var changed admin.Changed
		if changed, err = u.cfg.Service.Retry(c.UserContext(), sel); err == nil {
			return u.renderPage(c, "retry", "deliveries", languageOf(c).text("Retry"), retryPlan{sel, changed})
		}
	}
	if said, ok := sentence(err); ok {
		return u.refuse(c, fiber.StatusBadRequest, said)
	}
	return u.fail(c, err)
}

// retry sends deliveries again.
func (u *UI) retry(c *fiber.Ctx) error {
	return u.bulk(c, u.cfg.Service.Retry, "%d deliveries are being sent again.")
}

// cancel gives deliveries up.
func (u *UI) cancel(c *fiber.Ctx) error {
	return u.bulk(c, u.cfg.Service.Cancel, "%d deliveries were given up.")
}

func (u *UI) bulk(c *fiber.Ctx, act func(ctx context.Context, sel admin.Selection) (admin.Changed, error), done string) error {
	form := c.Context().PostArgs()
	sel, err := selection(func(name string) string { return string(form.Peek(name)) }, form.PeekMulti("id"))
	if err == nil {
		var changed admin.Changed
		if changed, err = act(u.acts(c), sel); err == nil {
			return u.done(c, cmp.Or(string(form.Peek("to")), prefix+"/deliveries"), "ok", languageOf(c).text(done, changed.Count))
		}
	}
	if said, ok := sentence(err); ok {
		return u.refuse(c, fiber.StatusBadRequest, said)
	}
	return u.fail(c, err)
}

func missing(err error) bool { return errors.Is(err, event.ErrNotFound) }
