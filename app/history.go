package app

import (
	"context"

	"hookgate/db"
	"hookgate/db/transfer"
	"hookgate/internal/event"
)

// What MoveHistory tells, and the errors that its caller may want to know.
type (
	// MoveProgress is how far a move is with one table.
	MoveProgress = transfer.Progress
	// MovedTable is what verification found for a table.
	MovedTable = transfer.Table
)

// See packages db and transfer.
var (
	ErrMoved        = db.ErrMoved
	ErrDiffers      = transfer.ErrDiffers
	ErrBadURL       = db.ErrBadURL
	ErrInUse        = db.ErrInUse
	ErrTargetFilled = db.ErrTargetFilled
)

// Remedy is what a person can do about an error of New or MoveHistory that is
// the PostgreSQL server's; "" where there is nothing to add.
func Remedy(err error) string { return db.Remedy(err) }

// MoveHistory copies the SQLite file at path into the PostgreSQL database at to
// and compares the two. Interrupted, it goes on when it is called again.
func MoveHistory(ctx context.Context, path string, to event.Secret, opt Options, progress func(MoveProgress)) ([]MovedTable, error) {
	return transfer.Run(ctx, path, to, transfer.Options{Logger: opt.Logger, Now: opt.Now, Progress: progress})
}
