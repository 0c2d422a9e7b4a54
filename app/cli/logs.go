package cli

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/lmittmann/tint"
)

// newLogger makes the logger of a server: for machines JSON, for a person at a
// terminal lines with colour. format is json, text or auto.
func (s *session) newLogger(format string) (*slog.Logger, error) {
	level := slog.LevelInfo
	switch {
	case s.verbose:
		level = slog.LevelDebug
	case s.quiet:
		level = slog.LevelWarn
	}
	switch {
	case format == "text", format == "auto" && s.msg.TTY():
		return slog.New(tint.NewTextHandler(s.stderr, &tint.Options{
			Level: level, TimeFormat: time.TimeOnly, NoColor: !s.msg.Color(),
		})), nil
	case format == "json", format == "auto":
		return slog.New(slog.NewJSONHandler(s.stderr, &slog.HandlerOptions{Level: level})), nil
	}
	return nil, usageError("", fmt.Errorf("--log-format is json, text or auto, not %q", format))
}
