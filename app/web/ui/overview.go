package ui

import (
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/admin"
	"hookgate/internal/event"
)

// overviewPage says how things stand, in a sentence first.
type overviewPage struct {
	Verdict     mark
	Sentence    string
	Reassuring  string
	Causes      []admin.Cause
	Connections []admin.Connection
	Latest      []admin.Event
	Live        liveList
	Waiting     int
	Held        int
	Failed      int
	Posts       int          // form posts of the last day
	Spam        int          // of them: kept apart
	Attempts    admin.Window // of the last day, all connections
	Status      admin.Status
	Range       string   // of the chart
	Ranges      []string // that there are
	Chart       *chart
	Quiet       []admin.Quiet
}

// latestEvents is how many events the overview shows.
const latestEvents = 8

const day = 24 * time.Hour

// overview is the first page.
func (u *UI) overview(c *fiber.Ctx) error {
	ctx, s := c.UserContext(), u.cfg.Service
	var data overviewPage
	latest, err := s.Events(ctx, event.Search{Filter: event.Filter{Limit: latestEvents}})
	if err != nil {
		return u.fail(c, err)
	}
	if len(latest.Items) == 0 {
		return c.Redirect(prefix+"/start", fiber.StatusSeeOther)
	}
	data.Latest = latest.Items
	connections, err := s.Connections(ctx)
	if err != nil {
		return u.fail(c, err)
	}
	causes, err := s.Causes(ctx, event.DeliveryFilter{Since: u.cfg.Now().Add(-day)})
	if err != nil {
		return u.fail(c, err)
	}
	forms, err := s.Forms(ctx, u.cfg.Now().Add(-day))
	if err != nil {
		return u.fail(c, err)
	}
	for _, f := range forms.Items {
		data.Posts += f.Posts
		data.Spam += f.Spam
	}
	if data.Status, err = s.Status(ctx); err != nil {
		return u.fail(c, err)
	}
	if err := u.traffic(c, &data); err != nil {
		return u.fail(c, err)
	}
	data.Causes = causes.Items
	data.sum(connections.Items)
	data.judge(languageOf(c))
	after := event.ID(0)
	if len(data.Latest) > 0 {
		after = data.Latest[0].ID
	}
	data.Live = liveOf("", after, prefix+"/"+query("range", c.Query("range")))
	return u.render(c, "overview", "Overview", data)
}

// traffic adds what came in and went out, and who is quiet.
func (u *UI) traffic(c *fiber.Ctx, data *overviewPage) error {
	data.Ranges, data.Range = admin.StatRanges(), "24h"
	if asked := c.Query("range"); slices.Contains(data.Ranges, asked) {
		data.Range = asked
	}
	counts, err := u.cfg.Service.Statistics(c.UserContext(), data.Range)
	if err != nil {
		return err
	}
	data.Chart = languageOf(c).chart(data.Range, &counts)
	data.Quiet, err = u.cfg.Service.QuietSources(c.UserContext())
	return err
}

func (o *overviewPage) sum(list []admin.Connection) {
	o.Connections = list
	for i := range list {
		c := &list[i]
		o.Waiting += c.Waiting
		o.Held += c.Held
		o.Failed += c.Failed
		o.Attempts.Attempts += c.Day.Attempts
		o.Attempts.Failed += c.Day.Failed
		o.Attempts.P95MS = max(o.Attempts.P95MS, c.Day.P95MS)
	}
}

// judge is what a project manager would say of it.
func (o *overviewPage) judge(l language) {
	var open, paused []string
	for i := range o.Connections {
		switch c := &o.Connections[i]; c.State {
		case "open", "failing":
			open = append(open, c.Name)
		case "paused":
			paused = append(paused, c.Name)
		}
	}
	o.Reassuring = l.text("Nothing is lost: what could not be delivered is kept.")
	switch {
	case !o.Status.Ready:
		o.Verdict, o.Sentence = mark{"bad", "bad", ""}, l.text("The gateway cannot work right now: %s.", o.Status.NotReady)
	case len(open) == 1:
		o.Verdict, o.Sentence = mark{"bad", "bad", ""}, l.text("%s does not answer as it should.", open[0])
	case len(open) > 1:
		o.Verdict, o.Sentence = mark{"bad", "bad", ""}, l.text("%d connections do not answer as they should.", len(open))
	case o.Failed > 0:
		o.Verdict, o.Sentence = mark{"warn", "warn", ""}, l.text("%d deliveries failed within the last day.", o.Failed)
	case len(paused) > 0:
		o.Verdict, o.Sentence = mark{"hold", "hold", ""}, l.text("%d connections are paused.", len(paused))
		o.Reassuring = l.text("Nothing is dropped: what is for it is held.")
	default:
		o.Verdict, o.Sentence = mark{"ok", "ok", ""}, l.text("All is well.")
		o.Reassuring = l.text("%d deliveries were tried within the last day.", o.Attempts.Attempts)
	}
}
