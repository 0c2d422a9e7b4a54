package connectors

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// webhookOutput is a rendered action.
type webhookOutput struct {
	JSON        json.RawMessage `json:"json"`
	Form        json.RawMessage `json:"form"`
	Body        *string         `json:"body"`
	ContentType string          `json:"content_type"`
	Method      string          `json:"method"`
	Headers     json.RawMessage `json:"headers"`
	Query       json.RawMessage `json:"query"`
}

// message is one request as the action asks for it.
type message struct {
	method      string
	query       string // encoded
	contentType string // "": that of the connection, if any
	header      http.Header
	body        []byte
}

// message turns a rendered action into a request. An error means that it can
// never be sent. The message may share memory with output.
func (w *webhook) message(output []byte) (message, error) {
	msg := message{method: w.settings.method}
	if body, ok := soleJSON(output); ok {
		msg.body, msg.contentType = body, jsonType
		return msg, nil
	}
	var out webhookOutput
	if err := json.Unmarshal(output, &out); err != nil {
		return msg, errors.New("the stored output is not that of an action to a webhook")
	}
	if out.Method != "" {
		msg.method = strings.ToUpper(out.Method)
		if !slices.Contains(methods(), msg.method) {
			return msg, fmt.Errorf("%s is no method that can be used here", excerpt(out.Method))
		}
	}
	if err := out.setBody(&msg); err != nil {
		return msg, err
	}
	query, err := texts("query", out.Query)
	if err != nil {
		return msg, err
	}
	msg.query = url.Values(query).Encode()
	return msg, out.setHeaders(&msg)
}

const jsonType = "application/json"

// soleJSON is the value of "json" where output holds that key alone, as most
// actions have it. It spares them the decoder. Any other output, also one that
// is merely written in another way, is not ok.
func soleJSON(output []byte) (value []byte, ok bool) {
	value, ok = bytes.CutPrefix(output, []byte(`{"json":`))
	if !ok {
		return nil, false
	}
	value, ok = bytes.CutSuffix(value, []byte("}"))
	if !ok || !json.Valid(value) { // it ends elsewhere: there are more keys
		return nil, false
	}
	return bytes.TrimSpace(value), true
}

func (out *webhookOutput) setBody(msg *message) error {
	switch {
	case out.JSON != nil:
		msg.body, msg.contentType = out.JSON, jsonType
	case out.Form != nil:
		form, err := texts("form", out.Form)
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

func (out *webhookOutput) setHeaders(msg *message) error {
	headers, err := texts("headers", out.Headers)
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

// texts reads an object of texts. Numbers and booleans become text with the
// digits they have, a list stands for several values, null for an empty text.
// Nothing at all, or null, is no value.
func texts(key string, raw json.RawMessage) (map[string][]string, error) {
	if len(raw) == 0 {
		return nil, nil //nolint:nilnil // an absent mapping is an empty one, and a nil map reads as such
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var fields map[string]any
	if err := decoder.Decode(&fields); err != nil {
		return nil, fmt.Errorf("%s is not a mapping of names to texts", key)
	}
	out := make(map[string][]string, len(fields))
	for name, value := range fields {
		list, isList := value.([]any)
		if !isList {
			list = []any{value}
		}
		for _, item := range list {
			text, ok := scalarText(item)
			if !ok {
				return nil, fmt.Errorf("%s.%s is neither a text nor a list of texts", key, name)
			}
			out[name] = append(out[name], text)
		}
	}
	return out, nil
}

func scalarText(value any) (string, bool) {
	switch x := value.(type) {
	case nil:
		return "", true
	case string:
		return x, true
	case json.Number:
		return x.String(), true
	case bool:
		if x {
			return "true", true
		}
		return "false", true
	}
	return "", false
}
