package app

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"hookgate/app/alert"
	"hookgate/app/config"
	"hookgate/app/ingest"
	"hookgate/app/ingest/source"
	"hookgate/app/schedule"
	"hookgate/internal/diag"
	"hookgate/internal/event"
)

// newTeller makes what tells rules of what happens to hookgate itself.
func (a *App) newTeller() *alert.Teller {
	return alert.New(alert.Options{
		Store: a.store, Intake: a.intake, Plan: func() *ingest.Plan { return &a.plan.Load().Plan },
		Broken: a.dispatcher.Broken, Connections: a.service.Connections, Logger: a.opt.Logger, Now: a.opt.Now, Lost: a.metrics.AlertLost,
	})
}

// newTicker makes what makes the events of schedules.
func (a *App) newTicker() *schedule.Ticker {
	return schedule.New(schedule.Options{
		Store: a.store, Intake: a.intake, Alive: a.aliveProcesses, Plan: func() *ingest.Plan { return &a.plan.Load().Plan },
		Logger: a.opt.Logger, Now: a.opt.Now, Ticked: a.metrics.Ticked,
	})
}

// aliveProcesses are the number of this process, and those of all that live on
// the database.
func (a *App) aliveProcesses(ctx context.Context) (self int64, alive []int64, err error) {
	list, _, err := a.store.Replicas(ctx)
	for i := range list {
		if list[i].Self {
			self = list[i].ID
		}
		if list[i].Alive {
			alive = append(alive, list[i].ID)
		}
	}
	return self, alive, err
}

// failedForGood is the signal of a delivery that failed; nil where no rule
// wants to be told of anything.
func (a *App) failedForGood(d *event.Delivery, attempt *event.Attempt) *event.Signal {
	if plan := a.plan.Load(); plan == nil || !plan.Rules.ListensTo(event.Own) {
		return nil
	}
	value, err := json.Marshal(source.Told{
		Type: event.DeliveryFailed, Event: d.Event.String(), Delivery: d.ID.String(), Rule: d.Rule, Action: d.Name(), Connection: d.Connection,
		Attempts: attempt.Number, Error: attempt.Error,
	})
	if err != nil { // texts and numbers always have a form in JSON
		return nil
	}
	return &event.Signal{Name: event.DeliveryFailed, Key: fmt.Sprintf("%s %d", d.ID, attempt.Number), Value: value}
}

// tellRefused has rules told that a reload was refused, once for each content
// of the file; with nil, that one was not.
func (a *App) tellRefused(refused error, report *config.Report) {
	if !a.plan.Load().Rules.Listens(event.Own, event.ConfigRefused) {
		return
	}
	err := a.noteRefused(refused, report)
	if err != nil {
		a.opt.Logger.Warn("nobody is told how the reload went", "error", err)
	}
}

func (a *App) noteRefused(refused error, report *config.Report) error {
	if refused == nil {
		return a.store.EndSignals(event.ConfigRefused)
	}
	what := source.Told{Type: event.ConfigRefused, File: filepath.Base(a.path), Error: refused.Error()}
	var content []byte
	if report != nil {
		if first, text := firstError(report.List); text != "" {
			what.Error = text
			if first.File != "" {
				what.File = (&config.Config{Path: a.path}).Name(first.File)
			}
		}
		for _, path := range slices.Sorted(maps.Keys(report.Files)) {
			content = append(append(content, report.Files[path]...), 0)
		}
	}
	content = append(content, what.File+what.Error...) // a file that is not there has no content
	value, err := json.Marshal(what)
	if err != nil {
		return err
	}
	return a.store.Signal(event.Signal{Name: what.Type, Key: config.Hash(content), Value: value, Rest: event.UntilEnded})
}

// firstError is the first error of a list, and the same in one line with how
// many there are.
func firstError(list diag.List) (first diag.Diagnostic, text string) {
	n := 0
	for i := range list {
		if list[i].Severity != diag.Error {
			continue
		}
		if n++; n == 1 {
			first, text = list[i], list[i].Message
			if list[i].Line > 0 {
				text = fmt.Sprintf("line %d: %s", list[i].Line, text)
			}
		}
	}
	if n > 1 {
		text += fmt.Sprintf(" (and %d more)", n-1)
	}
	return first, text
}
