package ui

import (
	"errors"
	"html/template"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/admin"
	"hookgate/internal/event"
)

// eventsPerPage is how many rows a list of events has.
const eventsPerPage = 50

// eventList is the page of events.
type eventList struct {
	Query  string // as it was typed
	Chips  []chip // as it is understood
	Days   []eventDay
	Count  int
	Volume *volume // of the first page of what is not looked for in the events; nil: not told
	Older  string  // the URL of the page behind it; "" at the end
	Newest string  // the URL of the first page; "" on it
	Search *admin.Search
	// Where a search was stopped: how far back it is, and the URL that goes on.
	// Auto: it goes on by itself where there are scripts, until a page is full or
	// somebody stops it.
	Back  time.Time
	GoOn  string
	Auto  bool
	Seen  int           // events that were looked through, also by the parts before
	Found int           // events that the parts before have found
	Error template.HTML // what is wrong with the query
	Views []savedView
	Name  *viewName // a name that the list was not kept under; nil: nobody tried
	Live  liveList
}

// Kept is the view that is shown, if people keep it; nil: it is none of theirs.
func (l eventList) Kept() *savedView {
	for i := range l.Views {
		if l.Views[i].Here && l.Views[i].Kept {
			return &l.Views[i]
		}
	}
	return nil
}

// viewName is a name that a list could not be kept under, and why; Error is "" where the
// page says it of the query. Refused tells that this is the page that says so.
type viewName struct {
	Typed   string
	Error   template.HTML
	Refused bool
}

// Keepable reports whether what is shown has no name yet.
func (l eventList) Keepable() bool {
	return l.Query != "" && l.Error == "" && !slices.ContainsFunc(l.Views, func(v savedView) bool { return v.Here })
}

// eventDay are the events of a day, in the zone of the server.
type eventDay struct {
	Day   time.Time
	Items []admin.Event
}

// chip is one part of a query as it is understood, and the query without it.
type chip struct{ Name, Value, Without string }

// savedView is a list that people look for often.
type savedView struct {
	Name, Query string
	Here        bool
	Kept        bool                                     // by somebody, who can delete it
	Count       admin.EventCount                         // 0: none, or not told
	count       func(s *admin.Standing) admin.EventCount // nil: not told
}

// usualViews are those that every gateway has.
var usualViews = []savedView{
	{Name: "All"},
	{Name: "No match", Query: "state:no_match"},
	{Name: "Failed", Query: "delivery:failed", count: func(s *admin.Standing) admin.EventCount { return s.Failed }},
	{Name: "Rejected", Query: "state:rejected", count: func(s *admin.Standing) admin.EventCount { return s.States[event.Rejected] }},
	{Name: "Rule errors", Query: "state:rule_error"},
	{Name: "Spam", Query: "state:spam", count: func(s *admin.Standing) admin.EventCount { return s.States[event.Spam] }},
}

// events lists what came in. The query is in the URL, so that a list can be
// kept and sent to somebody.
func (u *UI) events(c *fiber.Ctx) error {
	data, err := u.listEvents(c, strings.TrimSpace(c.Query("q")))
	if err != nil {
		return u.fail(c, err)
	}
	return u.render(c, "events", "Events", data)
}

// listEvents are the events that a query selects, or what is wrong with it.
func (u *UI) listEvents(c *fiber.Ctx, query string) (eventList, error) {
	data := eventList{Query: query}
	data.Views = u.viewsFor(c, data.Query)
	search, chips, err := readQuery(data.Query, u.cfg.Now(), languageOf(c))
	data.Chips = chips
	if err == nil {
		err = readCursor(c.Query("before"), &search.Before)
	}
	if err == nil {
		var page admin.Page[admin.Event]
		search.Limit = eventsPerPage
		if page, err = u.cfg.Service.Events(c.UserContext(), search); err == nil {
			data.fill(page, c.Query("before") != "", u.location())
			data.proceed(c, page)
			if c.Query("before") == "" && canFollow(search) {
				data.follow(page)
			}
			if c.Query("before") == "" && search.Where == "" && search.Text == "" && data.Count > 0 && admin.Quick(search.Filter) {
				data.Volume = u.volume(c, search.Filter)
			}
		}
	}
	if said, status := explained(languageOf(c), err); status != 0 {
		c.Status(status)
		data.Error, err = said, nil
	}
	return data, err
}

func (l *eventList) fill(page admin.Page[admin.Event], later bool, zone *time.Location) {
	l.Search, l.Count = page.Search, len(page.Items)
	for _, e := range page.Items {
		day := e.Time.In(zone)
		day = time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, zone)
		if n := len(l.Days); n == 0 || !l.Days[n-1].Day.Equal(day) {
			l.Days = append(l.Days, eventDay{Day: day})
		}
		last := &l.Days[len(l.Days)-1]
		last.Items = append(last.Items, e)
	}
	here := prefix + "/events?" + url.Values{"q": {l.Query}}.Encode()
	if later {
		l.Newest = here
	}
	if page.Next != "" {
		l.Older = here + "&before=" + url.QueryEscape(page.Next)
	}
}

// volume is how many events match, and when in the last 30 days they came.
type volume struct {
	admin.EventCount
	Since time.Time
	Bars  []sparkBar
}

