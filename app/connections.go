package app

import (
	"context"
	"fmt"
	"slices"
	"time"

	"hookgate/app/deliver"
	"hookgate/app/web/api"
	"hookgate/connectors"
	"hookgate/db"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
)

// drainEvery is how often is looked whether what was held has been sent.
const drainEvery = 2 * time.Second

// refreshEvery is how often the switches are read untold where other replicas
// can change them: being told is quicker but not certain.
const refreshEvery = 5 * time.Second

// loadSwitches has the lanes obey what is stored.
func (a *App) loadPauseStates(ctx context.Context) error {
	a.pausing.Lock() // an older list must not come after a newer one
	defer a.pausing.Unlock()
	list, err := a.store.PauseStates(ctx)
	if err != nil {
		return err
	}
	a.lanes.SetPauseStates(list) //nolint:contextcheck // what it starts outlives the caller
	draining := slices.ContainsFunc(list, func(s event.PauseState) bool { return !s.Paused && s.Count > 0 })
	a.releasing.Store(draining)
	return nil
}

// followSwitches obeys what other replicas store, and ends the rates of
// connections that have sent what was held, until ctx ends.
func (a *App) followPauseStates(ctx context.Context, shared bool) {
	read := a.opt.Now()
	every(ctx, drainEvery, func() {
		ended := false
		if a.releasing.Load() {
			var err error
			if ended, err = a.store.Drained(); err != nil {
				a.opt.Logger.WarnContext(ctx, "whether what was held is sent cannot be told, trying again", "error", err)
			}
		}
		if ended || shared && a.opt.Now().Sub(read) >= refreshEvery {
			read = a.opt.Now()
			a.pauseStatesChanged(ctx)
		}
	})
}

// switchesChanged reads the switches again; what cannot be read is read later.
func (a *App) pauseStatesChanged(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := a.loadPauseStates(ctx); err != nil {
		a.opt.Logger.WarnContext(ctx, "the switches of connections cannot be read, trying again", "error", err)
	}
}

// Connections tells how all connections are and have been, in the order of the
// configuration.
func (a service) Connections(ctx context.Context) ([]api.Connection, error) {
	loaded := a.plan.Load()
	switches, err := a.store.PauseStates(ctx)
	if err != nil {
		return nil, err
	}
	backlogs, err := a.store.Backlogs(ctx)
	if err != nil {
		return nil, err
	}
	hour, day := deliver.HealthWindows(a.opt.Now())
	failures, err := a.store.Failures(ctx, a.opt.Now().Add(-24*time.Hour))
	if err != nil {
		return nil, err
	}
	stored, err := a.store.Health(ctx, hour, day)
	if err != nil {
		return nil, err
	}
	health := a.lanes.Health(stored)
	list := make([]api.Connection, 0, len(loaded.connections))
	for _, c := range loaded.connections {
		name := c.Name.Value
		one := a.connection(c, health[name], backlogs[name], failures[name])
		for _, s := range switches {
			if s.Connection == name {
				switched(&one, s)
			}
		}
		one.Rules = loaded.Routes().rulesTo(name)
		list = append(list, one)
	}
	return list, nil
}

func (a *App) connection(c kindOf, h deliver.Health, b db.Backlog, f db.Failure) api.Connection {
	one := api.Connection{
		Name: c.Name.Value, Type: c.kind.Name, State: string(h.State), Since: a.opt.Now().Add(-24 * time.Hour),
		Waiting: b.Open - b.Claimed, Sending: b.Claimed, Failed: f.Count,
		Hour: window(h.Hour), Day: window(h.Day), LastError: h.LastError,
		Timeout: c.Timeout.String(), Concurrency: c.Concurrency, RateLimit: c.RateLimit.String(),
	}
	if !h.FailedAt.IsZero() {
		one.LastErrorAt = &h.FailedAt
	}
	if one.LastError == "" && f.Error != "" { // the attempt is not stored any more
		one.LastError, one.LastErrorAt = f.Error, &f.Last
	}
	return one
}

func window(w deliver.Window) api.Window {
	return api.Window{Attempts: w.Attempts, Failed: w.Failed, P95MS: float64(w.P95.Microseconds()) / 1000}
}

// switched adds what was said by hand.
func switched(c *api.Connection, s event.PauseState) {
	switch {
	case s.Paused:
		c.Held, c.Waiting = c.Waiting, 0
		c.Paused = &api.Pause{Since: s.At, By: s.By, Note: s.Note}
		c.State = string(deliver.Paused)
	case s.Count > 0:
		c.Releasing = yamlnode.Rate{Count: s.Count, Per: s.Per}.String()
	}
}

// Connection is one of them; event.ErrNotFound if there is none.
func (a service) connectionNamed(ctx context.Context, name string) (api.Connection, error) {
	list, err := a.Connections(ctx)
	if err != nil {
		return api.Connection{}, err
	}
	i := slices.IndexFunc(list, func(c api.Connection) bool { return c.Name == name })
	if i < 0 {
		return api.Connection{}, fmt.Errorf("connection %q: %w", name, event.ErrNotFound)
	}
	return list[i], nil
}

// SwitchConnection pauses a connection or lets it go on.
func (a service) SetPauseState(ctx context.Context, s event.PauseState) (api.Connection, error) {
	if _, found := a.lanes.Connection(s.Connection); !found {
		return api.Connection{}, fmt.Errorf("connection %q: %w", s.Connection, event.ErrNotFound)
	}
	changed, err := a.store.SetPauseState(s)
	if err != nil {
		return api.Connection{}, err
	}
	if err := a.loadPauseStates(ctx); err != nil {
		return api.Connection{}, err
	}
	if changed {
		a.tellPauseState(ctx, s)
	}
	return a.connectionNamed(ctx, s.Connection)
}

// tellSwitch writes the audit line.
func (a *App) tellPauseState(ctx context.Context, s event.PauseState) {
	what := "connection resumed"
	if s.Paused {
		what = "connection paused"
	}
	a.opt.Logger.InfoContext(ctx, "by hand", "audit", what, "connection", s.Connection, "by", s.By, "note", s.Note,
		"rate", yamlnode.Rate{Count: s.Count, Per: s.Per}.String())
}

// TestConnection tries a connection without an event. Where that sends a
// message, it only says so unless confirmed.
func (a service) TestConnection(ctx context.Context, name string, confirmed bool) (api.Tested, error) {
	c, found := a.lanes.Connection(name)
	if !found {
		return api.Tested{}, fmt.Errorf("connection %q: %w", name, event.ErrNotFound)
	}
	tester, can := c.Connector.(connectors.Tester)
	if !can {
		return api.Tested{Untestable: true}, nil
	}
	trial := tester.Trial()
	out := api.Tested{What: trial.What, Message: trial.Message}
	if trial.Message && !confirmed {
		return out, nil
	}
	begin := time.Now()
	tried, err := tester.Try(ctx, event.DeliveryID(a.store.NewIDs(1)))
	out.Done, out.OK = true, err == nil
	out.DurationMS = float64(time.Since(begin).Microseconds()) / 1000
	out.Status, out.Answer, out.Said = tried.Status, string(tried.Answer), tried.Said
	out.Outputs = tried.Outputs
	if err != nil {
		out.Error = err.Error()
	}
	a.opt.Logger.InfoContext(ctx, "by hand", "audit", "connection tested", "connection", name, "ok", out.OK, "error", out.Error)
	return out, nil
}
