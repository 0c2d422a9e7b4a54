package admin

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"time"

	"hookgate/internal/event"
)

const (
	// causesFrom is how many deliveries causes are gathered from, the newest.
	causesFrom = 10_000
	// countDays is how far back causes and events are counted by day.
	countDays = 30
	// causesShown is of how many causes, the most frequent, the newest deliveries
	// are told, and newestOfCause how many of each.
	causesShown, newestOfCause = 10, 5
)

// CauseKind says what to do about deliveries that failed.
type CauseKind string

// The kinds of causes.
const (
	RetryAgain CauseKind = "again"  // the receiver was not well: worth a retry
	RetryNever CauseKind = "never"  // the receiver refuses what is sent, and would again
	MendRule   CauseKind = "render" // nothing was sent, for the rule could not make it
)

// Advice is the kind in words: what to think of a retry, and why.
func (k CauseKind) Advice() (word, why string) {
	switch k {
	case RetryNever:
		return "Would fail again", "the receiver refuses what is sent. Mend the rule or the receiver first."
	case MendRule:
		return "Mend the rule", "nothing was sent, for it could not make the message. Then have it rendered again."
	case RetryAgain:
	}
	return "Worth a retry", "the receiver was not well; nothing is wrong with what was sent."
}

// Cause is why deliveries failed: the same error at the same connection.
type Cause struct {
	ID         string    `json:"id"` // names it in filters
	Connection string    `json:"connection"`
	Error      string    `json:"error"` // with … for what differs from one to the other
	Kind       CauseKind `json:"kind"`
	Advice     string    `json:"advice"`
	Status     int       `json:"status,omitempty"` // of the newest one's last answer
	Count      int       `json:"count"`
	First      time.Time `json:"first"` // when the oldest and the newest were accepted
	Last       time.Time `json:"last"`
	Rules      []string  `json:"rules"`
	// Days counts those of each of the last 30 times 24 hours, the oldest first.
	Days []int `json:"days"`
	// Newest are the newest deliveries of the most frequent causes.
	Newest []Delivery `json:"newest,omitempty"`

	errors  []string // the texts that it stands for
	example event.DeliveryID
}

// Causes are why deliveries failed, the most frequent first.
type Causes struct {
	Items []Cause `json:"items"`
	// Examined is how many deliveries they were gathered from; More: there are
	// older ones.
	Examined int  `json:"examined"`
	More     bool `json:"more,omitempty"`
}

// Causes groups the deliveries that f selects by connection and error: failed
// ones, unless f says which of them that are tried again or failed are meant.
func (s *Service) Causes(ctx context.Context, f event.DeliveryFilter) (out Causes, err error) {
	if len(f.States) == 0 {
		f.States = []event.DeliveryState{event.Failed}
	}
	for _, state := range f.States {
		if state != event.Failed && state != event.Retrying {
			return out, refuse("causes are of deliveries that are %s or %s, not %q", event.Failed, event.Retrying, state)
		}
	}
	f.Limit = causesFrom
	asked, ago := f, time.Duration(0)
	if !f.Since.IsZero() { // it is counted back from now, each time
		asked.Since, ago = time.Time{}, s.opt.Now().Sub(f.Since).Round(time.Second)
	}
	return s.causes.Get(ctx, fmt.Sprintf("%+v %s", asked, ago), func(ctx context.Context) (Causes, error) { return s.findCauses(ctx, f) })
}

func (s *Service) findCauses(ctx context.Context, f event.DeliveryFilter) (out Causes, err error) {
	counts, err := s.store.FailureCounts(ctx, f, s.opt.Now(), 24*time.Hour, countDays)
	if err != nil {
		return out, err
	}
	out.Items = causesOf(counts)
	for i := range counts {
		out.Examined += counts[i].Count
	}
	out.More = out.Examined == causesFrom
	if len(out.Items) == 0 {
		return out, s.inForce().checkDeliveries(f.Connection, f.Rule)
	}
	return out, s.exemplify(ctx, f, out.Items)
}

// causesOf sums counts up by what is the same cause.
func causesOf(counts []event.FailureCount) []Cause {
	found := map[string]*Cause{}
	for i := range counts {
		n := &counts[i]
		id, text := causeOf(n)
		c := found[id]
		if c == nil {
			c = &Cause{ID: id, Connection: n.Connection, Error: text, First: event.ID(n.First).Time().UTC(), Days: make([]int, countDays)}
			if found[id] = c; !n.Rendered {
				c.Kind = MendRule
			}
		}
		c.Count += n.Count
		if at := event.ID(n.First).Time().UTC(); at.Before(c.First) {
			c.First = at
		}
		if n.Last > c.example {
			c.example, c.Last = n.Last, event.ID(n.Last).Time().UTC()
		}
		if n.Part < countDays {
			c.Days[countDays-1-n.Part] += n.Count
		}
		c.Rules, c.errors = with(c.Rules, n.Rule), with(c.errors, n.Error)
	}
	causes := make([]Cause, 0, len(found))
	for _, c := range found {
		slices.Sort(c.Rules)
		causes = append(causes, *c)
	}
	slices.SortFunc(causes, func(a, b Cause) int {
		return cmp.Or(b.Count-a.Count, b.Last.Compare(a.Last), cmp.Compare(a.ID, b.ID))
	})
	return causes
}

