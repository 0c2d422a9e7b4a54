package event

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// Apply is the value of the record after the write; its error is a *RecordError.
func (w *RecordWrite) Apply(value json.RawMessage) (json.RawMessage, error) {
	fault := func(format string, args ...any) error {
		return &RecordError{Rule: w.Rule, RecordKey: w.RecordKey, Reason: fmt.Sprintf(format, args...)}
	}
	fields := map[string]json.RawMessage{}
	if value != nil {
		if err := json.Unmarshal(value, &fields); err != nil {
			return nil, fault("the record cannot be read: %v", err)
		}
	}
	for name, text := range w.Set {
		if isNull(text) {
			delete(fields, name)
		} else {
			fields[name] = text
		}
	}
	for name, text := range w.Add {
		sum, err := added(fields[name], text)
		if err != nil {
			return nil, fault("%s: %v", name, err)
		}
		if sum != nil {
			fields[name] = sum
		}
	}
	out, err := json.Marshal(fields)
	if err != nil {
		return nil, fault("it has no form in JSON: %v", err)
	}
	if len(out) > MaxRecord {
		return nil, fault("it would have %d bytes, and a record has at most %d", len(out), MaxRecord)
	}
	return out, nil
}

func isNull(text json.RawMessage) bool { return len(text) == 0 || string(text) == "null" }

// added is the sum of two numbers, exact in decimals: 0.1 and 0.2 are 0.3. Null
// counts nothing; nil: there is nothing to keep.
func added(to, more json.RawMessage) (json.RawMessage, error) {
	if isNull(more) {
		return nil, nil
	}
	sum, places, err := decimal(more)
	if err != nil {
		return nil, err
	}
	if !isNull(to) {
		before, p, err := decimal(to)
		if err != nil {
			return nil, fmt.Errorf("nothing can be added to what it holds: %w", err)
		}
		sum.Add(sum, before)
		places = max(places, p)
	}
	return json.RawMessage(sum.FloatString(places)), nil
}

// maxPlaces is how many decimals a sum has at most, and maxExponent which powers
// of ten are read.
const (
	maxPlaces   = 30
	maxExponent = 30
)

// decimal reads a JSON number, also one in a text, and how many decimals it has.
func decimal(text json.RawMessage) (*big.Rat, int, error) {
	number := strings.Trim(string(bytes.TrimSpace(text)), `"`)
	if !json.Valid([]byte(number)) {
		return nil, 0, fmt.Errorf("%s is no number that can be added", text)
	}
	mantissa, exponent, _ := strings.Cut(strings.ToLower(number), "e")
	power := 0
	if exponent != "" {
		var err error
		if power, err = strconv.Atoi(exponent); err != nil || max(power, -power) > maxExponent {
			return nil, 0, fmt.Errorf("%s is too large a number, or too small", number)
		}
	}
	_, fraction, _ := strings.Cut(mantissa, ".")
	places := max(0, len(fraction)-power)
	value, ok := new(big.Rat).SetString(number)
	if !ok || places > maxPlaces || len(mantissa) > 4*maxPlaces {
		return nil, 0, fmt.Errorf("%s is no number that can be added", text)
	}
	return value, places, nil
}
