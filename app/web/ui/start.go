package ui

import (
	"errors"
	"html/template"
	"strings"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/admin"
	"hookgate/app/ingest/samples"
	"hookgate/internal/event"
)

// startPage leads from a running gateway to the first event that is routed.
type startPage struct {
	Sources     []startSource
	Forms       []admin.Inbound
	Connections []admin.Connection
	Status      admin.Status
	Rules       int

	// Event is what came in last, or the sample that was sent; nil: nothing yet.
	Event *admin.EventDetail
	State mark
	Story template.HTML
	Told  []ruleStory
	Open  bool // deliveries of it are under way
}

// startSource is a source with what can be sent to it to try it.
type startSource struct {
	admin.Inbound
	Samples []samples.Sample
	Whole   string // its address with the secret, where it was asked for
}

// waitsFor is after how many seconds a page that waits for something is asked
// for again.
const waitsFor = 3

// refresh has the page asked for again until there is something to see on it.
func (p startPage) refresh() int {
	if p.Event == nil || p.Open {
		return waitsFor
	}
	return 0
}

// start shows where senders post to, waits for what comes in, and tells what
// came of it.
func (u *UI) start(c *fiber.Ctx) error { return u.startWith(c, admin.Address{}) }

// showAddress shows the page with the whole address of a source.
func (u *UI) showAddress(c *fiber.Ctx) error {
	whole, err := u.cfg.Service.Address(u.acts(c), string(c.Context().PostArgs().Peek("source")))
	if missing(err) {
		return u.notFound(c, "The configuration has no such source.")
	}
	if err != nil {
		return u.fail(c, err)
	}
	return u.startWith(c, whole)
}

func (u *UI) startWith(c *fiber.Ctx, whole admin.Address) error {
	data, err := u.startData(c, whole)
	if err != nil {
		return u.fail(c, err)
	}
	id, err := u.startEvent(c)
	if err != nil {
		return u.fail(c, err)
	}
	if id != 0 {
		detail, err := u.cfg.Service.Event(c.UserContext(), id)
		if missing(err) {
			return u.notFound(c, "There is no such event: it never was, or retention has removed it.")
		}
		if err != nil {
			return u.fail(c, err)
		}
		data.tell(u.view(c, "", ""), &detail)
	}
	return u.renderPage(c, "start", "overview", languageOf(c).text("Welcome"), data)
}

func (u *UI) startData(c *fiber.Ctx, whole admin.Address) (data startPage, err error) {
	ctx, s := c.UserContext(), u.cfg.Service
	inbounds, err := s.Inbounds(ctx)
	if err != nil {
		return data, err
	}
	for _, in := range inbounds.Items {
		if in.Form {
			data.Forms = append(data.Forms, in)
			continue
		}
		one := startSource{Inbound: in}
		if one.Samples, err = s.Samples(ctx, in.Name); err != nil && !missing(err) {
			return data, err
		}
		if whole.Name == in.Name {
			one.Whole = whole.URL
		}
		data.Sources = append(data.Sources, one)
	}
	connections, err := s.Connections(ctx)
	if err != nil {
		return data, err
	}
	data.Connections = connections.Items
	data.Status, err = s.Status(ctx)
	data.Rules = data.Status.Rules
	return data, err
}

// startEvent is the event that the address names, else the newest; 0: there is
// none.
func (u *UI) startEvent(c *fiber.Ctx) (id event.ID, err error) {
	if id.UnmarshalText([]byte(c.Query("event"))) == nil && id != 0 {
		return id, nil
	}
	newest, err := u.cfg.Service.Events(c.UserContext(), event.Search{Filter: event.Filter{Limit: 1}})
	if err != nil || len(newest.Items) == 0 {
		return 0, err
	}
	return newest.Items[0].ID, nil
}

// tell says what came of an event.
func (p *startPage) tell(v *view, detail *admin.EventDetail) {
	p.Event, p.State = detail, v.EventState(detail.Event)
	p.Told, _ = v.ruleStories(detail)
	p.Story = v.story(detail, p.Told)
	for i := range detail.Deliveries {
		switch detail.Deliveries[i].State {
		case event.Waiting, event.Sending:
			p.Open = true
		case event.Retrying, event.Delivered, event.Failed, event.Held, event.Scheduled, event.Cancelled:
		}
	}
}

// sendSample sends a sample to a source through the real intake: rules run, and
// what they send is sent.
func (u *UI) sendSample(c *fiber.Ctx) error {
	name, chosen, _ := strings.Cut(string(c.Context().PostArgs().Peek("sample")), "/")
	list, err := u.cfg.Service.Samples(c.UserContext(), name)
	if missing(err) {
		return u.notFound(c, "The configuration has no such source.")
	}
	if err != nil {
		return u.fail(c, err)
	}
	sample, err := samples.Choose(list, name, chosen)
	if err != nil {
		return u.notFound(c, "There is no such sample.")
	}
	accepted, err := u.cfg.Service.Send(u.acts(c), admin.Sending{
		Source: name, ContentType: sample.ContentType, Headers: sample.Headers, Body: []byte(sample.Body), Fresh: true,
	})
	if kept, ok := errors.AsType[*admin.KeptError](err); ok { // refused, and kept: what came of it is that
		accepted.ID, err = kept.ID, nil
	}
	if err != nil {
		return u.fail(c, err)
	}
	return c.Redirect(prefix+"/start?event="+accepted.ID.String(), fiber.StatusSeeOther)
}
