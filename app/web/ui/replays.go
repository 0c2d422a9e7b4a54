package ui

import (
	"context"
	"html/template"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/admin"
	"hookgate/internal/event"
)

// replayLook is how long a page looks through events to say what a replay of them
// would send. It says how far it came.
const replayLook = 5 * time.Second

// everything is a replay's choice to send all once more; else it sends what is missing.
const everything = "all"

// replaysPlan is what a replay of the events of a list would send, before it is begun.
type replaysPlan struct {
	Query     string
	How       string
	Chips     []chip
	Untaken   []chip // filters of the list by which a replay does not choose
	Selection admin.EventSelection
	Preview   admin.ReplayPreview
	Unjudged  admin.EventCount // that the list has and no rule has judged
	Open      []admin.ReplayRun
	Error     template.HTML
}

// Link is the plan of another query, or of another choice.
func (replaysPlan) Link(q, how string) string {
	return prefix + "/events/replay" + query("q", q, "how", how)
}

// Matching are the events that a replay is for, of those that were looked at.
func (p replaysPlan) Matching() int { return p.Preview.Events + p.Preview.Finished }

// Filtered reports that not all events that were looked at are meant.
func (p replaysPlan) Filtered() bool { return p.Selection.Where != "" || p.Selection.Text != "" }

// Lately is the query, of the last 30 days.
func (p replaysPlan) Lately() string { return "since:30d " + p.Query }

// planReplays says what a replay of the events of a list would send.
func (u *UI) planReplays(c *fiber.Ctx) error {
	plan, err := u.readReplay(c, c.Query("q"), c.Query("how"))
	if err == nil && len(plan.Untaken) == 0 {
		err = u.lookAhead(c.UserContext(), &plan)
	}
	if said, ok := sentence(languageOf(c), err); ok {
		c.Status(fiber.StatusBadRequest)
		plan.Error = said
	} else if err != nil {
		return u.fail(c, err)
	}
	open, err := u.cfg.Service.Replays(c.UserContext(), event.RunFilter{Left: true})
	if err != nil {
		return u.fail(c, err)
	}
	plan.Open = open.Items
	return u.renderPage(c, "replay", "events", languageOf(c).text("Replay"), &plan)
}

// readReplay makes of the query of a list what a replay chooses by. A replay chooses by
// less: by nothing of deliveries. Of a rule it makes what this sends today, whether it
// matched or not.
func (u *UI) readReplay(c *fiber.Ctx, q, how string) (replaysPlan, error) {
	l := languageOf(c)
	s, chips, err := readQuery(q, u.cfg.Now(), l)
	p := replaysPlan{Query: q, Chips: chips, Selection: admin.EventSelection{
		Source: s.Source, Type: s.Type, States: s.States, Since: s.Since, Until: s.Until, Where: s.Where, Text: s.Text, Rule: s.Rule,
		Unfinished: how != everything,
	}}
	if !p.Selection.Unfinished {
		p.How = everything
	}
	names := filterNames(l)
	for _, one := range chips {
		if slices.Contains([]string{names["connection"], names["delivery"], names["key"]}, one.Name) {
			p.Untaken = append(p.Untaken, one)
		}
	}
	if err == nil && len(p.Untaken) == 0 && !p.Selection.Selects() {
		err = &queryError{noSuchSelection}
	}
	return p, err
}

// HowFast is about how long what would be sent takes; "" where no rate tells.
func (p *replaysPlan) HowFast(v *view) string { return v.PaceWords(admin.Slowest(p.Preview.Paces)) }

// noSuchSelection is what who wants to replay everything there ever was is told.
const noSuchSelection = "A replay needs a source, a type, a state, a text, a condition or a time to choose by."

