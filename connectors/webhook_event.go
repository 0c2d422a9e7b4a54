package connectors

import (
	"encoding/json"
	"errors"
	"time"

	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

// cloudEvents is the format in which the body says what it is about
// (CloudEvents 1.0, JSON format, structured mode).
const cloudEvents = "cloudevents"

// cloudEventsType is the media type of such a body.
const cloudEventsType = "application/cloudevents+json"

// narrowWebhookAction is webhookAction for one connection: CloudEvents carry a
// type and a source, and JSON only.
func narrowWebhookAction(settings yamlnode.Node) lang.Action {
	action := webhookAction()
	if settings.Get("format").Text().Value != cloudEvents {
		return action
	}
	action.Inputs = append(action.Inputs,
		lang.Input{Name: "type", Doc: "The CloudEvent's type; the event's where left out.", Kind: lang.TextInput, NotEmpty: true, Default: `${{ event.type == "" ? "event" : event.type }}`},
		lang.Input{Name: "source", Doc: "The CloudEvent's source; the name of the event's source where left out.", Kind: lang.TextInput, NotEmpty: true, Default: `/${{ event.source }}`},
	)
	action.Check = func(n yamlnode.Node, given []yamlnode.Field) diag.List {
		if _, found := field(given, "json"); !found {
			return diag.List{n.Diag("missing-key", "", "an action to a connection with format: cloudevents needs json")}
		}
		return checkWebhookAction(n, given)
	}
	return action
}

// envelope puts the JSON of a message into a CloudEvent. Its id is the
// delivery's: what was rendered once is one event, however often it is sent.
func (msg *message) envelope(d *event.Delivery, typ, source string) error {
	if msg.contentType != jsonType || typ == "" || source == "" {
		return errors.New("a CloudEvent needs json, a type and a source")
	}
	body, err := json.Marshal(struct {
		SpecVersion string          `json:"specversion"`
		ID          string          `json:"id"`
		Source      string          `json:"source"`
		Type        string          `json:"type"`
		Time        *time.Time      `json:"time,omitempty"`
		ContentType string          `json:"datacontenttype"`
		Data        json.RawMessage `json:"data"`
	}{"1.0", d.ID.String(), source, typ, eventTime(d), jsonType, msg.body})
	if err != nil {
		return errors.New("the CloudEvent could not be made")
	}
	msg.body, msg.contentType = body, cloudEventsType
	return nil
}

func eventTime(d *event.Delivery) *time.Time {
	if d.Created.IsZero() {
		return nil
	}
	at := d.Created.UTC()
	return &at
}
