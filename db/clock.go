package db

import (
	"context"
	"fmt"
	"time"

	"hookgate/internal/event"
)

// Rows of meta about the clock that timers are compared with, in µs.
const (
	metaClockFrom     = "clock_from"     // what it ought to have shown when it was held
	metaClockTo       = "clock_to"       // what it showed
	metaClockAccepted = "clock_accepted" // when somebody accepted it
	metaClockSeen     = "clock_seen"     // when a planner ran last, to an hour
)

// Clock is the time of the clock that timers are compared with.
func (s *Store) Clock(ctx context.Context) (time.Time, error) {
	if s.dialect.clock == "" {
		return s.now(), nil
	}
	var now int64
	if err := s.read.QueryRowContext(ctx, `SELECT `+s.dialect.clock).Scan(&now); err != nil {
		return time.Time{}, fmt.Errorf("read the database's clock: %w", err)
	}
	return time.UnixMicro(now).UTC(), nil
}

// ClockState is what is known of that clock.
func (s *Store) ClockState(ctx context.Context) (state event.ClockState, err error) {
	rows, err := s.read.QueryContext(ctx, `SELECT key, value FROM meta WHERE key IN ('`+metaClockFrom+`', '`+metaClockTo+`', '`+metaClockAccepted+`', '`+metaClockSeen+`')`)
	if err != nil {
		return state, fmt.Errorf("read the state of the clock: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var key string
		var value int64
		if err := rows.Scan(&key, &value); err != nil {
			return state, fmt.Errorf("read the state of the clock: %w", err)
		}
		at := time.UnixMicro(value).UTC()
		switch key {
		case metaClockFrom:
			state.Held, state.From = true, at
		case metaClockTo:
			state.To = at
		case metaClockAccepted:
			state.Accepted = at
		case metaClockSeen:
			state.Seen = at
		}
	}
	return state, rows.Err()
}

// HoldClock notes that the clock showed to where it ought to have shown from:
// until ReleaseClock nothing that is scheduled is opened.
func (s *Store) HoldClock(from, to time.Time) error {
	return s.write(func(tx tx) error {
		if err := setFact(tx, metaClockFrom, micros(from)); err != nil {
			return err
		}
		return setFact(tx, metaClockTo, micros(to))
	})
}

// ReleaseClock notes that the clock is to be trusted, as it is.
func (s *Store) ReleaseClock() error {
	return s.write(func(tx tx) error {
		now := tx.stamp().now
		for _, key := range []string{metaClockAccepted, metaClockSeen} {
			if err := setFact(tx, key, now); err != nil {
				return err
			}
		}
		return tx.exec(`DELETE FROM meta WHERE key IN ('` + metaClockFrom + `', '` + metaClockTo + `')`)
	})
}

// NoteClock notes that a planner runs.
func (s *Store) NoteClock(now time.Time) error {
	return s.write(func(tx tx) error { return setFact(tx, metaClockSeen, micros(now)) })
}

func setFact(tx tx, key string, value int64) error {
	err := tx.exec(`INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value`, key, value)
	if err != nil {
		return fmt.Errorf("write %s: %w", key, err)
	}
	return nil
}
