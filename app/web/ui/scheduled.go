package ui

import (
	"net/url"
	"time"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/admin"
	"hookgate/internal/event"
)

// scheduledPage is the page of what waits for its moment.
type scheduledPage struct {
	Connection, Rule string
	Days             []scheduledDay
	Count            int    // on this page
	Total            int    // of the filter
	Later            string // the URL of the page behind it; "" at the end
	First            string // the URL of the first page; "" on it
	Clock            *admin.Clock
}

// scheduledDay is what goes on one day, in the zone of the server.
type scheduledDay struct {
	Day   time.Time
	Items []admin.Delivery
}

// scheduled lists what waits for its moment, the next to go first.
func (u *UI) scheduled(c *fiber.Ctx) error {
	data := scheduledPage{Connection: c.Query("connection"), Rule: c.Query("rule")}
	turn := event.Turn{}
	if after := c.Query("after"); after != "" {
		if err := turn.UnmarshalText([]byte(after)); err != nil {
			return u.notFound(c, noSuchPage)
		}
		data.First = data.Link("")
	}
	page, err := u.cfg.Service.Deliveries(c.UserContext(), event.DeliveryFilter{
		States: []event.DeliveryState{event.Scheduled}, Connection: data.Connection, Rule: data.Rule, Next: &turn, Limit: eventsPerPage,
	})
	if err == nil {
		data.fill(page, u.location())
		err = u.countScheduled(c, &data)
	}
	switch said, ok := sentence(languageOf(c), err); {
	case missing(err):
		return u.notFound(c, "The configuration has no such connection or rule.")
	case ok:
		return u.refuse(c, fiber.StatusBadRequest, said)
	case err != nil:
		return u.fail(c, err)
	}
	return u.render(c, "scheduled", "Scheduled", data)
}

// countScheduled counts what the filter selects, and asks whether the clock that it
// waits for is trusted.
func (u *UI) countScheduled(c *fiber.Ctx, p *scheduledPage) error {
	sel := p.Selection()
	sel.DryRun = true
	counted, err := u.cfg.Service.Cancel(c.UserContext(), sel)
	if err != nil {
		return err
	}
	p.Total = counted.Count
	status, err := u.cfg.Service.Status(c.UserContext())
	p.Clock = status.Clock
	return err
}

// Selection is all that the page's filter selects.
func (p *scheduledPage) Selection() admin.Selection {
	return admin.Selection{State: event.Scheduled, Connection: p.Connection, Rule: p.Rule}
}

func (p *scheduledPage) fill(page admin.Page[admin.Delivery], zone *time.Location) {
	p.Count = len(page.Items)
	for i := range page.Items {
		d := page.Items[i]
		if d.Moment == nil { // it began meanwhile
			continue
		}
		at := d.Moment.In(zone)
		day := time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, zone)
		if n := len(p.Days); n == 0 || !p.Days[n-1].Day.Equal(day) {
			p.Days = append(p.Days, scheduledDay{Day: day})
		}
		last := &p.Days[len(p.Days)-1]
		last.Items = append(last.Items, d)
	}
	if page.Next != "" {
		p.Later = p.Link(page.Next)
	}
}

// Link is the list behind a place.
func (p scheduledPage) Link(after string) string {
	return prefix + "/scheduled" + query("connection", p.Connection, "rule", p.Rule, "after", after)
}

// Here is the list as it is filtered, where an act leads back to.
func (p scheduledPage) Here() string { return p.Link("") }

// Chips are the filters of the list, each with the list without it.
func (p scheduledPage) Chips(v *view) (list []chip) {
	if p.Connection != "" {
		list = append(list, chip{v.T("connection"), p.Connection, prefix + "/scheduled" + query("rule", p.Rule)})
	}
	if p.Rule != "" {
		list = append(list, chip{v.T("rule"), p.Rule, prefix + "/scheduled" + query("connection", p.Connection)})
	}
	return list
}

// ByConnection is the list of one connection.
func (p scheduledPage) ByConnection(name string) string {
	return prefix + "/scheduled" + query("connection", name, "rule", p.Rule)
}

// ByRule is the list of one rule.
func (p scheduledPage) ByRule(name string) string {
	return prefix + "/scheduled" + query("connection", p.Connection, "rule", name)
}

// RetryLink is where the plan is of sending all of the list now.
func (p scheduledPage) RetryLink() string {
	return prefix + "/deliveries/retry" + query("state", string(event.Scheduled), "connection", p.Connection, "rule", p.Rule)
}

// query is the query of an address: names and values, without those that are empty.
func query(pairs ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}