// lookAhead counts what the replay would send, as far as the time of a page goes.
func (u *UI) lookAhead(ctx context.Context, p *replaysPlan) error {
	r := admin.ReplayRequest{EventSelection: p.Selection}
	for began := u.cfg.Now(); ; r.After = p.Preview.Next {
		part, err := u.cfg.Service.PreviewReplay(ctx, r)
		if err != nil {
			return err
		}
		p.Preview.Add(&part)
		if part.Next == nil || u.cfg.Now().Sub(began) > replayLook {
			break
		}
	}
	if len(p.Selection.States) > 0 {
		return nil
	}
	f := p.Selection.Filter()
	f.States = slices.DeleteFunc(event.States(), func(s event.State) bool { return slices.Contains(event.JudgedStates(), s) })
	var err error
	p.Unjudged, err = u.cfg.Service.Count(ctx, f)
	return err
}

// beginReplay begins the replay that a plan is of, and does the first of its steps: most
// are done by it.
func (u *UI) beginReplay(c *fiber.Ctx) error {
	plan, err := u.readReplay(c, c.FormValue("q"), c.FormValue("how"))
	if err != nil {
		return u.fail(c, err)
	}
	if len(plan.Untaken) > 0 {
		return u.refuse(c, fiber.StatusBadRequest, "A replay does not choose by all of these filters. Nothing was done.")
	}
	run, err := u.cfg.Service.CreateReplay(u.acts(c), plan.Selection)
	if err != nil {
		return u.fail(c, err)
	}
	return u.stepThrough(c, run.ID)
}

// stepReplay goes on with a replay for a moment.
func (u *UI) stepReplay(c *fiber.Ctx) error {
	id, err := runOf(c)
	if err != nil {
		return u.notFound(c, noSuchReplay)
	}
	return u.stepThrough(c, id)
}

// stepThrough goes on with a replay and shows how far it is. Where somebody else steps it
// at the same time, it is further by theirs.
func (u *UI) stepThrough(c *fiber.Ctx, id event.RunID) error {
	_, err := u.cfg.Service.StepReplay(u.acts(c), id, 0)
	if said, ok := sentence(languageOf(c), err); ok {
		c.Status(fiber.StatusBadRequest)
		return u.showReplay(c, id, said)
	}
	if err != nil {
		return u.fail(c, err)
	}
	return c.Redirect(replayURL(id), fiber.StatusSeeOther)
}

func replayURL(id event.RunID) string { return prefix + "/events/replays/" + id.String() }

// noSuchReplay is what who names a replay that is none is told.
const noSuchReplay = "There is no such replay."

// replaysRun is how far a replay is.
type replaysRun struct {
	admin.ReplayRun
	Query string // of the list of its events
	// Auto: the page goes on with it by itself. That does only a page that a script asked
	// for once somebody had it begin or go on: a look at it makes nothing happen.
	Auto  bool
	Error template.HTML // why it could not go on
}

// Mark shows whether it is done.
func (r replaysRun) Mark(v *view) mark {
	switch {
	case r.Done:
		return mark{"ok", "ok", v.T("Done")}
	case r.Auto:
		return mark{"run", "sending", v.T("Running")}
	}
	return mark{"hold", "hold", v.T("Not done")}
}

// replayRun shows how far a replay is.
func (u *UI) replayRun(c *fiber.Ctx) error {
	id, err := runOf(c)
	if err != nil {
		return u.notFound(c, noSuchReplay)
	}
	return u.showReplay(c, id, "")
}

func (u *UI) showReplay(c *fiber.Ctx, id event.RunID, said template.HTML) error {
	run, err := u.cfg.Service.Replay(c.UserContext(), id)
	if err != nil {
		return u.fail(c, err)
	}
	s := run.Selection
	asked := c.Get("HX-Request") != "" && c.Get("HX-History-Restore-Request") == ""
	data := replaysRun{ReplayRun: run, Error: said, Auto: asked && said == "" && !run.Done}
	if len(s.IDs) == 0 {
		data.Query = queryOf(event.Search{Filter: event.Filter{Source: s.Source, Type: s.Type, States: s.States, Rule: s.Rule, Since: s.Since, Until: s.Until}, Where: s.Where, Text: s.Text})
	}
	return u.renderPage(c, "replayrun", "events", languageOf(c).text("Replay"), data)
}
