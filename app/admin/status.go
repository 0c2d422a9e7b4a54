package admin

import (
	"context"
	"errors"
	"os"
	"time"

	"hookgate/app/backup"
	"hookgate/app/deliver"
	"hookgate/db"
	"hookgate/internal/diag"
	"hookgate/internal/disk"
	"hookgate/internal/event"
)

// Process is what a process says of itself.
type Process struct {
	Version string
	Started time.Time
	// NotReady says why it cannot do its work right now.
	NotReady func() error
	// Queues counts what is not delivered yet, by connection.
	Queues func(ctx context.Context) map[string]int
	// Oldest is how long the first of that has waited.
	Oldest func(ctx context.Context) time.Duration
	// Refused is the last reload that was refused, unless one has been loaded
	// since; nil: there is none.
	Refused func() *Refusal
	// Storage is where the data is kept, and how full the disk is.
	Storage func() (Storage, error)
	// Backup is the last backup; nil: there was none.
	Backup func() (*backup.Last, error)
	// Quotas are what forms have stored of files today.
	Quotas func() []Quota
	// Untrusted is the proxy that visitors come through and that is not trusted,
	// so that they share one rate limit; "" where there is none.
	Untrusted func() string
}

// Refusal is a configuration that was refused.
type Refusal struct {
	At          time.Time `json:"at"`
	Diagnostics diag.List `json:"diagnostics"`
}

// Storage is where the data is kept.
type Storage struct {
	Kind  string `json:"kind"`           // sqlite or postgresql
	Path  string `json:"path,omitempty"` // of the SQLite database
	Bytes int64  `json:"bytes"`          // that the database takes
	// Disk is that of the SQLite database; with PostgreSQL that of the uploads,
	// where there are any.
	Disk *disk.Usage `json:"disk,omitempty"`
}

// Quota is how much of its quota a form has stored in files today.
type Quota struct {
	Form  string `json:"form"`
	Used  int64  `json:"used"`
	Limit int64  `json:"limit"`
}

// Status is what a running server says of itself.
type Status struct {
	Version  string         `json:"version"`
	Config   string         `json:"config"` // the hash of the configuration that is in force
	Loaded   time.Time      `json:"loaded,omitzero"`
	Started  time.Time      `json:"started"`
	Ready    bool           `json:"ready"`
	NotReady string         `json:"not_ready,omitempty"` // why
	Tests    Tests          `json:"tests"`               // of that configuration
	Rules    int            `json:"rules"`               // of that configuration
	Queues   map[string]int `json:"queues"`              // deliveries that wait, by connection
	// OldestWaitingS is how long the first of them has waited, in seconds.
	OldestWaitingS float64 `json:"oldest_waiting_s"`
	Scheduled      int     `json:"scheduled"` // deliveries whose moment has not come
	// Late is what of the scheduled is over and has not begun.
	Late *Late `json:"late,omitempty"`
	// Clock is the database's clock where it is not trusted, so that nothing
	// that is scheduled goes.
	Clock *Clock `json:"clock,omitempty"`
	// Failing are the connections that are not well, or paused.
	Failing []FailingConnection `json:"failing"`
	// Refused is the last reload that was refused, unless one has been loaded since.
	Refused *Refusal `json:"refused,omitempty"`
	// UntrustedProxy is a proxy that visitors come through and that
	// server.trusted_proxies does not have: they share one rate limit.
	UntrustedProxy string       `json:"untrusted_proxy,omitempty"`
	Storage        Storage      `json:"storage"`
	Quotas         []Quota      `json:"quotas,omitempty"`
	LastBackup     *backup.Last `json:"last_backup,omitempty"`
	// Schedules are the next ticks, the first due first.
	Schedules []NextTick `json:"schedules,omitempty"`
}

// NextTick is when a schedule makes its next event.
type NextTick struct {
	Name string    `json:"name"`
	At   time.Time `json:"at"`
	Late bool      `json:"late,omitempty"` // it is over, and no event was made
}

// tooLate is how long a tick or a moment must be over to be called late.
const tooLate = 2 * time.Minute

// tickStore knows when schedules make events.
type tickStore interface {
	Timers(ctx context.Context, kinds ...event.TimerKind) ([]event.Timer, error)
	Clock(ctx context.Context) (time.Time, error)
}

// nextTicks are those of the schedules in force.
func (s *Service) nextTicks(ctx context.Context) ([]NextTick, error) {
	schedules := s.inForce().Plan.Schedules()
	if len(schedules) == 0 {
		return nil, nil
	}
	timers, err := s.store.Timers(ctx, event.TickTimer)
	if err != nil {
		return nil, err
	}
	now, err := s.store.Clock(ctx)
	if err != nil {
		return nil, err
	}
	var list []NextTick
	for i := range timers {
		if t := &timers[i]; schedules[t.Name] != nil {
			list = append(list, NextTick{Name: t.Name, At: t.Due, Late: now.Sub(t.Due) > tooLate})
		}
	}
	return list, nil
}

// FailingConnection is a connection that is not well, or paused.
type FailingConnection struct {
	Name      string `json:"name"`
	State     string `json:"state"`
	Waiting   int    `json:"waiting"` // with what is held
	LastError string `json:"last_error,omitempty"`
	// Paused tells who paused it, why, and until when.
	Paused *Pause `json:"paused,omitempty"`
}

// Tests counts the tests of a configuration.
type Tests struct {
	Passed int        `json:"passed"`
	Total  int        `json:"total"`
	List   []RuleTest `json:"-"`
}