func with(list []string, text string) []string {
	if slices.Contains(list, text) {
		return list
	}
	return append(list, text)
}

// differing is what differs between two errors of the same cause: ids and long
// numbers.
var differing = regexp.MustCompile(`\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b[0-9a-f]{8,}\b|\b(?:evt|dlv)_\w+|\d{5,}`)

// causeOf gives the cause's id, and its error without what differs.
func causeOf(n *event.FailureCount) (id, text string) {
	text = differing.ReplaceAllString(n.Error, "…")
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%t\x00%s", n.Connection, n.Rendered, text))
	return hex.EncodeToString(sum[:6]), text
}

// exemplify looks at the newest delivery of each cause, and says what to do
// about it.
func (s *Service) exemplify(ctx context.Context, f event.DeliveryFilter, causes []Cause) error {
	ids := make([]event.DeliveryID, len(causes))
	for i := range causes {
		ids[i] = causes[i].example
	}
	attempts, err := s.store.Attempts(ctx, ids...)
	if err != nil {
		return fmt.Errorf("cannot list attempts: %w", err)
	}
	status := map[event.DeliveryID]int{}
	for _, a := range attempts { // by number
		status[a.Delivery] = a.Status
	}
	for i := range causes {
		c := &causes[i]
		c.Status = status[c.example]
		if c.Kind == "" {
			c.Kind = kindOf(c.Status)
		}
		word, why := c.Kind.Advice()
		c.Advice = word + ": " + why
		if i >= causesShown {
			continue
		}
		f := f
		f.Connection, f.Errors, f.Limit, f.Rendered = c.Connection, c.errors, newestOfCause, c.Kind != MendRule
		list, err := s.store.Deliveries(ctx, f)
		if err != nil {
			return fmt.Errorf("cannot list deliveries: %w", err)
		}
		if c.Newest, err = s.deliveryItems(ctx, list, false); err != nil {
			return err
		}
		if err := s.summarize(ctx, c.Newest); err != nil {
			return err
		}
	}
	return nil
}

// kindOf tells by what the receiver answered last whether it would again. It
// asks to come back with some statuses that say that the sender is at fault.
func kindOf(status int) CauseKind {
	passes := []int{408, 409, 421, 423, 425, 429}
	if status >= 300 && status < 500 && !slices.Contains(passes, status) {
		return RetryNever
	}
	return RetryAgain
}

// resolveCause puts what f.Cause stands for into f: errors, or why something was
// cancelled. A cause that
// nothing has any more selects nothing.
func (s *Service) resolveCause(ctx context.Context, f *event.DeliveryFilter) error {
	if f.Cause == "" {
		return nil
	}
	if cause := event.CancelCause(f.Cause); slices.Contains(event.CancelCauses(), cause) {
		f.Cancelled = cause
		return nil
	}
	if len(f.States) == 0 {
		f.States = []event.DeliveryState{event.Failed}
	}
	counts, err := s.store.FailureCounts(ctx, event.DeliveryFilter{States: f.States, Connection: f.Connection}, s.opt.Now(), 24*time.Hour, 0)
	if err != nil {
		return err
	}
	f.Errors = []string{}
	for i := range counts {
		if id, _ := causeOf(&counts[i]); id == f.Cause {
			f.Connection, f.Errors = counts[i].Connection, with(f.Errors, counts[i].Error)
		}
	}
	return nil
}

// summarize adds to deliveries what people call their events.
func (s *Service) summarize(ctx context.Context, items []Delivery) error {
	if len(items) == 0 {
		return nil
	}
	var ids []event.ID
	for i := range items {
		if !slices.Contains(ids, items[i].Event) {
			ids = append(ids, items[i].Event)
		}
	}
	events, err := s.store.Events(ctx, event.Filter{IDs: ids, Limit: len(ids)})
	if err != nil {
		return fmt.Errorf("cannot look up the events of deliveries: %w", err)
	}
	called := map[event.ID]string{}
	for i := range events {
		called[events[i].ID] = Summary(events[i].Data())
	}
	for i := range items {
		items[i].Summary = called[items[i].Event]
	}
	return nil
}
