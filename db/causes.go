package db

import (
	"context"
	"fmt"
	"time"

	"hookgate/internal/event"
)

// FailureCounts counts the deliveries that f selects by connection, rule and
// error: of the newest f.Limit, or of all where that is 0. Each count is of one
// stretch of time, parts of which lie before now, each so long: 0 is the latest,
// parts what is older than all of them. f's states should be such as have an
// index: open or failed.
func (s *Store) FailureCounts(ctx context.Context, f event.DeliveryFilter, now time.Time, part time.Duration, parts int) ([]event.FailureCount, error) {
	c, err := s.deliveryConditions(ctx, f)
	if err != nil {
		return nil, err
	}
	from := `deliveries` + c.where()
	switch {
	case f.Limit > 0 && newestIndexed(f):
		from = `(SELECT * FROM ` + from + ` ORDER BY id DESC LIMIT ` + c.value(f.Limit) + `) AS newest`
	case f.Limit > 0:
		from = `deliveries WHERE id IN (SELECT id FROM ` + from + ` ORDER BY +id DESC LIMIT ` + c.value(f.Limit) + `)`
	}
	rows, err := s.read.QueryContext(ctx, `SELECT connection, rule, coalesce(error, ''), CASE WHEN `+unrendered+` THEN 0 ELSE 1 END, `+c.stretch(now, part, parts)+`, count(*), min(id), max(id)
		FROM `+from+` GROUP BY 1, 2, 3, 4, 5`, c.args...)
	if err != nil {
		return nil, fmt.Errorf("count causes: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var list []event.FailureCount
	for rows.Next() {
		var n event.FailureCount
		var rendered int
		if err := rows.Scan(&n.Connection, &n.Rule, &n.Error, &rendered, &n.Part, &n.Count, &n.First, &n.Last); err != nil {
			return nil, fmt.Errorf("count causes: %w", err)
		}
		n.Rendered = rendered == 1
		list = append(list, n)
	}
	return list, rows.Err()
}

// stretch tells by an id in which part of the time before now it was made, each part so
// long: 0 is the latest, parts what is older than all of them.
func (c *conditions) stretch(now time.Time, part time.Duration, parts int) string {
	first, last := int64(event.FirstIDAt(now.Add(-part*time.Duration(parts)))), int64(event.FirstIDAt(now))
	return fmt.Sprintf(`CASE WHEN id < %[1]s THEN %[2]d WHEN id >= %[3]s THEN 0 ELSE (%[3]s - id) / %[4]d END`,
		c.value(first), parts, c.value(last), last-int64(event.FirstIDAt(now.Add(-part))))
}
