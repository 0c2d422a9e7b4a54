package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"hookgate/app/deliver"
	"hookgate/connectors"
	"hookgate/db"
	"hookgate/internal/calendar"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
)

// Connection is how a connection is and has been.
type Connection struct {
	Name  string `json:"name"`
	Type  string `json:"type"`
	State string `json:"state"` // ok, failing, open, paused, closed
	// Paused tells who paused it; Releasing at what rate what was held is sent.
	Paused    *Pause `json:"paused,omitempty"`
	Releasing string `json:"releasing,omitempty"`
	// OnlyDuring is the calendar that it keeps to; OpensAt says, while that is
	// closed, when it opens.
	OnlyDuring string     `json:"only_during,omitempty"`
	OpensAt    *time.Time `json:"opens_at,omitempty"`
	Waiting    int        `json:"waiting"` // to be sent, or sent again
	Sending    int        `json:"sending"` // claimed by a process
	Held       int        `json:"held"`    // until it goes on
	Failed     int        `json:"failed"`  // of the last day
	// DueSince is since when the first of those is due that nobody sends yet.
	DueSince *time.Time `json:"due_since,omitempty"`
	// Hour and Day are attempts of all processes; the day began at Since.
	Hour  Window    `json:"hour"`
	Day   Window    `json:"day"`
	Since time.Time `json:"since"`
	// HalfHours are the attempts in each half hour of the last day, the oldest
	// first; nil where there were none.
	HalfHours   []Window   `json:"half_hours,omitempty"`
	LastError   string     `json:"last_error,omitempty"`
	LastErrorAt *time.Time `json:"last_error_at,omitempty"`
	Timeout     string     `json:"timeout"`
	Concurrency int        `json:"concurrency"`
	RateLimit   string     `json:"rate_limit,omitempty"`
	Rules       []string   `json:"rules"` // that send to it
}

// ConnectionSettings is what the configuration says of a connection.
type ConnectionSettings struct {
	Name, Type         string
	Timeout, RateLimit string
	Concurrency        int
	Rules              []string // that send to it
	OnlyDuring         string   // the calendar that it keeps to
	Hours              *calendar.Calendar
}

// Pause says since when a connection is paused, by whom and why.
type Pause struct {
	Since time.Time `json:"since"`
	By    string    `json:"by"`
	Note  string    `json:"note,omitempty"`
	// Until is when it goes on by itself; nil: somebody has it go on.
	Until *time.Time `json:"until,omitempty"`
}

// Pausing is how long a connection is to be paused, and why. Until and For are two
// ways to say the first: a time, or how long from now, such as 2h; with neither it
// lasts until somebody ends it.
type Pausing struct {
	Until *time.Time `json:"until,omitempty"`
	For   string     `json:"for,omitempty"`
	Note  string     `json:"note,omitempty"`
	Seen  *string    `json:"seen,omitempty" jsonschema:"since of the pause that this is to change, as it was told; empty where it was not paused: with another it is refused (409). Whatever there is unless given"`
}

// Resuming is how a connection is to go on: with what was held at Rate, such as 5/s, or
// as quickly as it may. Seen is as that of a Pausing.
type Resuming struct {
	Rate string  `json:"rate,omitempty"`
	Seen *string `json:"seen,omitempty" jsonschema:"since of the pause that this is to end, as it was told: with another it is refused (409). Whatever there is unless given"`
}

// Window counts attempts.
type Window struct {
	Attempts int     `json:"attempts"`
	Failed   int     `json:"failed"`
	P95MS    float64 `json:"p95_ms,omitempty"`
}

// Tested is what came of trying a connection.
type Tested struct {
	Untestable bool   `json:"untestable,omitempty"` // its kind has no test
	What       string `json:"what,omitempty"`       // what is, or would be, done
	Message    bool   `json:"message"`              // somebody gets a message
	Done       bool   `json:"done"`                 // false: confirm it first
	OK         bool   `json:"ok"`
	Status     int    `json:"status,omitempty"`
	Said       string `json:"said,omitempty"` // what the answer means
	Answer     string `json:"answer,omitempty"`
	// Outputs are what a delivery with that answer would keep: id, url.
	Outputs    map[string]event.Output `json:"outputs,omitempty"`
	Error      string                  `json:"error,omitempty"`
	DurationMS float64                 `json:"duration_ms,omitempty"`
}

