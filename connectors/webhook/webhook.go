// Package webhook makes HTTP requests to any URL, signed as Standard Webhooks
// describes where a secret is set.
package webhook

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"hookgate/connectors"
	"hookgate/connectors/oauth"
	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
)

// Kind is the kind of connection that this package makes.
func Kind() connectors.Kind {
	k := connectors.Kind{
		Name:     "webhook",
		Doc:      "An HTTP request to any URL, signed as Standard Webhooks describes where a secret is set.",
		Action:   newAction(),
		Settings: connectors.SettingsOf[settingsYAML](),
		Narrow:   narrow,
		New:      newConnector,
	}
	k.Example = connectors.ExampleOf(&k, "", "json: { id: \"${{ data.id }}\", name: \"${{ data.name }}\" }")
	return k
}

// connector sends HTTP requests to one URL.
type connector struct {
	settings  settings
	blank     *http.Request // what all requests have in common; never changed
	secrets   *connectors.Redactor
	blankLine string // of blank, as it is kept
	transport http.RoundTripper
	deps      connectors.Deps
	tokens    *oauth.Source // nil: the login needs none
	outputs   *sync.Map     // the compiled outputs of actions, by their text
}

func newConnector(n yamlnode.Node, deps connectors.Deps) (connectors.Connector, diag.List) {
	settings, list := readSettings(n, deps)
	if list.Err() != nil {
		return nil, list
	}
	deps = deps.WithDefaults()
	w := &connector{settings: settings, outputs: &sync.Map{}, deps: deps, transport: deps.Egress.RoundTripper()}
	if settings.tls != nil {
		w.transport = deps.Egress.RoundTripperTLS(settings.tls)
	}
	if settings.oauth != nil {
		w.tokens = oauth.New(*settings.oauth, deps.Egress.RoundTripper(), deps.Now)
	}
	w.blank = settings.blankRequest(deps.UserAgent())
	w.secrets = connectors.NewRedactor(settings.secrets()...)
	w.blankLine = connectors.RequestLine(w.blank.Method, w.blank.URL, w.secrets)
	return w, list
}

// Deliver makes one request. Its body, and so its signature, is the same at
// every attempt but for webhook-timestamp, which is the attempt's own.
func (w *connector) Deliver(parent context.Context, d event.Delivery) (event.Receipt, error) {
	msg, err := w.message(d.Output)
	if err == nil && w.settings.format == cloudEvents {
		typ, source := typeAndSource(d.Output)
		err = msg.envelope(&d, typ, source)
	}
	if err != nil {
		return event.Receipt{}, connectors.Permanent(err)
	}
	ctx, cancel := context.WithTimeout(parent, w.deps.Timeout)
	defer cancel()
	resp, secrets, err := w.exchange(ctx, d.ID.String(), &msg)
	if err != nil {
		var none connectors.Answer
		if secrets != nil { // else it was not even sent
			none = connectors.NoAnswer(w.line(&msg, secrets))
		}
		return none.Receipt(), w.exchangeError(parent, ctx, err)
	}
	defer func() { _ = resp.Body.Close() }()
	// The status is the receiver's word. A body that breaks off or never ends
	// after it changes nothing, it is only kept as far as it came.
	got, broken := connectors.ReadAnswer(w.line(&msg, secrets), resp, secrets, w.limit(msg.outputs))
	receipt := got.Receipt()
	ok, outputs, err := w.judge(&got, msg.outputs, broken != nil, secrets)
	receipt.Outputs = outputs
	switch {
	case ok || err != nil:
		return receipt, err
	case broken != nil && w.settings.condition != nil && got.Status/100 == 2:
		return receipt, connectors.AttemptError(parent, ctx, broken, w.deps.Timeout) // what was to be judged is not whole
	}
	return receipt, got.Failure(w.deps.Now())
}

// Judge implements connectors.Judge.
func (w *connector) Judge(d event.Delivery, a connectors.Answer) (event.Receipt, error) {
	msg, err := w.message(d.Output)
	if err != nil {
		return event.Receipt{}, connectors.Permanent(err)
	}
	receipt := a.Receipt()
	ok, outputs, err := w.judge(&a, msg.outputs, false, w.secrets)
	receipt.Outputs = outputs
	if ok || err != nil {
		return receipt, err
	}
	return receipt, a.Failure(w.deps.Now())
}

// statuses are those that count as success.
type statuses []statusRange

type statusRange struct{ from, to int }

func (s statuses) has(status int) bool {
	for _, r := range s {
		if status >= r.from && status <= r.to {
			return true
		}
	}
	return false
}

// parseStatus reads 204, 200-299 or 2xx.
func parseStatus(text string) (statusRange, error) {
	text = strings.ToLower(strings.TrimSpace(text))
	from, to, isRange := strings.Cut(text, "-")
	if family, found := strings.CutSuffix(text, "xx"); found && len(family) == 1 {
		from, to = family+"00", family+"99"
	} else if !isRange {
		to = from
	}
	low, err1 := strconv.Atoi(strings.TrimSpace(from))
	high, err2 := strconv.Atoi(strings.TrimSpace(to))
	if err1 != nil || err2 != nil || low < 200 || high > 599 || low > high {
		return statusRange{}, fmt.Errorf("%q is no status: write 204, 200-299 or 2xx", text)
	}
	return statusRange{low, high}, nil
}

// TestInfo implements Tester.
func (w *connector) TestInfo() connectors.TestInfo {
	return connectors.TestInfo{
		What:    "sends a " + w.settings.method + ` request with the JSON body {"hookgate_test": true, …}`,
		Message: true,
	}
}

// Test sends a request that says that it is a test, with all that requests of
// this connection carry.
func (w *connector) Test(ctx context.Context, id event.DeliveryID) (connectors.TestResult, error) {
	output, err := json.Marshal(map[string]any{"json": map[string]any{
		"hookgate_test": true, "message": "This is a test of the connection. Nothing has happened.",
	}})
	if err != nil {
		return connectors.TestResult{}, fmt.Errorf("encode the test: %w", err)
	}
	receipt, err := w.Deliver(ctx, event.Delivery{ID: id, Output: output})
	return connectors.TestResult{Receipt: receipt}, err
}
