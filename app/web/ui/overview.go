package ui

import (
	"html/template"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/admin"
	"hookgate/internal/event"
)

// overviewPage says how things stand, in a sentence first.
type overviewPage struct {
	Verdict     mark
	Sentence    template.HTML
	Reassuring  string
	Troubles    []trouble
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
	RuleErrors  int // events of the last day for which a rule could not be evaluated
	Notices     []notice
}

// notice is what needs attention and is neither of a connection nor of a source.
type notice struct {
	Class, Icon string
	Title, Text string
	At          time.Time // of Text; zero: at any time
	Link        string    // where it can be mended; "": not here
	Plan        string    // of what is to be done then; "": nothing
	Said        string    // in English, by what found it
}

// trouble is a cause for which deliveries failed within the last day, or are being
// retried: then Cause is of those, where none failed.
type trouble struct {
	admin.Cause
	Failed   int
	Retrying int
}

// troublesOf are the causes of both, those first for which something failed.
func troublesOf(failed, retrying []admin.Cause) []trouble {
	list := make([]trouble, 0, len(failed)+len(retrying))
	for _, c := range failed {
		list = append(list, trouble{Cause: c, Failed: c.Count})
	}
	for _, c := range retrying {
		if i := slices.IndexFunc(list, func(t trouble) bool { return t.ID == c.ID }); i >= 0 {
			list[i].Retrying = c.Count
		} else {
			list = append(list, trouble{Cause: c, Retrying: c.Count})
		}
	}
	return list
}

// Mark is how bad it is: what failed waits for somebody, what is being retried does not.
func (t trouble) Mark() mark {
	switch {
	case t.Failed == 0:
		return mark{"warn", "retry", ""}
	case t.Kind == admin.MendRule:
		return mark{"warn", "warn", ""}
	default:
		return mark{"bad", "bad", ""}
	}
}

// Query selects its deliveries: those that failed within the last day, as the page tells
// of them, else those that are being retried.
func (t trouble) Query() string {
	if t.Failed == 0 {
		return ofCause(event.Retrying, t.Cause, "", "")
	}
	return ofCause(event.Failed, t.Cause, "", "24h")
}

// ruleErrors is the query of the events for which a rule could not be evaluated, as the
// page tells of them.
const ruleErrors = "state:rule_error since:24h"

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
	failed, err := s.Causes(ctx, event.DeliveryFilter{Since: u.cfg.Now().Add(-day)})
	if err != nil {
		return u.fail(c, err)
	}
	retrying, err := s.Causes(ctx, event.DeliveryFilter{States: []event.DeliveryState{event.Retrying}})
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
	data.Troubles = troublesOf(failed.Items, retrying.Items)
	data.sum(connections.Items)
	runs, err := u.openRuns(ctx)
	if err != nil {
		return u.fail(c, err)
	}
	data.notice(languageOf(c), runs)
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
	lastDay := counts
	if data.Range != "24h" {
		if lastDay, err = u.cfg.Service.Statistics(c.UserContext(), "24h"); err != nil {
			return err
		}
	}
	for i := range lastDay.Slots {
		data.RuleErrors += lastDay.Slots[i].Received[string(event.RuleError)]
	}
	data.Quiet, err = u.cfg.Service.QuietSources(c.UserContext())
	return err
}

func (o *overviewPage) sum(list []admin.Connection) {
	o.Connections = list
	for i := range list {
		c := &list[i]
		o.Waiting += c.Waiting + c.Sending
		o.Held += c.Held
		o.Failed += c.Failed
		o.Attempts.Attempts += c.Day.Attempts
		o.Attempts.Failed += c.Day.Failed
		o.Attempts.P95MS = max(o.Attempts.P95MS, c.Day.P95MS)
	}
}