// volume is that of what f selects; nil where it cannot be counted: the list is there
// without.
func (u *UI) volume(c *fiber.Ctx, f event.Filter) *volume {
	count, err := u.cfg.Service.Count(c.UserContext(), f)
	if err != nil {
		u.cfg.Logger.WarnContext(c.UserContext(), "the list of events goes without their number", "error", err)
		return nil
	}
	class := "f-ink"
	if slices.Contains(f.Deliveries, event.Failed) {
		class = "f-bad"
	}
	return &volume{EventCount: count, Since: u.cfg.Now().Add(-day * time.Duration(len(count.Days))), Bars: spark(count.Days, class)}
}

// follow has the page announce what is newer than its first event.
func (l *eventList) follow(page admin.Page[admin.Event]) {
	after := event.ID(0)
	if len(page.Items) > 0 {
		after = page.Items[0].ID
	}
	l.Live = liveOf(l.Query, after, prefix+"/events"+query("q", l.Query))
}

// proceed says how a search goes on that one request did not finish. How much
// the parts before have seen and found is in the URL, for people alone.
func (l *eventList) proceed(c *fiber.Ctx, page admin.Page[admin.Event]) {
	l.Seen, l.Found = max(0, c.QueryInt("seen")), max(0, c.QueryInt("found"))
	if page.Search == nil {
		return
	}
	l.Seen += page.Search.Examined
	var next event.ID
	if !page.Search.Stopped || next.UnmarshalText([]byte(page.Next)) != nil {
		return
	}
	found := l.Found + l.Count
	l.Back, l.Older = next.Time(), ""
	l.GoOn = prefix + "/events?" + url.Values{"q": {l.Query}, "before": {page.Next}, "seen": {strconv.Itoa(l.Seen)}, "found": {strconv.Itoa(found)}}.Encode()
	l.Auto = found < eventsPerPage
}

// queryError says what is wrong with a query, in words for who typed it.
type queryError struct{ message string }

func (e *queryError) Error() string { return e.message }

// readQuery is admin.ReadQuery with its parts as the page shows them.
func readQuery(text string, now time.Time, l language) (s event.Search, chips []chip, err error) {
	s, parts, err := admin.ReadQuery(text, now)
	names := filterNames(l)
	for _, p := range parts {
		chips = append(chips, chip{names[p.Name], p.Value, p.Without})
	}
	return s, chips, err
}

// queryOf writes filters as admin.ReadQuery reads them.
func queryOf(s event.Search) string {
	var parts []string
	add := func(name, value string) {
		if strings.ContainsFunc(value, unicode.IsSpace) {
			value = `"` + value + `"`
		}
		if value != "" {
			parts = append(parts, name+":"+value)
		}
	}
	add("source", s.Source)
	add("type", s.Type)
	add("rule", s.Rule)
	for _, state := range s.States {
		add("state", string(state))
	}
	for _, at := range []struct {
		name string
		time.Time
	}{{"since", s.Since}, {"until", s.Until}} {
		if !at.IsZero() {
			add(at.name, at.Format(time.RFC3339))
		}
	}
	if s.Text != "" {
		parts = append(parts, s.Text)
	}
	if s.Where != "" {
		parts = append(parts, "where:"+s.Where)
	}
	return strings.Join(parts, " ")
}

// KeyQuery is the query of the events that have an ordering key.
func (*view) KeyQuery(key string) string { return `key:"` + key + `"` }

// filterNames are what the filters of a query are called.
func filterNames(l language) map[string]string {
	return map[string]string{
		"source": l.text("source"), "type": l.text("type"), "rule": l.text("rule"), "state": l.text("state"),
		"connection": l.text("connection"), "delivery": l.text("delivery"), "key": l.text("key"), "since": l.text("since"), "until": l.text("until"),
		"where": l.text("where"),
	}
}

// readCursor reads where a page begins; "" is the newest.
func readCursor(text string, into *event.ID) error {
	if text == "" {
		return nil
	}
	if err := into.UnmarshalText([]byte(text)); err != nil {
		return &queryError{noSuchPage}
	}
	return nil
}

// noSuchPage is what who follows a bad link to a part of a list is told.
const noSuchPage = "This page of the list does not exist. Begin with the newest again."

// sentence is what a person is told of an error that is about what he asked
// for; false: it is about something else.
func sentence(l language, err error) (template.HTML, bool) {
	if e, ok := errors.AsType[*queryError](err); ok {
		return plain(l.text(e.message)), true
	}
	if e, ok := errors.AsType[*admin.RefusedError](err); ok {
		return l.told(refusals, e.Message), true
	}
	if e, ok := errors.AsType[*admin.ExpressionError](err); ok {
		return l.told(refusals, e.Error()), true
	}
	return "", false
}

// explained is what an error means for whoever asked for something that there is not, or
// that cannot be, and the status that says so; 0 where it is none of theirs.
func explained(l language, err error) (said template.HTML, status int) {
	if said, ok := sentence(l, err); ok {
		return said, fiber.StatusBadRequest
	}
	if e, ok := errors.AsType[*admin.KeptError](err); ok {
		return l.told(refusals, e.Error()), fiber.StatusConflict
	}
	if e, ok := errors.AsType[*admin.BusyError](err); ok {
		return l.told(refusals, e.Message), fiber.StatusServiceUnavailable
	}
	if missing(err) {
		return l.told(refusals, err.Error()), fiber.StatusNotFound
	}
	return "", 0
}

func (u *UI) location() *time.Location {
	if l := u.cfg.Settings().Location; l != nil {
		return l
	}
	return time.UTC
}