// connectionStore is what is stored of connections. SetPauseState changes the pause that
// was seen, where one is named: else it is event.ErrNotAsSeen.
type connectionStore interface {
	PauseStates(ctx context.Context) ([]event.PauseState, error)
	SetPauseState(s event.PauseState, seen *time.Time) (changed bool, err error)
	Backlogs(ctx context.Context) (map[string]db.Backlog, error)
	Failures(ctx context.Context, since time.Time) (map[string]db.Failure, error)
	Health(ctx context.Context, hour, day int64) (event.AttemptStats, error)
}

// Workers send what is due to connections.
type Workers interface {
	Connection(name string) (deliver.Connection, bool)
	Rate(connection string) yamlnode.Rate
	Health(stored event.AttemptStats) map[string]deliver.Health
	// Pending are the counts of attempts that are not stored yet.
	Pending() event.AttemptStats
	Poll(connection string)
}

// Connections tells how all connections are and have been, in the order of the
// configuration.
func (s *Service) Connections(ctx context.Context) (Page[Connection], error) {
	list, err := s.connections(ctx)
	if err != nil {
		return Page[Connection]{}, fmt.Errorf("cannot list the connections: %w", err)
	}
	return Page[Connection]{Items: list}, nil
}

func (s *Service) connections(ctx context.Context) ([]Connection, error) {
	pauses, err := s.store.PauseStates(ctx)
	if err != nil {
		return nil, err
	}
	backlogs, err := s.store.Backlogs(ctx)
	if err != nil {
		return nil, err
	}
	now := s.opt.Now()
	dayAgo := now.Add(-24 * time.Hour)
	hour, day := deliver.HealthWindows(now)
	failures, err := s.failures.Get(ctx, struct{}{}, func(ctx context.Context) (map[string]db.Failure, error) { return s.store.Failures(ctx, dayAgo) })
	if err != nil {
		return nil, err
	}
	stored, err := s.store.Health(ctx, hour, day)
	if err != nil {
		return nil, err
	}
	health := s.opt.Workers.Health(stored)
	strips, err := s.strips(ctx)
	if err != nil {
		return nil, err
	}
	settings := s.inForce().Connections
	list := make([]Connection, 0, len(settings))
	for i := range settings {
		name := settings[i].Name
		one := connectionOf(&settings[i], dayAgo, health[name], backlogs[name], failures[name])
		one.HalfHours = strips[name]
		for _, p := range pauses {
			if p.Connection == name {
				one.setPause(p)
			}
		}
		one.keepHours(settings[i].Hours, now)
		list = append(list, one)
	}
	return list, nil
}

// manyFailed reports whether it is worth while to keep a count of what failed.
func manyFailed(by map[string]db.Failure) bool {
	n := 0
	for _, f := range by {
		n += f.Count
	}
	return n >= manyCounted
}

// keepHours adds what follows from the hours of a connection: while it is closed
// all that waits is held, and nothing is late.
func (c *Connection) keepHours(hours *calendar.Calendar, now time.Time) {
	if hours == nil {
		return
	}
	if !hours.Open(now) {
		opens := hours.NextOpen(now).UTC()
		c.OpensAt, c.DueSince = &opens, nil
		if c.Paused == nil {
			c.Held, c.Waiting, c.State = c.Waiting, 0, string(deliver.Closed)
		}
		return
	}
	if c.State == string(deliver.Closed) { // it opens at this moment
		c.State = string(deliver.Working)
	}
	if c.DueSince != nil {
		since := hours.OpenSince(*c.DueSince, now)
		c.DueSince = &since
	}
}

