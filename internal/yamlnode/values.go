package yamlnode

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Size is a number of bytes, written as 512, 64KB, 10MB or 2GB (powers of 1024).
type Size int64

// UnmarshalText reads a Size.
func (s *Size) UnmarshalText(text []byte) error {
	units := []struct {
		suffix string
		factor int64
	}{{"KB", 1 << 10}, {"MB", 1 << 20}, {"GB", 1 << 30}, {"B", 1}, {"", 1}}
	upper := strings.ToUpper(strings.TrimSpace(string(text)))
	for _, u := range units {
		if number, ok := strings.CutSuffix(upper, u.suffix); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
			if err != nil || n < 0 || n > (1<<62)/u.factor {
				break
			}
			*s = Size(n * u.factor)
			return nil
		}
	}
	return errors.New("a size is written like 512, 64KB or 10MB")
}

// Rate is Count events per Per, written as 5/s, 100/m or 1000/h.
type Rate struct {
	Count int
	Per   time.Duration
}

// UnmarshalText reads a Rate.
func (r *Rate) UnmarshalText(text []byte) error {
	count, per, _ := strings.Cut(strings.TrimSpace(string(text)), "/")
	n, err := strconv.Atoi(strings.TrimSpace(count))
	unit, ok := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour}[strings.TrimSpace(per)]
	if err != nil || n < 1 || !ok {
		return errors.New("a rate is written like 5/s, 100/m or 1000/h")
	}
	*r = Rate{Count: n, Per: unit}
	return nil
}

// String is the rate as it is written.
func (r Rate) String() string {
	for unit, per := range map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour} {
		if r.Per == per {
			return fmt.Sprintf("%d/%s", r.Count, unit)
		}
	}
	return ""
}

// ParseDuration reads what time.ParseDuration reads, and days and weeks: 90d, 2w, 1d12h.
func ParseDuration(text string) (time.Duration, error) {
	rest := strings.TrimSpace(text)
	var total time.Duration
	for _, unit := range []struct {
		letter string
		length time.Duration
	}{{"w", 7 * 24 * time.Hour}, {"d", 24 * time.Hour}} {
		number, after, found := strings.Cut(rest, unit.letter)
		if !found {
			continue
		}
		n, err := strconv.ParseFloat(number, 64)
		switch {
		case err != nil && !errors.Is(err, strconv.ErrRange), math.IsNaN(n):
			return 0, ErrDuration
		case n < 0:
			return 0, errNegative
		case n*float64(unit.length) > float64(maxDuration-total):
			return 0, errTooLong
		}
		total += time.Duration(n * float64(unit.length))
		rest = after
	}
	if rest == "" && total > 0 {
		return total, nil
	}
	d, err := time.ParseDuration(rest)
	switch {
	case d < 0 || err != nil && tooLong.MatchString(strings.TrimPrefix(rest, "-")) && rest[0] == '-':
		return 0, errNegative
	case err != nil && tooLong.MatchString(rest), d > maxDuration-total:
		return 0, errTooLong
	case err != nil:
		return 0, ErrDuration
	}
	return total + d, nil
}

// maxDuration is the longest that is read; what adds to it stays within a
// time.Duration.
const maxDuration = 100 * 365 * 24 * time.Hour

// tooLong is how a duration is written that time.ParseDuration has no room for.
var tooLong = regexp.MustCompile(`^([0-9]+(\.[0-9]*)?(ns|us|µs|μs|ms|s|m|h))+$`)

var (
	// ErrDuration says that a text is no duration at all; ParseDuration's other errors
	// are about one that is out of bounds.
	ErrDuration = errors.New("a duration is written like 500ms, 30s, 5m, 2h, 7d or 2w")
	errNegative = errors.New("a duration cannot be negative")
	errTooLong  = errors.New("this is too long, a duration is at most 36500d")
)
