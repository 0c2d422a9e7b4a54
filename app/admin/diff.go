package admin

import (
	"context"
	"encoding/json"
	"time"

	"hookgate/app/ingest"

	"hookgate/app/replay"
	"hookgate/db"
	"hookgate/internal/event"
)

// CompareRequest asks what other rules would do with stored events. Rule of
// the selection leaves only what concerns that rule.
type CompareRequest struct {
	EventSelection
	// Now and Then are the versions to compare, as they are stored with the
	// events that they judge; none: the one in force.
	Now   json.RawMessage `json:"now,omitempty"`
	Then  json.RawMessage `json:"then,omitempty"`
	Limit int             `json:"limit"` // so many of the events that change, in detail
	// After is where the comparison goes on: the Next of the part before.
	After *event.ID `json:"after,omitempty"`
}

// Comparison is a part of what differs between two versions of the rules.
type Comparison struct {
	replay.Report
	Config  string    `json:"config"`  // the hash of the configuration with the rules of now
	Against string    `json:"against"` // and of then
	Total   int       `json:"total"`   // events that the filter selects, before where and text; in the first part
	Read    int       `json:"read"`    // of them: those of this part
	Next    *event.ID `json:"next,omitempty"`
}

const (
	// diffEvents and diffTime bound one part of a comparison.
	diffEvents = 20_000
	diffTime   = 3 * time.Second
	// maxChanges is how many changed events one comparison tells in detail.
	maxChanges = 10_000
)

// Compare tells what other rules would do with stored events, a part of them at
// a time. Nothing is sent.
func (s *Service) Compare(ctx context.Context, r CompareRequest) (Comparison, error) {
	now := s.inForce()
	found, err := Compare(ctx, s.store, r, Versions{
		// Also the rules in force are judged by as they are stored: what a stored
		// version cannot know must not look like a difference.
		InForce: func() (*ingest.RuleSet, error) { set, _, err := s.ruleSet(ctx, now.Plan.ID); return set, err },
		Compile: now.Compile,
	}, s.opt.Now)
	if err == nil && found.Total == 0 && r.After == nil {
		err = now.checkOrigin(r.Source)
	}
	return found, err
}

// History is the stored events that a comparison reads: of a running server, or
// of a database that nobody has open.
type History interface {
	Scan(ctx context.Context, f event.Filter, each func(*event.Event) error) error
	CountEvents(ctx context.Context, f event.Filter) (int, error)
}

// Versions gives the rules that a comparison judges by.
type Versions struct {
	InForce func() (*ingest.RuleSet, error)
	Compile func(source []byte) (*ingest.RuleSet, error)
}

// of compiles a version; none is the one in force.
func (v Versions) of(name string, source []byte) (*ingest.RuleSet, error) {
	if source == nil {
		return v.InForce()
	}
	set, err := v.Compile(source)
	if err != nil {
		return nil, refuse("%s: %v", name, err)
	}
	return set, nil
}

// Compare puts stored events through two versions of the rules, a part of them
// at a time, and tells what differs.
func Compare(ctx context.Context, past History, r CompareRequest, versions Versions, clock func() time.Time) (out Comparison, err error) {
	now, err := versions.of("now", r.Now)
	if err != nil {
		return out, err
	}
	then, err := versions.of("then", r.Then)
	if err != nil {
		return out, err
	}
	q, err := newQuery(r.Where, r.Text)
	if err != nil {
		return out, err
	}
	f := r.Filter()
	f.OldestFirst = true
	out.Config, out.Against = now.Hash, then.Hash
	if r.After != nil {
		f.After = *r.After
	} else if out.Total, err = past.CountEvents(ctx, f); err != nil {
		return out, err
	}
	c := replay.Comparison{Now: now, Then: then, Query: q, Rule: r.Rule, Limit: min(max(r.Limit, 0), maxChanges), Summary: Summary}
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
