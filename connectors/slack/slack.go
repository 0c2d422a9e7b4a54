// Package slack posts messages to Slack, by an incoming webhook or as a bot.
package slack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"

	"github.com/slack-go/slack"

	"hookgate/connectors"
	"hookgate/internal/diag"
	"hookgate/internal/egress"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
)

// Kind is the kind of connection that this package makes.
func Kind() connectors.Kind {
	k := connectors.Kind{
		Name:     "slack",
		Doc:      "A message to a Slack channel, by an incoming webhook or as a bot.",
		Action:   newAction(),
		Settings: connectors.SettingsOf[settingsYAML](),
		Narrow:   narrow,
		New:      newConnector,
	}
	k.Example = connectors.ExampleOf(&k, "webhook_url: ${SLACK_WEBHOOK_URL}", "text: New lead from ${{ data.name }}")
	return k
}

// connector posts messages. With a bot token it calls chat.postMessage,
// else it posts to an incoming webhook.
type connector struct {
	settings  settings
	secrets   *connectors.Redactor
	transport http.RoundTripper
	deps      connectors.Deps
	keys      keyLocks
	people    people
}

func newConnector(n yamlnode.Node, deps connectors.Deps) (connectors.Connector, diag.List) {
	settings, list := readSettings(n, deps)
	if list.Err() != nil {
		return nil, list
	}
	deps = deps.WithDefaults()
	return &connector{
		settings: settings, deps: deps, transport: deps.Egress.RoundTripper(),
		secrets: connectors.NewRedactor(settings.secrets()...),
	}, list
}

// Deliver posts one message. Slack has no key for idempotent requests: an
// attempt of which the answer was lost may have posted.
func (s *connector) Deliver(parent context.Context, d event.Delivery) (event.Receipt, error) {
	msg, err := s.message(d)
	if err != nil {
		return event.Receipt{}, connectors.Permanent(err)
	}
	ctx, cancel := context.WithTimeout(parent, s.deps.Timeout)
	defer cancel()
	if len(msg.files) > 0 {
		return s.deliverFiles(parent, ctx, d.ID, msg)
	}
	return s.say(parent, ctx, msg, nil)
}

// say posts msg or puts it in the place of an earlier one, and says in at where
// it is, if that is asked for and known.
func (s *connector) say(parent, ctx context.Context, msg *message, at *posted) (event.Receipt, error) {
	if receipt, err := s.mention(parent, ctx, msg); err != nil {
		return receipt, err
	}
	if at == nil {
		at = &posted{}
	}
	if msg.ThreadKey != "" || msg.Update != "" {
		return s.deliverKeyed(parent, ctx, msg, at)
	}
	return s.post(parent, ctx, msg, at)
}

// apiCall is one request to Slack. slack-go drops the body of 4xx answers,
// which holds Slack's own words, and its errors hold the URL: what passed is
// judged, not its errors.
type apiCall struct {
	seen   *capture
	client *http.Client
	api    *slack.Client // with a bot token only
}

func (s *connector) newCall() *apiCall {
	c := &apiCall{seen: &capture{next: s.transport, secrets: s.secrets, userAgent: s.deps.UserAgent(), needsBody: true}}
	c.client = &http.Client{Transport: c.seen, CheckRedirect: egress.NoRedirect}
	if s.settings.bot() {
		c.api = slack.New(s.settings.token, slack.OptionHTTPClient(c.client), slack.OptionAPIURL(s.settings.api))
	}
	return c
}

// judge says what becomes of a request that slack-go ended with err.
func (s *connector) judge(parent, ctx context.Context, call *apiCall, err error) (event.Receipt, error) {
	seen := call.seen
	switch {
	case seen.failed != nil:
		err = connectors.AttemptError(parent, ctx, seen.failed, s.deps.Timeout)
	case seen.got.Status == 0:
		err = connectors.Permanent(errors.New("the message could not be built"))
	case !s.settings.bot() && seen.got.Status/100 == 2:
		err = webhookError(&seen.got)
	case seen.got.Status != http.StatusOK:
		err = seen.got.Failure(s.deps.Now())
	case err != nil:
		err = s.apiError(err, &seen.got)
	}
	return seen.got.Receipt(), err
}

