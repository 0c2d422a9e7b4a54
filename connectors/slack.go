package connectors

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/slack-go/slack"

	"hookgate/internal/diag"
	"hookgate/internal/egress"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
)

func slackKind() Kind {
	return Kind{
		Name:     "slack",
		Doc:      "A message to a Slack channel, by an incoming webhook or as a bot.",
		Action:   slackAction(),
		Settings: settingsOf[slackYAML](),
		Narrow:   narrowSlackAction,
		New:      newSlack,
	}
}

// slackConnector posts messages. With a bot token it calls chat.postMessage,
// else it posts to an incoming webhook.
type slackConnector struct {
	settings  slackSettings
	secrets   *redactor
	transport http.RoundTripper
	deps      Deps
	keys      keyLocks
	people    people
}

func newSlack(n yamlnode.Node, deps Deps) (Connector, diag.List) {
	settings, list := readSlackSettings(n, deps)
	if list.Err() != nil {
		return nil, list
	}
	deps = deps.withDefaults()
	return &slackConnector{
		settings: settings, deps: deps, transport: deps.Egress.RoundTripper(),
		secrets: newRedactor(settings.secrets()...),
	}, list
}

// Deliver posts one message. Slack has no key for idempotent requests: an
// attempt of which the answer was lost may have posted.
func (s *slackConnector) Deliver(parent context.Context, d event.Delivery) (event.Receipt, error) {
	msg, err := s.message(d)
	if err != nil {
		return event.Receipt{}, Permanent(err)
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
func (s *slackConnector) say(parent, ctx context.Context, msg *slackMessage, at *posted) (event.Receipt, error) {
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

// slackCall is one request to Slack. slack-go drops the body of 4xx answers,
// which holds Slack's own words, and its errors hold the URL: what passed is
// judged, not its errors.
type slackCall struct {
	seen   *capture
	client *http.Client
	api    *slack.Client // with a bot token only
}

func (s *slackConnector) newCall() *slackCall {
	c := &slackCall{seen: &capture{next: s.transport, secrets: s.secrets, userAgent: s.deps.userAgent(), needsBody: s.settings.bot()}}
	c.client = &http.Client{Transport: c.seen, CheckRedirect: egress.NoRedirect}
	if s.settings.bot() {
		c.api = slack.New(s.settings.token, slack.OptionHTTPClient(c.client), slack.OptionAPIURL(s.settings.api))
	}
	return c
}

// judge says what becomes of a request that slack-go ended with err.
func (s *slackConnector) judge(parent, ctx context.Context, call *slackCall, err error) (event.Receipt, error) {
	seen := call.seen
	switch {
	case seen.failed != nil:
		err = attemptError(parent, ctx, seen.failed, s.deps.Timeout)
	case seen.got.status == 0:
		err = Permanent(errors.New("the message could not be built"))
	case !s.settings.bot() && seen.got.status/100 == 2:
		err = nil
	case seen.got.status != http.StatusOK:
		err = seen.got.failure(s.deps.Now())
	case err != nil:
		err = s.apiError(err, &seen.got)
	}
	return seen.got.receipt(), err
}

// post posts msg, and says in at where it is, if that is known.
func (s *slackConnector) post(parent, ctx context.Context, msg *slackMessage, at *posted) (event.Receipt, error) {
	call := s.newCall()
	if !s.settings.bot() {
		return s.judge(parent, ctx, call, s.postToWebhook(ctx, call.client, msg))
	}
	channel, ts, err := call.api.PostMessageContext(ctx, msg.Channel, msg.options()...)
	*at = posted{Channel: channel, TS: ts}
	receipt, err := s.judge(parent, ctx, call, err)
	if err == nil {
		receipt.Outputs = s.secrets.texts(posted{Channel: channel, TS: ts}.outputs())
	}
	return receipt, err
}

func (s *slackConnector) postToWebhook(ctx context.Context, client *http.Client, msg *slackMessage) error {
	post := &slack.WebhookMessage{
		Text: msg.Text, ThreadTimestamp: msg.ThreadTS, Username: msg.Username, IconEmoji: msg.IconEmoji,
	}
	if len(msg.blocks) > 0 {
		post.Blocks = &slack.Blocks{BlockSet: msg.blocks}
	}
	return slack.PostWebhookCustomHTTPContext(ctx, s.settings.webhook.String(), client, post)
}

// options are the message as slack-go takes it.
func (m *slackMessage) options() []slack.MsgOption {
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
	secrets   *redactor
	userAgent string
	needsBody bool // a success is in the body, not in the status

	got    answer
	failed error // what there was instead of a whole answer
}

// RoundTrip implements http.RoundTripper.
func (c *capture) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.Header.Set("User-Agent", c.userAgent)
	resp, err := c.next.RoundTrip(req)
	if err != nil {
		c.failed = err
		return nil, err
	}
	limit := maxAnswer
	if c.needsBody {
		limit = maxSpokenAnswer
	}
	got, err := readAnswer(resp, c.secrets, limit)
	_ = resp.Body.Close()
	c.got = got
	if err != nil && c.needsBody && got.status == http.StatusOK {
		c.failed = err
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(got.body))
	resp.Header = resp.Header.Clone()
	resp.Header.Del("Retry-After") // slack-go fails on a date in it; what was kept still has it
	return resp, nil
}
