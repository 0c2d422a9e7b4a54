package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hookgate/app/config"
	"hookgate/app/replay"
	"hookgate/app/web/api"
	"hookgate/connectors"
	"hookgate/db"
	"hookgate/internal/event"
)

const (
	// diffEvents and diffTime bound one part of a comparison.
	diffEvents = 20_000
	diffTime   = 3 * time.Second
	// maxChanges is how many changed events one comparison tells in detail.
	maxChanges = 10_000
)

// Compare puts stored events through two versions of the rules, a part of them
// at a time, and tells what differs. Nothing is sent.
func (a service) Compare(ctx context.Context, r api.CompareRequest) (api.Comparison, error) {
	plan := a.plan.Load()
	// Also the rules in force are judged by as they are stored: what a stored
	// version cannot know must not look like a difference.
	inForce, _, err := a.judgeOf(ctx, plan.ID)
	if err != nil {
		return api.Comparison{}, err
	}
	now, then := inForce, inForce
	if r.Now != nil {
		if now, err = NewJudge(r.Now, plan.Kinds); err != nil {
			return api.Comparison{}, api.Refuse("now: %v", err)
		}
	}
	if r.Then != nil {
		if then, err = NewJudge(r.Then, plan.Kinds); err != nil {
			return api.Comparison{}, api.Refuse("then: %v", err)
		}
	}
	return compare(ctx, a.store, r, now, then, a.opt.Now)
}

// pastEvents are the stored events that a comparison reads.
type pastEvents interface {
	Scan(ctx context.Context, f event.Filter, each func(*event.Event) error) error
	CountEvents(ctx context.Context, f event.Filter) (int, error)
}

func compare(ctx context.Context, past pastEvents, r api.CompareRequest, now, then *replay.Judge, clock func() time.Time) (out api.Comparison, err error) {
	q, faults := replay.NewQuery(r.Where, r.Text)
	if faults.Err() != nil {
		return out, &api.ExpressionFault{List: faults}
	}
	f := r.Filter()
	f.OldestFirst = true
	out.Config, out.Against = now.Config, then.Config
	if r.After != nil {
		f.After = *r.After
	} else if out.Total, err = past.CountEvents(ctx, f); err != nil {
		return out, err
	}
	c := replay.Comparison{Now: now, Then: then, Query: q, Rule: r.Rule, Limit: min(max(r.Limit, 0), maxChanges), Summary: api.Summary}
	began := clock()
	out.Report, err = c.Run(ctx, func(each func(*event.Event) error) error {
		return past.Scan(ctx, f, func(e *event.Event) error {
			if out.Read == diffEvents || out.Read%100 == 99 && clock().Sub(began) > diffTime {
				after := f.After
				out.Next = &after
				return db.ErrStop
			}
			out.Read++
			f.After = e.ID
			return each(e)
		})
	})
	return out, err
}

// Past is the history of a gateway that need not be running.
type Past struct {
	reader *db.Reader
	kinds  *connectors.Catalog
	now    func() time.Time
}

// OpenPast opens a configuration's database for reading. kinds are those of
// connections that its rules may send to.
func OpenPast(ctx context.Context, s config.Storage, kinds *connectors.Catalog, now func() time.Time) (*Past, error) {
	var reader *db.Reader
	var err error
	if s.URL.IsZero() {
		reader, err = db.OpenReader(s.Path)
	} else {
		reader, err = db.OpenPostgresReader(s.URL)
	}
	if err != nil {
		return nil, fmt.Errorf("open the store: %w", err)
	}
	if err := reader.Check(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open the store: %w", err), reader.Close())
	}
	return &Past{reader: reader, kinds: kinds, now: now}, nil
}

// Close ends the reading.
func (p *Past) Close() error { return p.reader.Close() }

// Compare is what a server's Compare is; the rules in force are those that
// were in force last.
func (p *Past) Compare(ctx context.Context, r api.CompareRequest) (api.Comparison, error) {
	var now, then *replay.Judge
	latest := func() (*replay.Judge, error) {
		v, err := p.reader.LatestPlan(ctx)
		if err != nil {
			return nil, err
		}
		return NewJudge(v.Source, p.kinds)
	}
	var err, other error
	if r.Now != nil {
		now, err = NewJudge(r.Now, p.kinds)
	} else {
		now, err = latest()
	}
	if r.Then != nil {
		then, other = NewJudge(r.Then, p.kinds)
	} else {
		then, other = latest()
	}
	if err := errors.Join(err, other); err != nil {
		return api.Comparison{}, err
	}
	return compare(ctx, p.reader, r, now, then, p.now)
}
