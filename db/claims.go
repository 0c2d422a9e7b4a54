package db

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"hookgate/app/event"
)

// claimedColumns are what a sender needs of a delivery, as scanClaimed reads them.
const claimedColumns = `id, event, rule, action, connection, key, claim, attempts, base, output`

func scanClaimed(row []any) (*event.Delivery, error) {
	d := &event.Delivery{
		ID: event.DeliveryID(row[0].(int64)), Event: event.ID(row[1].(int64)), Rule: row[2].(string), Action: int(row[3].(int64)),
		Connection: row[4].(string), Claim: row[6].(int64), Attempts: int(row[7].(int64)), Base: int(row[8].(int64)), State: event.Sending,
	}
	if key, ok := row[5].(string); ok {
		d.Key = key
	}
	output, err := unpack(row[9].([]byte))
	d.Output = json.RawMessage(output)
	d.Created = event.ID(d.ID).Time()
	return d, err
}

// Claim hands out at most limit of connection's deliveries that are due at
// now, in the order in which they became due, claimed for this process.
func (s *Store) Claim(connection string, now time.Time, limit int) ([]event.Delivery, error) {
	var claimed []event.Delivery
	err := s.write(func(tx tx) error {
		claimed = claimed[:0]
		return tx.query(func(row []any) error {
			d, err := scanClaimed(row)
			if err == nil {
				claimed = append(claimed, *d)
			}
			return err
		}, `UPDATE deliveries SET owner = 1, due = ?1, claim = claim + 1 WHERE id IN (
			SELECT id FROM deliveries WHERE state = 0 AND owner = 0 AND connection = ?2 AND due <= ?3 ORDER BY due LIMIT ?4)
			RETURNING `+claimedColumns,
			micros(now.Add(Lease)), connection, micros(now), int64(limit))
	})
	if err != nil {
		return nil, fmt.Errorf("claim deliveries to %s: %w", connection, err)
	}
	slices.SortFunc(claimed, func(a, b event.Delivery) int { return int(a.ID - b.ID) })
	return claimed, nil
}

// Release gives claimed deliveries back unsent, to be claimed again at due.
func (s *Store) Release(deliveries []event.Delivery, due time.Time) error {
	return s.write(func(tx tx) error {
		for i := range deliveries {
			d := &deliveries[i]
			if err := tx.exec(`UPDATE deliveries SET owner = 0, due = ?3 WHERE id = ?1 AND claim = ?2 AND state = 0`,
				int64(d.ID), d.Claim, micros(due)); err != nil {
				return fmt.Errorf("release delivery %s: %w", d.ID, err)
			}
		}
		return nil
	})
}