// Status tells how the process is.
func (s *Service) Status(ctx context.Context) (Status, error) {
	now, process := s.inForce(), &s.opt.Process
	out := Status{
		Version: process.Version, Config: now.Plan.Hash, Loaded: now.Since, Tests: now.Tests, Rules: len(now.Plan.Rules.Names()),
		Started: process.Started, Ready: true, Queues: process.Queues(ctx),
	}
	if err := process.NotReady(); err != nil {
		out.Ready, out.NotReady = false, err.Error()
	}
	out.OldestWaitingS, out.Refused, out.Quotas, out.Failing = process.Oldest(ctx).Seconds(), process.Refused(), process.Quotas(), []FailingConnection{}
	if process.Untrusted != nil {
		out.UntrustedProxy = process.Untrusted()
	}
	list, err := s.connections(ctx)
	for _, c := range list {
		if c.State != string(deliver.Working) && c.State != string(deliver.Closed) {
			out.Failing = append(out.Failing, FailingConnection{Name: c.Name, State: c.State, Waiting: c.Waiting + c.Held, LastError: c.LastError, Paused: c.Paused})
		}
	}
	// A status says what it can, above all where something is wrong.
	var storageErr, backupErr, tickErr error
	out.Storage, storageErr = process.Storage()
	out.LastBackup, backupErr = process.Backup()
	out.Schedules, tickErr = s.nextTicks(ctx)
	if err = errors.Join(err, storageErr, backupErr, tickErr, s.moments(ctx, &out)); err != nil {
		s.opt.Logger.WarnContext(ctx, "the status is not complete", "error", err)
	}
	return out, nil
}

// Replicas are the processes on one database. Shared is false for SQLite, which
// has one.
type Replicas struct {
	Shared bool      `json:"shared"`
	Items  []Replica `json:"items"`
	// LeftAlone are the connections that no replica sends to now.
	LeftAlone []LeftAlone `json:"left_alone,omitempty"`
}

// Replica is a process on the database: a living one, or one that is gone and
// of which something is still to be taken over.
type Replica struct {
	ID          int64          `json:"id"`
	Name        string         `json:"name"` // of its machine
	Version     string         `json:"version"`
	Started     time.Time      `json:"started"`
	Heartbeat   time.Time      `json:"heartbeat"`               // when it renewed its lease
	LeaseLeftMS int64          `json:"lease_left_ms,omitempty"` // none on SQLite
	Alive       bool           `json:"alive"`
	Self        bool           `json:"self,omitempty"` // the one that answers
	Holds       map[string]int `json:"holds"`          // deliveries that it has claimed, by connection
}

// LeftAlone is a connection that failed many times in a row, or of which the
// receiver asked to be left alone, as all replicas know.
type LeftAlone struct {
	Connection string     `json:"connection"`
	Since      *time.Time `json:"failing_since,omitempty"` // when its breaker was opened
	ProbeInMS  int64      `json:"probe_in_ms,omitempty"`   // no attempt before
	Prober     int64      `json:"prober,omitempty"`        // the replica whose attempt is under way
	PausedMS   int64      `json:"paused_ms,omitempty"`     // left of what the receiver asked for
}

// replicaStore knows the processes on the database.
type replicaStore interface {
	Replicas(ctx context.Context) (list []db.Replica, shared bool, err error)
}

// SharedLimits lists the connections that all replicas leave alone now.
type SharedLimits interface {
	Blocked(ctx context.Context) ([]event.BreakerState, error)
}

// Replicas lists the processes on the database.
func (s *Service) Replicas(ctx context.Context) (Replicas, error) {
	list, shared, err := s.store.Replicas(ctx)
	if err != nil {
		return Replicas{}, err
	}
	out := Replicas{Shared: shared, Items: make([]Replica, len(list))}
	for i, r := range list {
		if !shared { // the database knows nothing of its one process
			r.Version, r.Started, r.Heard = s.opt.Process.Version, s.opt.Process.Started, s.opt.Now()
			if name, err := os.Hostname(); err == nil {
				r.Name = name
			}
		}
		if r.Holds == nil {
			r.Holds = map[string]int{}
		}
		out.Items[i] = Replica{
			ID: r.ID, Name: r.Name, Version: r.Version, Started: r.Started, Heartbeat: r.Heard, LeaseLeftMS: r.Left.Milliseconds(),
			Alive: r.Alive, Self: r.Self, Holds: r.Holds,
		}
	}
	out.LeftAlone, err = s.leftAlone(ctx)
	return out, err
}

// leftAlone lists the connections that no replica sends to now.
func (s *Service) leftAlone(ctx context.Context) ([]LeftAlone, error) {
	if s.opt.Limits == nil {
		return nil, nil
	}
	shut, err := s.opt.Limits.Blocked(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]LeftAlone, 0, len(shut))
	for _, g := range shut {
		one := LeftAlone{Connection: g.Connection, PausedMS: g.Paused.Milliseconds()}
		if g.Open {
			one.Since, one.ProbeInMS = &g.Since, g.Retry.Milliseconds()
		}
		if g.Probing > 0 {
			one.Prober = g.Prober
		}
		list = append(list, one)
	}
	return list, nil
}

// Reloaded is the answer to a reload. A configuration with errors is refused
// whole: OK is false, and the one before stays in force.
type Reloaded struct {
	OK          bool      `json:"ok"`
	Config      string    `json:"config"` // the hash of what is in force now
	Diagnostics diag.List `json:"diagnostics,omitempty"`
}

// Reload reads the configuration again.
func (s *Service) Reload(ctx context.Context) (Reloaded, error) {
	out, err := s.opt.Reload()
	if err == nil {
		s.opt.Logger.InfoContext(ctx, "by hand", "audit", "configuration reloaded", "config", out.Config, "ok", out.OK, "by", actor(ctx))
	}
	return out, err
}
