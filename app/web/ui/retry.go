package ui

import (
	"context"
	"net/url"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/admin"
	"hookgate/internal/event"
)

// The fuse of a retry that tries one first: how many first, and after how many
// failures in a row it stops.
const firstTries, failuresInARow = 1, 3

// retryPlan is what a retry would do, before it is done.
type retryPlan struct {
	admin.Selection
	Changed admin.Changed
	Newest  []admin.Delivery  // of those it is about
	To      *admin.Connection // where they go, where it is one
	First   bool              // it is better to try one first
}

// planRetry shows how many deliveries a retry would send, and how.
func (u *UI) planRetry(c *fiber.Ctx) error {
	sel, err := selection(u.cfg.Now(), func(name string) string { return c.Query(name) }, c.Context().QueryArgs().PeekMulti("id"))
	if err == nil {
		sel.DryRun = true
		plan := retryPlan{Selection: sel}
		if plan.Changed, err = u.cfg.Service.Retry(c.UserContext(), sel); err == nil {
			if err := u.fillPlan(c, &plan); err != nil {
				return u.fail(c, err)
			}
			return u.renderPage(c, "retry", "deliveries", languageOf(c).text("Retry"), plan)
		}
	}
	return u.fail(c, err)
}

// fillPlan looks how the connection is that a retry would send to.
func (u *UI) fillPlan(c *fiber.Ctx, p *retryPlan) error {
	page, err := u.cfg.Service.Connections(c.UserContext())
	if err != nil {
		return err
	}
	p.First = p.Changed.Count > 1
	for i := range page.Items {
		if page.Items[i].Name == p.Connection {
			p.To = &page.Items[i]
		}
	}
	return nil
}

// Other is the same plan with what was overtaken, where this one leaves it out, and
// without it where this one has it.
func (p retryPlan) Other(v *view) string {
	q := url.Values{"state": {string(p.State)}, "connection": {p.Connection}, "rule": {p.Rule}, "cause": {p.Cause}}
	for _, id := range p.IDs {
		q.Add("id", id.String())
	}
	if !p.Since.IsZero() {
		q.Set("since", v.Stamp(p.Since))
	}
	if !p.SkipOvertaken {
		q.Set("overtaken", "skip")
	}
	for name, values := range q {
		if values[0] == "" {
			q.Del(name)
		}
	}
	return prefix + "/deliveries/retry?" + q.Encode()
}

// ByRun reports whether a run can send them, which one can watch and stop; else they
// go at once.
func (p retryPlan) ByRun() bool {
	return !p.Render && (p.State == "" || slices.Contains(admin.RunStates(), p.State))
}

// HowFast is how fast they go, and about how long they take; "" where nothing is known.
func (p retryPlan) HowFast(v *view) string {
	slowest := admin.Slowest(p.Changed.Paces)
	switch {
	case p.To == nil:
		return v.PaceWords(slowest)
	case slowest != nil && slowest.Rate == p.To.RateLimit:
		return p.To.RateLimit + ", " + v.T("as the configuration says") + ": " + v.T("about %s", slowest.About())
	case slowest != nil: // what its receiver is known to allow, or what was held is released slower
		return v.T("about %s at %s", slowest.About(), slowest.Rate)
	case p.To.RateLimit != "":
		return p.To.RateLimit + ", " + v.T("as the configuration says")
	}
	return v.T("%d at a time", p.To.Concurrency)
}

// PaceWords say about how long what would be sent takes, by the rate of which connection;
// "" where no rate tells.
func (v *view) PaceWords(p *admin.Pace) string {
	if p == nil {
		return ""
	}
	return v.T("about %s at %s, the rate of %s", p.About(), p.Rate, p.Connection)
}

// Early reports whether they are sent before their time, and none has been tried.
func (p retryPlan) Early() bool { return p.State == event.Scheduled }

// FailedLately reports that the connection failed within the last hour, and has
// not worked since.
func (p retryPlan) FailedLately(now time.Time) bool {
	return p.To != nil && p.To.LastErrorAt != nil && now.Sub(*p.To.LastErrorAt) < time.Hour && p.To.State != "ok"
}

// retry sends deliveries again: at once, or where the plan says how, by a run.
func (u *UI) retry(c *fiber.Ctx) error {
	form := c.Context().PostArgs()
	how := string(form.Peek("how"))
	if how == "" {
		return u.bulk(c, u.cfg.Service.Retry, "%d deliveries are being sent again.")
	}
	sel, err := selection(u.cfg.Now(), func(name string) string { return string(form.Peek(name)) }, form.PeekMulti("id"))
	if err != nil {
		return u.fail(c, err)
	}
	q := admin.RetryRequest{Selection: sel}
	if how == "first" {
		q.First, q.StopAfter = firstTries, failuresInARow
	}
	run, err := u.cfg.Service.BeginRetry(u.acts(c), q)
	if err != nil {
		return u.fail(c, err)
	}
	return c.Redirect(runURL(run.ID), fiber.StatusSeeOther)
}

func runURL(id event.RunID) string { return prefix + "/deliveries/runs/" + id.String() }

// retryRun shows how far a run is.
func (u *UI) retryRun(c *fiber.Ctx) error {
	id, err := runOf(c)
	if err != nil {
		return u.notFound(c, "There is no such retry.")
	}
	run, err := u.cfg.Service.RetryRun(c.UserContext(), id)
	if err != nil {
		return u.fail(c, err)
	}
	if shown := c.Query("shown"); shown != "" && shown != string(run.State) {
		c.Set("HX-Refresh", "true") // the page asks for its figures, and its buttons are another state's
	}
	return u.renderPage(c, "run", "deliveries", languageOf(c).text("Retry"), &run)
}

// openRuns are the runs of which something is left to send, the newest first.
func (u *UI) openRuns(ctx context.Context) ([]admin.RetryRun, error) {
	page, err := u.cfg.Service.RetryRuns(ctx, event.RunFilter{Left: true})
	return page.Items, err
}

func runOf(c *fiber.Ctx) (event.RunID, error) { return event.ParseRunID(c.Params("id")) }

// steerRun makes an act that changes the state of a run.
func (u *UI) steerRun(to event.RetryState) fiber.Handler {
	return func(c *fiber.Ctx) error {
		id, err := runOf(c)
		if err != nil {
			return u.notFound(c, "There is no such retry.")
		}
		if _, err := u.cfg.Service.SteerRetry(u.acts(c), id, to); err != nil {
			return u.fail(c, err)
		}
		return c.Redirect(runURL(id), fiber.StatusSeeOther)
	}
}

// retryMarks are the states of retry runs.
var retryMarks = map[event.RetryState]mark{
	event.RetryRunning: {"run", "sending", "Running"},
	event.RetryPaused:  {"hold", "hold", "Paused"},
	event.RetryHalted:  {"bad", "bad", "Stopped by itself"},
	event.RetryStopped: {"idle", "ban", "Stopped"},
	event.RetryDone:    {"ok", "ok", "Done"},
}

// RetryState shows the state of a run.
func (v *view) RetryState(s event.RetryState) mark {
	m := retryMarks[s]
	m.Word = v.T(m.Word)
	return m
}
