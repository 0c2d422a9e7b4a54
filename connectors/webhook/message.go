package webhook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"hookgate/connectors"
	"hookgate/internal/event"
	"hookgate/internal/jsondoc"
	"hookgate/rules/lang"
)

// output is a rendered action.
type output struct {
	JSON        json.RawMessage `json:"json"`
	Form        json.RawMessage `json:"form"`
	Body        *string         `json:"body"`
	ContentType string          `json:"content_type"`
	Method      string          `json:"method"`
	Headers     json.RawMessage `json:"headers"`
	Query       json.RawMessage `json:"query"`
	Outputs     json.RawMessage `json:"outputs"`
}

// message is one request as the action asks for it.
type message struct {
	method      string
	query       string // encoded
	contentType string // "": that of the connection, if any
	header      http.Header
	body        []byte
	outputs     connectors.Outputs // in place of the connection's; nil: those
}

// message turns a rendered action into a request. An error means that it can
// never be sent. The message may share memory with rendered.
func (w *connector) message(rendered []byte) (message, error) {
	msg := message{method: w.settings.method, outputs: w.settings.outputs}
	if body, ok := soleJSON(rendered); ok {
		msg.body, msg.contentType = body, connectors.JSONType
		return msg, nil
	}
	var out output
	if err := json.Unmarshal(rendered, &out); err != nil {
		return msg, errors.New("the stored output is not that of an action to a webhook")
	}
	if len(out.Outputs) > 0 {
		msg.outputs = w.outputsOf(out.Outputs)
	}
	if out.Method != "" {
		msg.method = strings.ToUpper(out.Method)
		if !slices.Contains(methods(), msg.method) {
			return msg, fmt.Errorf("%s is no method that can be used here", connectors.Excerpt(out.Method))
		}
	}
	if err := out.setBody(&msg); err != nil {
		return msg, err
	}
	query, err := connectors.ReadTexts("query", out.Query)
	if err != nil {
		return msg, err
	}
	msg.query = url.Values(query).Encode()
	return msg, out.setHeaders(&msg)
}

// outputsOf compiles the outputs of an action. They are kept: the same ones come
// with each delivery of an action.
func (w *connector) outputsOf(text []byte) connectors.Outputs {
	if known, ok := w.outputs.Load(string(text)); ok {
		return known.(connectors.Outputs)
	}
	var exprs map[string]string
	if json.Unmarshal(text, &exprs) != nil {
		return w.settings.outputs
	}
	compiled := connectors.OutputsOf(lang.NewCompilerFor(connectors.AnswerNames()...), exprs)
	w.outputs.Store(string(text), compiled)
	return compiled
}

// soleJSON is the value of "json" where output holds that key alone, as most
// actions have it. It spares them the decoder. Any other output, also one that
// is merely written in another way, is not ok.
func soleJSON(output []byte) (value []byte, ok bool) {
	value, ok = bytes.CutPrefix(output, []byte(`{"json":`))
	if !ok {
		return nil, false
	}
	value, ok = bytes.CutSuffix(value, []byte("}"))
	if !ok || !jsondoc.Valid(value) { // it ends elsewhere: there are more keys
		return nil, false
	}
	return bytes.TrimSpace(value), true
}

func (out *output) setBody(msg *message) error {
	switch {
	case out.JSON != nil:
		msg.body, msg.contentType = out.JSON, connectors.JSONType
	case out.Form != nil:
		form, err := connectors.ReadTexts("form", out.Form)
		if err != nil {
			return err
		}
		msg.body, msg.contentType = []byte(url.Values(form).Encode()), "application/x-www-form-urlencoded"
	case out.Body != nil:
		msg.body, msg.contentType = []byte(*out.Body), "text/plain; charset=utf-8"
	default:
		return nil
	}
	if out.ContentType != "" {
		msg.contentType = out.ContentType
	}
	if !httpguts.ValidHeaderFieldValue(msg.contentType) {
		return errors.New("content_type holds a line break or another control character")
	}
	return nil
}

func (out *output) setHeaders(msg *message) error {
	headers, err := connectors.ReadTexts("headers", out.Headers)
	if err != nil {
		return err
	}
	msg.header = make(http.Header, len(headers))
	for name, values := range headers {
		if reason := headerNameFault(name); reason != "" {
			return fmt.Errorf("the header %q %s", name, reason)
		}
		for _, value := range values {
			if !httpguts.ValidHeaderFieldValue(value) {
				return fmt.Errorf("the value of the header %q holds a line break or another control character", name)
			}
		}
		msg.header[http.CanonicalHeaderKey(name)] = values
	}
	return nil
}

// cloudEvents is the format in which the body says what it is about
// (CloudEvents 1.0, JSON format, structured mode).
const cloudEvents = "cloudevents"

// cloudEventsType is the media type of such a body.
const cloudEventsType = "application/cloudevents+json"

// envelope puts the JSON of a message into a CloudEvent. Its id is the
// delivery's: what was rendered once is one event, however often it is sent.
func (msg *message) envelope(d *event.Delivery, typ, source string) error {
	if msg.contentType != connectors.JSONType || typ == "" || source == "" {
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
	}{"1.0", d.ID.String(), source, typ, eventTime(d), connectors.JSONType, msg.body})
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

// typeAndSource are those of a CloudEvent, as the action has them.
func typeAndSource(output []byte) (typ, source string) {
	var out struct{ Type, Source string }
	if json.Unmarshal(output, &out) != nil {
		return "", ""
	}
	return out.Type, out.Source
}
