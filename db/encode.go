package db

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"hookgate/internal/event"
)

// states are the states of an event in the order of their stored numbers;
// those from rareState on have an index.
var states = []event.State{event.Routed, event.NoMatch, event.RuleError, event.Rejected, event.Duplicate, event.Spam}

const rareState = 2

// The stored states of a delivery. An open one is waiting, sending or retrying.
const (
	open      = 0
	delivered = 1
	failed    = 2
	cancelled = 3
	scheduled = 4
)

func stateNumber(s event.State) int64 { return int64(slices.Index(states, s)) }

// micros is how times are stored: µs since 1970, UTC.
func micros(t time.Time) int64 { return t.UnixMicro() }

// eventErrors encodes the messages of rule errors; nil when there are none.
func eventErrors(verdicts []event.Verdict) (any, error) {
	messages := map[string]string{}
	for _, v := range verdicts {
		if v.Result == event.RuleFailed {
			messages[v.Rule] = v.Message
		}
	}
	if len(messages) == 0 {
		return nil, nil
	}
	text, err := json.Marshal(messages)
	if err != nil {
		return nil, fmt.Errorf("encode rule errors: %w", err)
	}
	return string(text), nil
}

// jsonList encodes a list of texts; nil when it is empty.
func jsonList(list []string) (any, error) {
	if len(list) == 0 {
		return nil, nil
	}
	text, err := json.Marshal(list)
	if err != nil {
		return nil, fmt.Errorf("encode list: %w", err)
	}
	return string(text), nil
}

// nullable is nil for an empty text.
func nullable(text string) any {
	if text == "" {
		return nil
	}
	return text
}