// closed are the connections that are outside of their hours, with when they open.
func (s *Service) closed() map[string]time.Time {
	now, all := s.opt.Now(), map[string]time.Time{}
	settings := s.inForce().Connections
	for i := range settings {
		if hours := settings[i].Hours; hours != nil && !hours.Open(now) {
			all[settings[i].Name] = hours.NextOpen(now).UTC()
		}
	}
	return all
}

func connectionOf(c *ConnectionSettings, since time.Time, h deliver.Health, b db.Backlog, f db.Failure) Connection {
	one := Connection{
		Name: c.Name, Type: c.Type, State: string(h.State), Since: since,
		Waiting: b.Open - b.Claimed, Sending: b.Claimed, Failed: f.Count,
		Hour: windowOf(h.Hour), Day: windowOf(h.Day), LastError: h.LastError,
		Timeout: c.Timeout, Concurrency: c.Concurrency, RateLimit: c.RateLimit, Rules: c.Rules,
		OnlyDuring: c.OnlyDuring,
	}
	if !h.FailedAt.IsZero() {
		one.LastErrorAt = &h.FailedAt
	}
	if due := b.NextDue; !due.IsZero() && due.Before(since.Add(24*time.Hour)) {
		one.DueSince = &due
	}
	if one.LastError == "" && f.Error != "" { // the attempt is not stored any more
		one.LastError, one.LastErrorAt = f.Error, &f.Last
	}
	return one
}

func windowOf(w deliver.Window) Window {
	return Window{Attempts: w.Attempts, Failed: w.Failed, P95MS: milliseconds(w.P95)}
}

// setPause adds what was said by hand.
func (c *Connection) setPause(p event.PauseState) {
	switch {
	case p.Paused:
		c.Held, c.Waiting = c.Waiting, 0
		c.Paused = &Pause{Since: p.At, By: p.By, Note: p.Note}
		if !p.Until.IsZero() {
			c.Paused.Until = &p.Until
		}
		c.State = string(deliver.Paused)
	case p.Count > 0:
		c.Releasing = yamlnode.Rate{Count: p.Count, Per: p.Per}.String()
	}
}

// Connection tells how one connection is.
func (s *Service) Connection(ctx context.Context, name string) (Connection, error) {
	list, err := s.connections(ctx)
	if err != nil {
		return Connection{}, fmt.Errorf("cannot list the connections: %w", err)
	}
	i := slices.IndexFunc(list, func(c Connection) bool { return c.Name == name })
	if i < 0 {
		return Connection{}, notCalled("connection", name, s.inForce().connectionNames())
	}
	return list[i], nil
}

func (c *InForce) connectionNames() []string {
	names := make([]string, len(c.Connections))
	for i := range c.Connections {
		names[i] = c.Connections[i].Name
	}
	return names
}

const (
	// maxNote bounds why somebody pauses a connection, in bytes.
	maxNote = 500
	// maxPause bounds how far away the end of a pause may be.
	maxPause = 366 * 24 * time.Hour
)

// Pause holds what goes to a connection. One that is paused gets another end.
func (s *Service) Pause(ctx context.Context, name string, p Pausing) (Connection, error) {
	if len(p.Note) > maxNote {
		return Connection{}, refuse("the note is longer than %d bytes", maxNote)
	}
	until, err := p.end(s.opt.Now())
	if err != nil {
		return Connection{}, err
	}
	return s.setPauseState(ctx, event.PauseState{Connection: name, Paused: true, Note: p.Note, Until: until}, p.Seen)
}

// end is when the pause ends; zero: it has no end.
func (p *Pausing) end(now time.Time) (until time.Time, err error) {
	switch {
	case p.Until != nil && p.For != "":
		return until, refuse("a pause ends at a time (until) or after one (for): leave one of the two out")
	case p.For != "":
		d, err := yamlnode.ParseDuration(p.For)
		if err != nil || d <= 0 {
			return until, refuse("for=%s: write how long, such as 30m, 2h or 3d", p.For)
		}
		until = now.Add(d)
	case p.Until != nil:
		until = p.Until.UTC()
	default:
		return until, nil
	}
	switch {
	case !until.After(now):
		return until, refuse("the end of the pause, %s, is over already", until.Format(time.RFC3339))
	case until.Sub(now) > maxPause:
		return until, refuse("a pause ends within a year, or has no end")
	}
	return until, nil
}

