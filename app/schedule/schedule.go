// Package schedule makes the events of the sources of type schedule.
//
// The next tick of a schedule is a row of table timers, which is the fence
// between replicas: the event of a tick is stored in the transaction that moves
// the row. The row holds the cron by which it moves. What a row holds is
// decided by the process that loaded a configuration last, and by the others
// once that is gone; so an old file in one replica moves nothing in another.
package schedule

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"hookgate/app/ingest"
	"hookgate/app/ingest/source"
	"hookgate/internal/cron"
	"hookgate/internal/event"
)

const (
	// lookEvery is how often ticks are looked for.
	lookEvery = time.Second
	// repairEvery is how often all rows are compared with the configuration.
	repairEvery = 30 * time.Second
	// grace is how late a tick may be and is not missed.
	grace = time.Minute
	// jump is how far a clock must have been put back for a schedule to count
	// anew. What is less is corrected by clocks every day, and no tick may come
	// twice for it.
	jump = 10 * time.Minute
	// most is how many ticks one look makes.
	most = 100
)

// Store keeps the rows.
type Store interface { //nolint:interfacebloat // what there is to do with rows
	NewIDs(n int) event.ID
	// Clock is the time that rows are compared with.
	Clock(ctx context.Context) (time.Time, error)
	DueTimers(ctx context.Context, limit int, kinds ...event.TimerKind) ([]event.Timer, error)
	Timers(ctx context.Context, kinds ...event.TimerKind) ([]event.Timer, error)
	AddTimer(t *event.Timer) (added bool, err error)
	ChangeTimer(before, after *event.Timer) (changed bool, err error)
	TakeTimer(t *event.Timer) (taken bool, err error)
}

// Intake stores the events.
type Intake interface {
	Tick(plan *ingest.Plan, before, after *event.Timer, data []byte, signals []event.Signal, now time.Time) (bool, error)
}

// Options are what a Ticker works with.
type Options struct {
	Store  Store
	Intake Intake
	// Alive gives the number of this process, and those of all that live on the
	// database.
	Alive func(ctx context.Context) (self int64, alive []int64, err error)
	// Plan gives the configuration in force.
	Plan   func() *ingest.Plan
	Logger *slog.Logger
	Now    func() time.Time
	// Ticked is told of each tick that made an event.
	Ticked func(source string)
}

// Ticker makes the events of schedules. Run may be called once.
type Ticker struct {
	opt      Options
	loaded   *ingest.Plan // whose schedules the rows have been compared with
	repaired time.Time
}

// New makes a Ticker.
func New(opt Options) *Ticker { return &Ticker{opt: opt} }