// notice lists what stands still, or is not as somebody wanted it, while all
// connections are well.
func (o *overviewPage) notice(l language, runs []admin.RetryRun) {
	if o.Status.Clock != nil {
		o.Notices = append(o.Notices, notice{
			Class: "bad", Icon: "bad", Title: l.text("The database's clock is not trusted"), Link: prefix + "/scheduled",
			Text: l.text("Nothing that is scheduled goes until it is back, or until somebody accepts it: hookgate clock accept"),
		})
	}
	if late := o.Status.Late; late != nil {
		o.Notices = append(o.Notices, notice{
			Class: "bad", Icon: "wait", Title: l.text("What is scheduled is late"), Link: prefix + "/scheduled", At: late.Since,
			Text: l.text("%d moments are over since then, and nothing has come of them yet. It is tried again and again; where it goes on, the server's log says why.", late.Count),
		})
	}
	if refused := o.Status.Refused; refused != nil {
		n := notice{Class: "warn", Icon: "warn", Title: l.text("A change of the configuration was refused"), Text: l.text("The one before it stays in force."), At: refused.At, Link: prefix + "/config"}
		if len(refused.Diagnostics) > 0 {
			n.Said = refused.Diagnostics[0].Message
		}
		o.Notices = append(o.Notices, n)
	}
	if o.RuleErrors > 0 {
		o.Notices = append(o.Notices, notice{
			Class: "warn", Icon: "rules", Title: l.text("%d events had an error in a rule", o.RuleErrors), Link: prefix + "/events" + query("q", ruleErrors), Plan: prefix + "/events/replay" + query("q", ruleErrors),
			Text: l.text("What the rule was to send within the last day was not sent. Mend it, then replay with the rules of today."),
		})
	}
	for i := range runs {
		if r := &runs[i]; r.State == event.RetryHalted {
			o.Notices = append(o.Notices, notice{
				Class: "bad", Icon: "bad", Title: l.text("A retry has stopped by itself: too many failed"), Link: runURL(r.ID),
				Text: l.text("%d of %d arrived.", r.Arrived, r.Total), At: r.Created,
			})
		}
	}
	for _, tick := range o.Status.Schedules {
		if tick.Late {
			o.Notices = append(o.Notices, notice{
				Class: "warn", Icon: "wait", Title: l.text("The schedule %s is late", tick.Name), Text: l.text("Its event was not made when it was due."), At: tick.At,
			})
		}
	}
	if proxy := o.Status.UntrustedProxy; proxy != "" {
		o.Notices = append(o.Notices, notice{
			Class: "warn", Icon: "warn", Title: l.text("The proxy %s is not trusted", proxy),
			Text: l.text("All visitors behind it count as one and share one rate limit: add it to server.trusted_proxies."),
		})
	}
}

// Attention is how many things the page says need attention.
func (o overviewPage) Attention() int { return len(o.Troubles) + len(o.Quiet) + len(o.Notices) }

// Arrived is the mark of the share that arrived.
func (o overviewPage) Arrived() mark {
	switch w := o.Attempts; {
	case w.Attempts == 0:
		return mark{}
	case w.Failed*20 > w.Attempts: // less than 95 of 100
		return mark{"warn", "warn", ""}
	default:
		return mark{"ok", "ok", ""}
	}
}

// judge is what a project manager would say of it.
func (o *overviewPage) judge(l language) {
	var open, paused []string
	kept := 0 // for those that do not answer
	for i := range o.Connections {
		switch c := &o.Connections[i]; c.State {
		case "open", "failing":
			open = append(open, c.Name)
			kept += c.Waiting + c.Sending
		case "paused":
			paused = append(paused, c.Name)
		}
	}
	o.Reassuring = l.text("Nothing is lost: what could not be delivered is kept.")
	if kept > 0 {
		o.Reassuring = l.text("Nothing is lost: %d deliveries are kept for it and tried again.", kept)
	}
	switch {
	case !o.Status.Ready:
		o.Verdict, o.Sentence = mark{"bad", "bad", ""}, l.tell("The gateway cannot work right now: %s.", inEnglish(o.Status.NotReady))
	case len(open) == 1:
		o.Verdict, o.Sentence = mark{"bad", "bad", ""}, l.tell("%s does not answer as it should.", open[0])
	case len(open) > 1:
		o.Verdict, o.Sentence = mark{"bad", "bad", ""}, l.tell("%d connections do not answer as they should.", len(open))
	case o.Status.Clock != nil:
		o.Verdict, o.Sentence = mark{"bad", "bad", ""}, l.tell("Nothing that is scheduled goes: the database's clock is not trusted.")
	case o.Failed > 0:
		o.Verdict, o.Sentence = mark{"warn", "warn", ""}, l.tell("%d deliveries failed within the last day.", o.Failed)
	case o.RuleErrors > 0:
		o.Verdict, o.Sentence = mark{"warn", "warn", ""}, l.tell("%d events had an error in a rule within the last day.", o.RuleErrors)
	case o.Status.Refused != nil:
		o.Verdict, o.Sentence = mark{"warn", "warn", ""}, l.tell("The last change of the configuration is not in force.")
		o.Reassuring = l.text("All goes on as before it.")
	case len(o.Notices)+len(o.Quiet) > 0:
		o.Verdict, o.Sentence = mark{"warn", "warn", ""}, l.tell("%d things need attention.", o.Attention())
		o.Reassuring = l.text("%d deliveries were tried within the last day.", o.Attempts.Attempts)
	case len(paused) > 0:
		o.Verdict, o.Sentence = mark{"hold", "hold", ""}, l.tell("%d connections are paused.", len(paused))
		o.Reassuring = l.text("Nothing is dropped: what is for it is held.")
	default:
		o.Verdict, o.Sentence = mark{"ok", "ok", ""}, l.tell("All is well.")
		o.Reassuring = l.text("%d deliveries were tried within the last day.", o.Attempts.Attempts)
	}
}
