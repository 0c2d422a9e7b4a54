// Package tail shows events as they come in, and what becomes of them, to
// those who watch. It reads the store now and then, while somebody watches:
// what accepts and delivers knows nothing of it and never waits for it, and
// the events of other replicas are seen as well.
package tail

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"hookgate/internal/event"
)

const (
	// pollEvery is how often the store is read.
	pollEvery = 400 * time.Millisecond
	// window is how far back each look goes: an event with a smaller number
	// can be committed a little later, and replicas' clocks differ.
	window = 10 * time.Second
	// pageSize is how many events one look takes in. More between two looks
	// are left out, with a notice.
	pageSize = 500
	// patience is how long an event's first attempts are waited for.
	patience = 3 * time.Second
	// maxFollowed is how many deliveries are followed to their end.
	maxFollowed = 2000
	// buffer is how many items wait for one watcher.
	buffer = 512
)

// Store is what a Feed reads.
type Store interface {
	Events(ctx context.Context, f event.Filter) ([]event.Event, error)
	Deliveries(ctx context.Context, f event.DeliveryFilter) ([]event.Delivery, error)
	Attempts(ctx context.Context, ids ...event.DeliveryID) ([]event.Attempt, error)
}

// Item is one thing to show: an event, or the later end of a delivery.
type Item struct {
	Event      *event.Event
	Deliveries []event.Delivery // of an update: those that have ended
	Attempts   []event.Attempt  // at Deliveries
	Update     bool
}

// Options are what a Feed needs besides its store.
type Options struct {
	Logger *slog.Logger
	Now    func() time.Time
	// Present makes of an item what watchers get. It is called once for each.
	Present func(Item) ([]byte, error)
}

// Feed is safe for concurrent use.
type Feed struct {
	store Store
	opt   Options

	mu       sync.Mutex
	watchers map[*Watcher]bool
	since    time.Time     // when the first of them began
	wake     chan struct{} // somebody began to watch
	ended    bool
}

// New makes a Feed; Run feeds it.
func New(store Store, opt Options) *Feed {
	return &Feed{store: store, opt: opt, watchers: map[*Watcher]bool{}, wake: make(chan struct{}, 1)}
}

// Watcher gets the items that its filter lets through.
type Watcher struct {
	// Items are what Options.Present made. It is closed when the feed ends.
	Items <-chan []byte

	feed  *Feed
	items chan []byte
	wants func(*event.Event) bool

	mu      sync.Mutex
	dropped int
}

// Watch begins to watch what comes in from now on. wants chooses the events.
func (f *Feed) Watch(wants func(*event.Event) bool) *Watcher {
	items := make(chan []byte, buffer)
	w := &Watcher{Items: items, items: items, feed: f, wants: wants}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended {
		close(items)
		return w
	}
	if len(f.watchers) == 0 {
		f.since = f.opt.Now()
	}
	f.watchers[w] = true
	select {
	case f.wake <- struct{}{}:
	default:
	}
	return w
}

// Close ends the watching; it may be called after the feed has ended.
func (w *Watcher) Close() {
	w.feed.mu.Lock()
	defer w.feed.mu.Unlock()
	delete(w.feed.watchers, w)
}

// Dropped is how many items were left out since it was called last, because
// the watcher was too slow or there were too many.
func (w *Watcher) Dropped() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := w.dropped
	w.dropped = 0
	return n
}

func (w *Watcher) drop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dropped++
}

// Run feeds those who watch until ctx ends; then nobody can watch any more.
func (f *Feed) Run(ctx context.Context) {
	defer f.end()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	var s *session
	for {
		since, watched := f.watched()
		if !watched {
			s = nil
			timer.Stop()
		} else {
			if s == nil {
				s = newSession(f, since)
			}
			if err := s.look(ctx); err != nil && ctx.Err() == nil {
				f.opt.Logger.WarnContext(ctx, "the live view could not read the store, trying again", "error", err)
			}
			timer.Reset(pollEvery)
		}
		select {
		case <-ctx.Done():
			return
		case <-f.wake:
		case <-timer.C:
		}
	}
}

// watched reports whether somebody watches, and since when.
func (f *Feed) watched() (time.Time, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.since, len(f.watchers) > 0
}

func (f *Feed) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = true
	for w := range f.watchers {
		close(w.items)
	}
	clear(f.watchers)
}

// show hands an item to those who want it. Nobody is waited for.
func (f *Feed) show(i Item) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var text []byte
	for w := range f.watchers {
		if !w.wants(i.Event) {
			continue
		}
		if text == nil {
			var err error
			if text, err = f.opt.Present(i); err != nil {
				return err
			}
		}
		select {
		case w.items <- text:
		default:
			w.drop()
		}
	}
	return nil
}

// missed tells all who watch that there was more than could be shown.
func (f *Feed) missed() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for w := range f.watchers {
		w.drop()
	}
}