// webhookWord is how an incoming webhook names an error.
var webhookWord = regexp.MustCompile(`^[a-z]+(_[a-z]+)+$`)

// webhookError judges an answer of an incoming webhook with a status of
// success: Slack then says ok, receivers that are compatible with it say so in
// JSON, and whoever says something else has not posted the message.
func webhookError(got *connectors.Answer) error {
	text := strings.TrimSpace(string(got.Body))
	if strings.EqualFold(text, "ok") {
		return nil
	}
	var said struct {
		OK, Success bool
	}
	switch {
	case json.Unmarshal(got.Body, &said) == nil && (said.OK || said.Success):
		return nil
	case webhookWord.MatchString(text):
		return connectors.Permanent(errors.New("Slack says " + connectors.Excerpt(text)))
	}
	return errors.New("the answer is not Slack's: " + got.Describe())
}

// post posts msg, and says in at where it is, if that is known.
func (s *connector) post(parent, ctx context.Context, msg *message, at *posted) (event.Receipt, error) {
	call := s.newCall()
	if !s.settings.bot() {
		return s.judge(parent, ctx, call, s.postToWebhook(ctx, call.client, msg))
	}
	channel, ts, err := call.api.PostMessageContext(ctx, msg.Channel, msg.options()...)
	*at = posted{Channel: channel, TS: ts}
	receipt, err := s.judge(parent, ctx, call, err)
	if err == nil {
		receipt.Outputs = event.TextOutputs(s.secrets.Texts(posted{Channel: channel, TS: ts}.outputs()))
	}
	return receipt, err
}

func (s *connector) postToWebhook(ctx context.Context, client *http.Client, msg *message) error {
	post := &slack.WebhookMessage{
		Text: msg.Text, ThreadTimestamp: msg.ThreadTS, Username: msg.Username, IconEmoji: msg.IconEmoji,
	}
	if len(msg.blocks) > 0 {
		post.Blocks = &slack.Blocks{BlockSet: msg.blocks}
	}
	return slack.PostWebhookCustomHTTPContext(ctx, s.settings.webhook.String(), client, post)
}

// options are the message as slack-go takes it.
func (m *message) options() []slack.MsgOption {
	options := []slack.MsgOption{slack.MsgOptionText(m.Text, false)}
	if len(m.blocks) > 0 {
		options = append(options, slack.MsgOptionBlocks(m.blocks...))
	}
	if m.ThreadTS != "" {
		options = append(options, slack.MsgOptionTS(m.ThreadTS))
	}
	if m.Username != "" {
		options = append(options, slack.MsgOptionUsername(m.Username))
	}
	if m.IconEmoji != "" {
		options = append(options, slack.MsgOptionIconEmoji(m.IconEmoji))
	}
	return options
}

// capture is a transport for one request. It keeps the limited and redacted
// answer, and hands the caller that answer's whole text.
type capture struct {
	next      http.RoundTripper
	secrets   *connectors.Redactor
	userAgent string
	needsBody bool // a success is in the body, not in the status

	got    connectors.Answer
	failed error // what there was instead of a whole answer
}

// RoundTrip implements http.RoundTripper.
func (c *capture) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.Header.Set("User-Agent", c.userAgent)
	line := connectors.RequestLine(req.Method, req.URL, c.secrets)
	resp, err := c.next.RoundTrip(req)
	if err != nil {
		c.got, c.failed = connectors.NoAnswer(line), err
		return nil, err
	}
	limit := connectors.MaxAnswer
	if c.needsBody {
		limit = connectors.MaxReadAnswer
	}
	got, err := connectors.ReadAnswer(line, resp, c.secrets, limit)
	_ = resp.Body.Close()
	c.got = got
	if err != nil && c.needsBody && got.Status == http.StatusOK {
		c.failed = err
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(got.Body))
	resp.Header = resp.Header.Clone()
	resp.Header.Del("Retry-After") // slack-go fails on a date in it; what was kept still has it
	return resp, nil
}

