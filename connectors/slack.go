package connectors

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/slack-go/slack"

	"hookgate/app/diag"
	"hookgate/app/egress"
	"hookgate/app/event"
	"hookgate/app/yamlpos"
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
}

func newSlack(n yamlpos.Node, deps Deps) (Connector, diag.List) {
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
	// slack-go drops the body of 4xx answers, which holds Slack's own words,
	// and its errors hold the URL: judge by what passed, not by its errors.
	seen := &capture{next: s.transport, secrets: s.secrets, userAgent: s.deps.userAgent(), needsBody: s.settings.bot()}
	client := &http.Client{Transport: seen, CheckRedirect: egress.NoRedirect}
	if s.settings.bot() {
		err = s.postAsBot(ctx, client, msg)
	} else {
		err = s.postToWebhook(ctx, client, msg)
	}
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

func (s *slackConnector) postToWebhook(ctx context.Context, client *http.Client, msg *slackMessage) error {
	post := &slack.WebhookMessage{
		Text: msg.Text, ThreadTimestamp: msg.ThreadTS, Username: msg.Username, IconEmoji: msg.IconEmoji,
	}
	if len(msg.blocks) > 0 {
		post.Blocks = &slack.Blocks{BlockSet: msg.blocks}
	}
	return slack.PostWebhookCustomHTTPContext(ctx, s.settings.webhook.String(), client, post)
}

func (s *slackConnector) postAsBot(ctx context.Context, client *http.Client, msg *slackMessage) error {
	api := slack.New(s.settings.token, slack.OptionHTTPClient(client), slack.OptionAPIURL(s.settings.api))
	options := []slack.MsgOption{slack.MsgOptionText(msg.Text, false)}
	if len(msg.blocks) > 0 {
		options = append(options, slack.MsgOptionBlocks(msg.blocks...))
	}
	if msg.ThreadTS != "" {
		options = append(options, slack.MsgOptionTS(msg.ThreadTS))
	}
	if msg.Username != "" {
		options = append(options, slack.MsgOptionUsername(msg.Username))
	}
	if msg.IconEmoji != "" {
		options = append(options, slack.MsgOptionIconEmoji(msg.IconEmoji))
	}
	_, _, err := api.PostMessageContext(ctx, msg.Channel, options...)
	return err
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
