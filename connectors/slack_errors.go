package connectors

import (
	"errors"
	"fmt"
	"strings"

	"github.com/slack-go/slack"
)

// apiError is the error for an answer of the Web API that came with status
// 200 but is no success.
func (s *slackConnector) apiError(err error, got *answer) error {
	var said slack.SlackErrorResponse
	if !errors.As(err, &said) {
		// Not Slack's JSON: a proxy or a captive portal stands in between.
		return errors.New("the answer is not Slack's: " + got.describe())
	}
	failure := &slackRefusal{code: said.Err, text: s.secrets.text(slackWords(said))}
	if !transientSlackError(said.Err) {
		return Permanent(failure)
	}
	return RetryAfter(failure, parseRetryAfter(got.header.Get("Retry-After"), s.deps.Now()))
}

// slackRefusal is Slack's own word for why it did not do something.
type slackRefusal struct{ code, text string }

func (r *slackRefusal) Error() string { return r.text }

// slackWords is Slack's error code with what Slack says beside it.
func slackWords(said slack.SlackErrorResponse) string {
	text := "Slack says " + excerpt(said.Err)
	if said.Needed != "" {
		text += fmt.Sprintf(" (the bot needs the scope %s)", excerpt(said.Needed))
	}
	if messages := said.ResponseMetadata.Messages; len(messages) > 0 {
		text += ": " + excerpt(strings.Join(messages, "; "))
	}
	return text
}

// transientSlackError reports whether an error code of chat.postMessage may
// go away by itself (docs.slack.dev, chat.postMessage, "Errors"). After
// internal_error and fatal_error the message may have been posted all the
// same: the promise is at least once.
func transientSlackError(code string) bool {
	switch code {
	case "ratelimited", "rate_limited", "service_unavailable", "request_timeout", "internal_error", "fatal_error",
		"team_added_to_org":
		return true
	}
	return false
}
