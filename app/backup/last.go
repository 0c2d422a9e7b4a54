package backup

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// Last is the last backup that was made of a gateway.
type Last struct {
	Made     time.Time `json:"made"`
	File     string    `json:"file"`
	Bytes    int64     `json:"bytes"`
	Events   int64     `json:"events"`
	Verified bool      `json:"verified"`
}

// lastPath is where it is noted, beside what place names: the database, or for
// PostgreSQL the configuration.
func lastPath(place string) string { return place + ".last-backup" }

// Note keeps what the last backup was.
func Note(place string, last Last) error {
	text, err := json.Marshal(last)
	if err != nil {
		return fmt.Errorf("note the backup: %w", err)
	}
	temporary := lastPath(place) + ".part"
	if err := os.WriteFile(temporary, append(text, '\n'), 0o644); err != nil { //nolint:gosec // the server reads it, whoever made the backup
		return fmt.Errorf("note the backup: %w", err)
	}
	return os.Rename(temporary, lastPath(place))
}

// ReadLast is what Note kept; nil: nothing.
func ReadLast(place string) (*Last, error) {
	text, err := os.ReadFile(lastPath(place))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read of the last backup: %w", err)
	}
	var last Last
	if err := json.Unmarshal(text, &last); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w", lastPath(place), err)
	}
	return &last, nil
}
