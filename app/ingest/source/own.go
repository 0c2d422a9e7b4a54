package source

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"hookgate/internal/event"
	"hookgate/internal/schema"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

// Told is the data of an event of source event.Own: what has happened, without
// anything of the event that it happened to but its name.
type Told struct {
	Type string `json:"type"`
	Text string `json:"text"` // a sentence for people

	Event     string `json:"event,omitempty"` // its id
	Source    string `json:"source,omitempty"`
	EventType string `json:"event_type,omitempty"`

	Delivery   string `json:"delivery,omitempty"` // its id
	Rule       string `json:"rule,omitempty"`
	Action     string `json:"action,omitempty"` // rule/connection
	Connection string `json:"connection,omitempty"`
	Attempts   int    `json:"attempts,omitempty"`

	Error   string `json:"error,omitempty"`
	Count   int    `json:"count,omitempty"`   // how often since the last time that it was told of
	Missed  int    `json:"missed,omitempty"`  // ticks of a schedule
	Waiting int    `json:"waiting,omitempty"` // deliveries to the connection
	Behind  string `json:"behind,omitempty"`  // for how long at least: 15m, 1h, 6h, 24h
	Since   string `json:"since,omitempty"`   // RFC 3339
	File    string `json:"file,omitempty"`    // of the configuration
}

// mostError bounds how much is told of an error, in bytes.
const mostError = 500

// Write fills in Text and gives the data as JSON.
func (t *Told) Write() []byte {
	if len(t.Error) > mostError {
		t.Error = strings.ToValidUTF8(t.Error[:mostError], "") + "…"
	}
	t.Text = t.sentence()
	text, err := json.Marshal(t)
	if err != nil { // texts and numbers always have a form in JSON
		return []byte(`{}`)
	}
	return text
}

func (t *Told) sentence() string {
	more := ""
	if t.Count > 1 {
		more = fmt.Sprintf(" (%d times)", t.Count)
	}
	switch t.Type {
	case event.DeliveryFailed:
		if t.Attempts == 0 {
			return fmt.Sprintf("%s could not be made%s: %s", t.Action, more, t.Error)
		}
		return fmt.Sprintf("%s failed for good after %s: %s", t.Action, count(t.Attempts, "attempt"), t.Error)
	case event.RuleFailedToJudge:
		return fmt.Sprintf("the rule %s could not be evaluated for an event of %s%s: %s", t.Rule, t.Source, more, t.Error)
	case event.EventRejected:
		return fmt.Sprintf("an event of %s was rejected%s: %s", t.Source, more, t.Error)
	case event.ConnectionFailing:
		return fmt.Sprintf("%s does not take anything: many attempts in a row failed, the last with: %s", t.Connection, t.Error)
	case event.ConnectionRecovered:
		return t.Connection + " works again"
	case event.ConnectionBehind:
		return fmt.Sprintf("%s is behind: what is due has waited for more than %s, %s in all", t.Connection, t.Behind, deliveries(t.Waiting))
	case event.ConfigRefused:
		return fmt.Sprintf("%s was refused, the version before stays in force: %s", t.File, t.Error)
	case event.ScheduleMissed:
		return fmt.Sprintf("%s of the schedule %s came while nothing ran, the first at %s", count(t.Missed, "tick"), t.Source, t.Since)
	}
	return t.Type
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func deliveries(n int) string {
	if n == 1 {
		return "1 delivery"
	}
	return fmt.Sprintf("%d deliveries", n)
}

// OwnSample is an event that hookgate could tell of.
type OwnSample struct {
	About string
	Told
}

// OwnSamples has one for each type of the events of source event.Own.
func OwnSamples() []OwnSample {
	evt, dlv := event.ID(1773139327084).String(), event.DeliveryID(1773139327085).String()
	since := time.Date(2026, 3, 10, 10, 42, 7, 0, time.UTC).Format(time.RFC3339)
	return []OwnSample{
		{"a delivery failed for good", Told{
			Type: event.DeliveryFailed, Event: evt, Source: "sitejet", EventType: "website_status_changed", Delivery: dlv, Rule: "create-subscription",
			Action: "create-subscription/billing", Connection: "billing", Attempts: 9, Error: "the server answered 422: no such plan", Count: 1,
		}},
		{"a rule could not be evaluated", Told{
			Type: event.RuleFailedToJudge, Event: evt, Source: "sitejet", EventType: "website_status_changed", Rule: "create-subscription",
			Error: "data.website.owner.email: data.website.owner is null", Count: 1,
		}},
		{"a body was not understood", Told{Type: event.EventRejected, Event: evt, Source: "sitejet", Error: "the body is no JSON", Count: 12}},
		{"many attempts in a row failed", Told{Type: event.ConnectionFailing, Connection: "billing", Since: since, Error: "connection refused", Waiting: 12}},
		{"a connection works again", Told{Type: event.ConnectionRecovered, Connection: "billing", Since: since}},
		{"what is due waits for long", Told{Type: event.ConnectionBehind, Connection: "billing", Behind: "1h", Since: since, Waiting: 240}},
		{"a reload was refused", Told{Type: event.ConfigRefused, File: "config.yaml", Error: `rules[0].then[0].to: no connection is called "biling" (and 1 more)`, Count: 2}},
		{"a schedule was not followed", Told{Type: event.ScheduleMissed, Source: "monday", EventType: event.Tick, Missed: 2, Since: since, Count: 1}},
	}
}

// ownShapes are the samples as documented payloads.
func ownShapes() []schema.Payload {
	var shapes []schema.Payload
	for _, sample := range OwnSamples() {
		b := schema.NewBuilder()
		b.Add(sample.Write())
		shape := b.Payload(sample.Type)
		shape.Events, shape.Complete = 0, true
		for i := range shape.Fields {
			f := &shape.Fields[i]
			f.Seen, f.More = 0, true
		}
		shapes = append(shapes, shape)
	}
	return shapes
}

// Own is the source of what hookgate tells of itself. Nobody can post to it.
func Own(c *lang.Compiler) *Source {
	s := &Source{Name: event.Own, Type: event.Own, unposted: true, verify: refuser{}, methods: defaultMethods(), types: event.OwnTypes()}
	compiled, _ := c.Expression(yamlnode.Plain("data.type"))
	s.eventType = expression{Expression: compiled, ours: true}
	return s
}