// Resume lets a connection go on.
func (s *Service) Resume(ctx context.Context, name string, r Resuming) (Connection, error) {
	state := event.PauseState{Connection: name}
	if r.Rate != "" {
		var rate yamlnode.Rate
		if err := rate.UnmarshalText([]byte(r.Rate)); err != nil {
			return Connection{}, refuse("rate=%s: %s", r.Rate, err)
		}
		state.Count, state.Per = rate.Count, rate.Per
	}
	return s.setPauseState(ctx, state, r.Seen)
}

// seenSince reads a Seen.
func seenSince(text *string) (*time.Time, error) {
	var at time.Time
	if text == nil {
		return nil, nil //nolint:nilnil // whatever there is
	}
	if *text != "" {
		var err error
		if at, err = time.Parse(time.RFC3339, *text); err != nil {
			return nil, refuse("seen=%s: write the since of the pause as it was told, or nothing where there was none", *text)
		}
	}
	return &at, nil
}

func (s *Service) setPauseState(ctx context.Context, p event.PauseState, seen *string) (Connection, error) {
	since, err := seenSince(seen)
	if err != nil {
		return Connection{}, err
	}
	if _, found := s.opt.Workers.Connection(p.Connection); !found {
		return Connection{}, notCalled("connection", p.Connection, s.inForce().connectionNames())
	}
	p.By = actor(ctx)
	changed, err := s.store.SetPauseState(p, since)
	s.forgetCounts()
	if errors.Is(err, event.ErrNotAsSeen) {
		return Connection{}, &saidError{fmt.Sprintf("%s was paused, or goes on, since it was seen: nothing was done, see how it is now", p.Connection), err}
	}
	if err != nil {
		return Connection{}, err
	}
	if err := s.opt.PauseStatesChanged(ctx); err != nil {
		return Connection{}, err
	}
	if changed { // the audit line
		what := "connection resumed"
		if p.Paused {
			what = "connection paused"
		}
		attributes := []any{"audit", what, "connection", p.Connection, "by", p.By, "note", p.Note, "rate", yamlnode.Rate{Count: p.Count, Per: p.Per}.String()}
		if !p.Until.IsZero() {
			attributes = append(attributes, "until", p.Until)
		}
		s.opt.Logger.InfoContext(ctx, "by hand", attributes...)
	}
	return s.Connection(ctx, p.Connection)
}

// TestConnection tries a connection without an event. Where that sends a
// message, it only says so unless confirmed.
func (s *Service) TestConnection(ctx context.Context, name string, confirmed bool) (Tested, error) {
	c, found := s.opt.Workers.Connection(name)
	if !found {
		return Tested{}, notCalled("connection", name, s.inForce().connectionNames())
	}
	tester, can := c.Connector.(connectors.Tester)
	if !can {
		return Tested{Untestable: true}, nil
	}
	info := tester.TestInfo()
	out := Tested{What: info.What, Message: info.Message}
	if info.Message && !confirmed {
		return out, nil
	}
	begin := time.Now()
	tried, err := tester.Test(ctx, event.DeliveryID(s.store.NewIDs(1)))
	out.Done, out.OK = true, err == nil
	out.DurationMS = milliseconds(time.Since(begin))
	out.Status, out.Answer, out.Said = tried.Status, string(tried.Answer), tried.Said
	out.Outputs = tried.Outputs
	if err != nil {
		out.Error = err.Error()
	}
	s.opt.Logger.InfoContext(ctx, "by hand", "audit", "connection tested", "connection", name, "ok", out.OK, "error", out.Error, "by", actor(ctx))
	return out, nil
}
