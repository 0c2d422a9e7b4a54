package web

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// refusalLog logs what strangers do wrong, and what nobody has to prove, but not
// more than disks and readers can take: 20 lines at once, 2 a second after that.
// Each line says how many were left out before it.
type refusalLog struct {
	logger  *slog.Logger
	now     func() time.Time
	limiter *rate.Limiter
	skipped atomic.Int64
}

func newRefusalLog(logger *slog.Logger, now func() time.Time) *refusalLog {
	return &refusalLog{logger: logger, now: now, limiter: rate.NewLimiter(2, 20)}
}

func (l *refusalLog) warn(attrs ...slog.Attr) {
	l.log(slog.LevelWarn, "a request was refused", attrs...)
}

func (l *refusalLog) log(level slog.Level, message string, attrs ...slog.Attr) {
	if !l.limiter.AllowN(l.now(), 1) {
		l.skipped.Add(1)
		return
	}
	if n := l.skipped.Swap(0); n > 0 {
		attrs = append(attrs, slog.Int64("left_out", n))
	}
	l.logger.LogAttrs(context.Background(), level, message, attrs...) //nolint:sloglint // the callers' messages are constants
}
