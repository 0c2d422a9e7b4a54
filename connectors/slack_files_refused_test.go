package connectors_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hookgate/connectors"
	"hookgate/internal/egress"
	"hookgate/test/fakeslack"
)

// sized says of its files how large they are, and holds nothing.
type sized int64

func (s sized) Open(context.Context, string) (io.ReadCloser, connectors.FileInfo, error) {
	return io.NopCloser(strings.NewReader("")), connectors.FileInfo{Size: int64(s)}, nil
}

// failing cannot say whether a file is there.
type failing struct{}

func (failing) Open(context.Context, string) (io.ReadCloser, connectors.FileInfo, error) {
	return nil, connectors.FileInfo{}, errors.New("the disk does not answer")
}

// What cannot be sent is known before anything is posted.
func TestSlackFiles_limits(t *testing.T) {
	t.Parallel()
	slack := fakeslack.New(t)
	many := `{"text":"x","files":[` + strings.TrimSuffix(strings.Repeat(`{"id":"f1"},`, 11), ",") + `]}`
	for _, tc := range []struct {
		files       connectors.Files
		output      string
		outcome     string
		wantMessage string
	}{
		{memoryFiles{}, many, "permanent", "there are 11 files, one message takes 10"},
		{sized(101 << 20), oneFile, "permanent", "the files have more than 100 MB together"},
		{failing{}, oneFile, "transient", `the file "brief.pdf": the disk does not answer`},
		{memoryFiles{}, `{"text":"x","files":"brief.pdf"}`, "permanent", "files holds something that is not a form's file"},
	} {
		_, err := slackSender(t, slack, tc.files, nil).Deliver(t.Context(), delivery(tc.output))
		if outcome(err) != tc.outcome || err.Error() != tc.wantMessage {
			t.Errorf("%.60s: got %s: %v, want %s", tc.output, outcome(err), err, tc.wantMessage)
		}
	}
	hook := mustConnector(t, "slack", ways(slack)["webhook"], testDeps(t))
	if _, err := hook.Deliver(t.Context(), delivery(oneFile)); outcome(err) != "permanent" || !strings.Contains(err.Error(), "need a connection with bot_token") {
		t.Errorf("webhook: got %v", err)
	}
	if n := len(slack.Requests()); n != 0 {
		t.Errorf("%d requests were made", n)
	}
	if _, err := slackSender(t, slack, sized(0), nil).Deliver(t.Context(), delivery(oneFile)); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"api #leads: new lead\nThe file brief.pdf is empty."}, said(slack)); diff != "" {
		t.Error(diff)
	}
}

// The address that Slack's answer names passes the guard, too, and is never
// shown. Without the check of its scheme, files would leave in plain text.
func TestSlackFiles_address(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"https://10.1.2.3/upload/v1/canaryUpload":   "address 10.1.2.3 is private: allow it with outbound.allow_private",
		"http://files.example/upload/canaryUpload":  "the address for the upload that Slack gave is not https",
		"ftp://files.example/canaryUpload":          "the address for the upload that Slack gave: its scheme is neither https nor http",
		"https://a:canaryUpload@files.example/x":    "the address for the upload that Slack gave: it holds a user or password",
		"http://[::1]:1/upload/canaryUpload":        "address ::1 is private: allow it with outbound.allow_private",
		"https://[::ffff:169.254.1.1]/canaryUpload": "address 169.254.1.1 is private: allow it with outbound.allow_private",
	} {
		slack := fakeslack.New(t)
		slack.Script(fakeslack.Answer{Via: "upload-url", Body: `{"ok":true,"file_id":"F1","upload_url":"` + url + `"}`})
		receipt, err := slackSender(t, slack, memoryFiles{"f1": "%PDF-"}, nil).Deliver(t.Context(), delivery(oneFile))
		if outcome(err) != "permanent" || err.Error() != `the message is posted, but not the file "brief.pdf": `+want {
			t.Errorf("%s: got %v", url, err)
		}
		if strings.Contains(want, "address 1") && !errors.Is(err, egress.ErrRefused) {
			t.Errorf("%s: it is not the guard's: %v", url, err)
		}
		if text := fmt.Sprintf("%+v %s", err, receipt.Answer); strings.Contains(text, "canaryUpload") {
			t.Errorf("the address shows: %s", text)
		}
	}
}

// A file that is larger or smaller than it was is no success.
func TestSlackFiles_otherSize(t *testing.T) {
	t.Parallel()
	slack := fakeslack.New(t)
	_, err := slackSender(t, slack, sized(7), nil).Deliver(t.Context(), delivery(oneFile))
	if outcome(err) != "transient" || !strings.HasPrefix(err.Error(), `the message is posted, but not the file "brief.pdf": `) {
		t.Errorf("got %v", err)
	}
}

func TestSlackFiles_check(t *testing.T) {
	t.Parallel()
	kind := mustKind(t, "slack")
	bot, hook := kind.ActionFor(mustParse(t, "bot_token: x\nchannel: '#x'")), kind.ActionFor(mustParse(t, "webhook_url: https://hooks.slack.com/services/x"))
	for text, want := range map[string]string{
		"text: x\nfiles: ${{ data.brief }}":                                 "",
		"text: x\nfiles: [\"${{ data.brief }}\"]":                           "",
		"text: x\nfiles: brief.pdf":                                         `error[wrong-type] config.yaml:2:8: "files" must be files of the form (write ${{ data.brief }}, with the name of the form's file field)`,
		"text: x\nfiles: { name: x }":                                       `error[wrong-type] config.yaml:2:1: "files" must be files of the form (write ${{ data.brief }}, with the name of the form's file field)`,
		"text: x\nfiles: [" + strings.Repeat("'${{ data.a }}', ", 11) + "]": `error[too-long] config.yaml:2:1: a Slack message has at most 10 files here, this has 11`,
	} {
		if got := checkAction(t, bot, text); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
	want := `error[conflict] config.yaml:2:1: "files" is not possible with an incoming webhook (use a connection with bot_token; the bot needs the scope files:write)`
	if got := checkAction(t, hook, "text: x\nfiles: ${{ data.brief }}"); got != want {
		t.Errorf("got %s", got)
	}
}
