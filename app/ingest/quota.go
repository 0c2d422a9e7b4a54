package ingest

import (
	"fmt"
	"sync"
	"time"

	"hookgate/app/ingest/files"
	"hookgate/internal/event"
)

const (
	day = 24 * time.Hour
	// rejectedShare is the part of a form's quota that posts have which could
	// not be read: they are kept to be looked at, and some are enough for that.
	rejectedShare = 20
	// minFree is how much of the disk is left to events, in bytes. With less,
	// what strangers send is no longer stored.
	minFree = 256 << 20
)

// QuotaError refuses a post with files to a form that has stored its quota of
// the day. It is a *BusyError, too.
type QuotaError struct {
	Limit      int64 // bytes
	RetryAfter time.Duration
}

func (e *QuotaError) Error() string {
	return fmt.Sprintf("the form has stored its quota of %d MB for today", e.Limit>>20)
}

// Unwrap is how it is answered.
func (e *QuotaError) Unwrap() error { return &BusyError{Source: true, RetryAfter: e.RetryAfter} }

// quotas count the bytes that visitors had stored in the current day (UTC), by
// what for. The zero value is ready for use. A restart begins anew, and each
// replica counts for itself.
type quotas struct {
	mu   sync.Mutex
	day  time.Time
	used map[string]int64
}

// take counts n bytes, and reports whether they are within the limit; if not,
// nothing is counted.
func (q *quotas) take(what string, n, limit int64, now time.Time) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if today := now.UTC().Truncate(day); !today.Equal(q.day) {
		q.day, q.used = today, map[string]int64{}
	}
	if q.used[what]+n > limit {
		return false
	}
	q.used[what] += n
	return true
}

// StoredToday is how many bytes of files a form has stored today.
func (in *Intake) StoredToday(form string, now time.Time) int64 {
	q := &in.quotas
	q.mu.Lock()
	defer q.mu.Unlock()
	if !now.UTC().Truncate(day).Equal(q.day) {
		return 0
	}
	return q.used[filesOf(form)]
}

func filesOf(form string) string { return "files of " + form }

// admitFiles counts n bytes of files for the form. The error is a *QuotaError,
// or event.ErrUnavailable where the disk is nearly full.
func (in *Intake) admitFiles(form string, n, limit int64, folder *files.Dir, now time.Time) error {
	free, err := folder.Free()
	if err == nil && free < minFree {
		return fmt.Errorf("%w: only %d MB of the disk are free, which are for events", event.ErrUnavailable, free>>20)
	}
	if !in.quotas.take(filesOf(form), n, limit, now) {
		return &QuotaError{Limit: limit, RetryAfter: now.UTC().Truncate(day).Add(day).Sub(now)}
	}
	return nil
}