// Run ticks until ctx ends.
func (t *Ticker) Run(ctx context.Context) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		if err := t.Look(ctx); err != nil && !errors.Is(err, context.Canceled) {
			t.opt.Logger.WarnContext(ctx, "schedules could not be followed, trying again", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Look makes the events of all ticks that are due. Ticks come before a change of
// the configuration: one that was due is not lost to it.
func (t *Ticker) Look(ctx context.Context) error {
	plan := t.opt.Plan()
	if plan == t.loaded && len(plan.Schedules()) == 0 {
		return nil
	}
	due, err := t.opt.Store.DueTimers(ctx, most, event.TickTimer)
	if err != nil {
		return err
	}
	var faults error
	for i := range due { // what one schedule cannot do holds up no other
		faults = errors.Join(faults, t.tick(ctx, plan, &due[i]))
	}
	if faults != nil {
		return faults
	}
	now := t.opt.Now()
	if plan == t.loaded && now.Sub(t.repaired) < repairEvery && !now.Before(t.repaired) {
		return nil
	}
	if err := t.repair(ctx, plan, plan != t.loaded); err != nil {
		return err
	}
	t.loaded, t.repaired = plan, now
	return nil
}

// value is what a row holds beside its time.
type value struct {
	Cron     string `json:"cron"`
	Timezone string `json:"timezone"`
	// By is the process whose configuration says so.
	By int64 `json:"by"`
	// Since is when the row was set or has ticked: its time is the next of the cron
	// after this one. In µs.
	Since int64 `json:"since"`
}

// row is a timer of a schedule, read.
type row struct {
	value
	timer *event.Timer
	cron  *cron.Schedule
	zone  *time.Location
}

func read(timer *event.Timer) (*row, error) {
	r := &row{timer: timer}
	err := json.Unmarshal(timer.Value, &r.value)
	if err == nil {
		r.cron, err = cron.Parse(r.Cron)
	}
	if err == nil {
		r.zone, err = time.LoadLocation(r.Timezone)
	}
	if err != nil {
		return nil, fmt.Errorf("read the row of the schedule %s: %w", timer.Name, err)
	}
	return r, nil
}

// after is the row as it is once it has counted from a time.
func (v value) after(name string, c *cron.Schedule, zone *time.Location, from time.Time) *event.Timer {
	v.Since = from.UnixMicro()
	text, err := json.Marshal(v)
	if err != nil { // texts and numbers always have a form in JSON
		text = nil
	}
	return &event.Timer{Kind: event.TickTimer, Name: name, Due: c.Next(from, zone), Value: text}
}

// passed are the ticks of a row up to a time: how many, the first and the last.
func (r *row) passed(now time.Time, counts func(time.Time) bool) (n int, first, last time.Time) {
	for at := r.timer.Due; !at.IsZero() && !at.After(now); at = r.cron.Next(at, r.zone) {
		if !counts(at) {
			continue
		}
		if n++; n == 1 {
			first = at
		}
		last = at
	}
	return n, first, last
}

// tick makes one event of all ticks of a row that have passed.
func (t *Ticker) tick(ctx context.Context, plan *ingest.Plan, timer *event.Timer) error {
	s := scheduleOf(plan, timer.Name)
	if s == nil {
		return nil // another replica's configuration has it, or repair removes it
	}
	r, err := read(timer)
	if err != nil {
		t.opt.Logger.WarnContext(ctx, "a schedule waits for a hookgate that understands it", "source", timer.Name, "error", err)
		return nil
	}
	now, err := t.opt.Store.Clock(ctx)
	if err != nil {
		return err
	}
	if now.Before(timer.Due) {
		return nil // the clock was put back since it was found
	}
	n, first, last := r.passed(now, s.Open)
	var data []byte
	missed := n - 1
	late := n > 0 && now.Sub(last) > grace
	if n > 0 && (!late || !s.SkipMissed) {
		data = s.Data(last, missed)
	}
	if late {
		missed = n
	}
	var signals []event.Signal
	if missed > 0 {
		signals = t.missed(ctx, plan, timer.Name, missed, first, last)
	}
	ticked, err := t.opt.Intake.Tick(plan, timer, r.after(timer.Name, r.cron, r.zone, now), data, signals, t.opt.Now())
	if err != nil {
		return fmt.Errorf("tick of %s: %w", timer.Name, err)
	}
	if ticked && data != nil {
		t.opt.Ticked(timer.Name)
	}
	return nil
}

// missed logs that ticks were missed, and gives the signal of it where a rule
// wants to be told.
func (t *Ticker) missed(ctx context.Context, plan *ingest.Plan, name string, n int, first, last time.Time) []event.Signal {
	t.opt.Logger.WarnContext(ctx, "ticks of a schedule came while nothing ran", "source", name, "missed", n, "first", first, "last", last)
	if !plan.Rules.Listens(event.Own, event.ScheduleMissed) {
		return nil
	}
	text, err := json.Marshal(source.Told{Type: event.ScheduleMissed, Source: name, EventType: event.Tick, Missed: n, Since: first.UTC().Format(time.RFC3339)})
	if err != nil { // texts and numbers always have a form in JSON
		return nil
	}
	return []event.Signal{{Name: event.ScheduleMissed, Key: fmt.Sprintf("%s %d", name, last.Unix()), Value: text, Count: 1}}
}

func scheduleOf(plan *ingest.Plan, name string) *source.Schedule {
	if s := plan.Sources[name]; s != nil {
		return s.Schedule()
	}
	return nil
}

// repair compares all rows with the configuration: one that was just loaded
// decides what they hold, another one only where the process that decided is
// gone. A row that is as the configuration says keeps its time.
func (t *Ticker) repair(ctx context.Context, plan *ingest.Plan, loaded bool) error {
	rows, err := t.opt.Store.Timers(ctx, event.TickTimer)
	if err != nil {
		return err
	}
	now, err := t.opt.Store.Clock(ctx)
	if err != nil {
		return err
	}
	procs := processes{read: t.opt.Alive}
	wanted := plan.Schedules()
	for i := range rows {
		s := scheduleOf(plan, rows[i].Name)
		if s != nil {
			delete(wanted, rows[i].Name)
		}
		if err := t.repairRow(ctx, &procs, &rows[i], s, now, loaded); err != nil {
			return err
		}
	}
	for name, s := range wanted {
		by, err := procs.self(ctx)
		if err != nil {
			return err
		}
		timer := valueOf(s, by).after(name, s.Cron, s.Location, now)
		timer.ID = int64(t.opt.Store.NewIDs(1))
		if _, err := t.opt.Store.AddTimer(timer); err != nil {
			return err
		}
	}
	return nil
}

func valueOf(s *source.Schedule, by int64) value {
	return value{Cron: s.Cron.String(), Timezone: s.Location.String(), By: by}
}

// repairRow repairs one row; s is the schedule of its name, nil where the
// configuration has none.
func (t *Ticker) repairRow(ctx context.Context, procs *processes, timer *event.Timer, s *source.Schedule, now time.Time, loaded bool) error {
	r, err := read(timer)
	if err != nil {
		if !loaded {
			return nil // of a later version, which is the one to know
		}
		r = &row{timer: timer}
	}
	same := s != nil && r.Cron == s.Cron.String() && r.Timezone == s.Location.String()
	if same && time.UnixMicro(r.Since).Sub(now) > jump { // the clock has been put back since
		_, err := t.opt.Store.ChangeTimer(timer, r.after(timer.Name, r.cron, r.zone, now))
		return err
	}
	if same {
		return nil
	}
	if !loaded {
		if alive, err := procs.alive(ctx, r.By); err != nil || alive {
			return err
		}
	}
	if s == nil {
		_, err := t.opt.Store.TakeTimer(timer)
		return err
	}
	by, err := procs.self(ctx)
	if err != nil {
		return err
	}
	_, err = t.opt.Store.ChangeTimer(timer, valueOf(s, by).after(timer.Name, s.Cron, s.Location, now))
	return err
}

// processes are those on the database, read when they are first asked for.
type processes struct {
	read  func(ctx context.Context) (self int64, alive []int64, err error)
	known bool
	own   int64
	all   []int64
}

func (p *processes) look(ctx context.Context) (err error) {
	if !p.known {
		p.own, p.all, err = p.read(ctx)
		p.known = err == nil
	}
	return err
}

func (p *processes) self(ctx context.Context) (int64, error) {
	err := p.look(ctx)
	return p.own, err
}

func (p *processes) alive(ctx context.Context, id int64) (bool, error) {
	err := p.look(ctx)
	return slices.Contains(p.all, id), err
}