// apiError is the error for an answer of the Web API that came with status
// 200 but is no success.
func (s *connector) apiError(err error, got *connectors.Answer) error {
	var said slack.SlackErrorResponse
	if !errors.As(err, &said) {
		// Not Slack's JSON: a proxy or a captive portal stands in between.
		return errors.New("the answer is not Slack's: " + got.Describe())
	}
	failure := &refusal{code: said.Err, text: s.secrets.Text(words(said))}
	if !transient(said.Err) {
		return connectors.Permanent(failure)
	}
	return connectors.RetryAfter(failure, connectors.ParseRetryAfter(got.Header.Get("Retry-After"), s.deps.Now()))
}

// refusal is Slack's own word for why it did not do something.
type refusal struct{ code, text string }

func (r *refusal) Error() string { return r.text }

// words is Slack's error code with what Slack says beside it.
func words(said slack.SlackErrorResponse) string {
	text := "Slack says " + connectors.Excerpt(said.Err)
	if said.Needed != "" {
		text += fmt.Sprintf(" (the bot needs the scope %s)", connectors.Excerpt(said.Needed))
	}
	if messages := said.ResponseMetadata.Messages; len(messages) > 0 {
		text += ": " + connectors.Excerpt(strings.Join(messages, "; "))
	}
	return text
}

// transient reports whether an error code of chat.postMessage may
// go away by itself (docs.slack.dev, chat.postMessage, "Errors"). After
// internal_error and fatal_error the message may have been posted all the
// same: the promise is at least once.
func transient(code string) bool {
	switch code {
	case "ratelimited", "rate_limited", "service_unavailable", "request_timeout", "internal_error", "fatal_error",
		"team_added_to_org":
		return true
	}
	return false
}

// TestInfo implements Tester: a bot asks, an incoming webhook can only post.
func (s *connector) TestInfo() connectors.TestInfo {
	if s.settings.bot() {
		return connectors.TestInfo{What: "asks Slack whom the token belongs to (auth.test)"}
	}
	return connectors.TestInfo{What: "posts a message that says that it is a test", Message: true}
}

// Test implements Tester.
func (s *connector) Test(parent context.Context, id event.DeliveryID) (connectors.TestResult, error) {
	if !s.settings.bot() {
		output, err := json.Marshal(map[string]string{"text": "This is a test of hookgate's connection to Slack. Nothing has happened."})
		if err != nil {
			return connectors.TestResult{}, fmt.Errorf("encode the test: %w", err)
		}
		receipt, err := s.Deliver(parent, event.Delivery{ID: id, Output: output})
		return connectors.TestResult{Receipt: receipt}, err
	}
	ctx, cancel := context.WithTimeout(parent, s.deps.Timeout)
	defer cancel()
	seen := &capture{next: s.transport, secrets: s.secrets, userAgent: s.deps.UserAgent(), needsBody: true}
	client := &http.Client{Transport: seen, CheckRedirect: egress.NoRedirect}
	api := slack.New(s.settings.token, slack.OptionHTTPClient(client), slack.OptionAPIURL(s.settings.api))
	answer, err := api.AuthTestContext(ctx)
	switch {
	case seen.failed != nil:
		err = connectors.AttemptError(parent, ctx, seen.failed, s.deps.Timeout)
	case seen.got.Status != http.StatusOK:
		err = seen.got.Failure(s.deps.Now())
	case err != nil:
		err = s.apiError(err, &seen.got)
	}
	tried := connectors.TestResult{Receipt: seen.got.Receipt()}
	if err == nil {
		tried.Said = s.secrets.Text(fmt.Sprintf("the token is that of %s in %s", answer.User, answer.Team))
	}
	return tried, err
}
