package connectors

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/slack-go/slack"

	"hookgate/internal/egress"
	"hookgate/internal/event"
)

// Trial implements Tester: a bot asks, an incoming webhook can only post.
func (s *slackConnector) Trial() Trial {
	if s.settings.bot() {
		return Trial{What: "asks Slack whom the token belongs to (auth.test)"}
	}
	return Trial{What: "posts a message that says that it is a test", Message: true}
}

// Try implements Tester.
func (s *slackConnector) Try(parent context.Context, id event.DeliveryID) (Tried, error) {
	if !s.settings.bot() {
		output, err := json.Marshal(map[string]string{"text": "This is a test of hookgate's connection to Slack. Nothing has happened."})
		if err != nil {
			return Tried{}, fmt.Errorf("encode the test: %w", err)
		}
		receipt, err := s.Deliver(parent, event.Delivery{ID: id, Output: output})
		return Tried{Receipt: receipt}, err
	}
	ctx, cancel := context.WithTimeout(parent, s.deps.Timeout)
	defer cancel()
	seen := &capture{next: s.transport, secrets: s.secrets, userAgent: s.deps.userAgent(), needsBody: true}
	client := &http.Client{Transport: seen, CheckRedirect: egress.NoRedirect}
	api := slack.New(s.settings.token, slack.OptionHTTPClient(client), slack.OptionAPIURL(s.settings.api))
	answer, err := api.AuthTestContext(ctx)
	switch {
	case seen.failed != nil:
		err = attemptError(parent, ctx, seen.failed, s.deps.Timeout)
	case seen.got.status != http.StatusOK:
		err = seen.got.failure(s.deps.Now())
	case err != nil:
		err = s.apiError(err, &seen.got)
	}
	tried := Tried{Receipt: seen.got.receipt()}
	if err == nil {
		tried.Said = s.secrets.text(fmt.Sprintf("the token is that of %s in %s", answer.User, answer.Team))
	}
	return tried, err
}
