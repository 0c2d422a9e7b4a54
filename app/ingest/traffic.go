package ingest

import (
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"hookgate/internal/yamlnode"
)

const (
	// maxUnderWay is how many requests are taken in at once, over all sources;
	// they wait for the same commit, so more would only cost memory.
	maxUnderWay = 2048
	// maxOfSource is how many of them one source may have, so that one that
	// runs wild leaves room for the others.
	maxOfSource = maxUnderWay / 2
	// busyFor is when a sender that was refused may come again.
	busyFor = time.Second
)

// noLimit is the rate of what has none.
var noLimit = yamlnode.Rate{}

// traffic bounds what is under way. The zero value is ready for use.
type traffic struct {
	total   atomic.Int64
	sources sync.Map // name → *flow
}

// flow is what one source has under way, and its rate.
type flow struct {
	underWay atomic.Int64
	limiter  atomic.Pointer[limiter]
}

type limiter struct {
	rate yamlnode.Rate
	*rate.Limiter
}

// enter takes a place for one request, or refuses it with a *BusyError.
func (t *traffic) enter(source string, limit yamlnode.Rate, now time.Time) (leave func(), err error) {
	f := t.flow(source)
	if wait := f.wait(limit, now); wait > 0 {
		return nil, &BusyError{Source: true, RetryAfter: wait}
	}
	if f.underWay.Add(1) > maxOfSource {
		f.underWay.Add(-1)
		return nil, &BusyError{Source: true, RetryAfter: busyFor}
	}
	if t.total.Add(1) > maxUnderWay {
		t.total.Add(-1)
		f.underWay.Add(-1)
		return nil, &BusyError{RetryAfter: busyFor}
	}
	return func() {
		t.total.Add(-1)
		f.underWay.Add(-1)
	}, nil
}

func (t *traffic) flow(source string) *flow {
	if f, ok := t.sources.Load(source); ok {
		return f.(*flow)
	}
	f, _ := t.sources.LoadOrStore(source, &flow{})
	return f.(*flow)
}

// wait is how long the source is over its rate; 0 lets one request through.
func (f *flow) wait(limit yamlnode.Rate, now time.Time) time.Duration {
	if limit.Count == 0 {
		return 0
	}
	l := f.limiter.Load()
	if l == nil || l.rate != limit { // the first request, or the rate was changed by a reload
		l = &limiter{rate: limit, Limiter: rate.NewLimiter(rate.Every(limit.Per/time.Duration(limit.Count)), limit.Count)}
		f.limiter.Store(l)
	}
	if l.AllowN(now, 1) {
		return 0
	}
	return limit.Per / time.Duration(limit.Count)
}
