package slack_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hookgate/connectors"
	"hookgate/internal/egress"
	"hookgate/internal/event"
	"hookgate/test/connectortest"
	"hookgate/test/fakeslack"
)

const oneFile = `{"text":"new lead","files":[{"id":"f1","name":"brief.pdf","type":"application/pdf","size":5}]}`

func slackSender(t *testing.T, slack *fakeslack.Server, files connectors.Files, memory connectors.Memory) connectors.Connector {
	t.Helper()
	deps := connectortest.Deps(t)
	deps.Files, deps.Memory = files, memory
	return connectortest.MustConnector(t, "slack", ways(slack)["bot"], deps)
}

// said is what was posted, one line each.
func said(slack *fakeslack.Server) []string {
	var lines []string
	for _, m := range slack.Messages() {
		line := m.Via + " " + m.Channel
		if m.ThreadTS != "" {
			line += " in a thread"
		}
		line += ": " + m.Text
		for _, f := range m.Files {
			line += fmt.Sprintf("[%s %s %s]", f.Name, f.Title, f.Content)
		}
		lines = append(lines, line)
	}
	return lines
}

func TestSlackFiles(t *testing.T) {
	t.Parallel()
	files := connectortest.MemoryFiles{"f1": "%PDF-", "f2": "two"}
	for output, want := range map[string][]string{
		oneFile: {"api #leads: new lead", "files C0LEADS: [brief.pdf brief.pdf %PDF-]"},
		`{"text":"x","channel":"#other","files":{"id":"f1","name":"../a/b?.pdf"}}`: {
			"api #other: x", "files C0OTHER: [b_.pdf b_.pdf %PDF-]",
		},
		`{"text":"x","files":[[{"id":"f1","name":"a"},{"id":"f2","name":"b"}],null,"",[]]}`: {
			"api #leads: x", "files C0LEADS: [a a %PDF-][b b two]",
		},
		`{"text":"x","files":[{"id":"f2","name":"b"}],"thread_key":"k"}`: {
			"api #leads: x", "files C0LEADS in a thread: [b b two]",
		},
		`{"text":"x","files":[{"id":"f2","name":"b"}],"update":"k"}`: {
			"api #leads: x", "files C0LEADS in a thread: [b b two]",
		},
		`{"text":"x","files":[{"id":"f2","name":"b"}],"thread_ts":"1.2"}`: {
			"api #leads in a thread: x", "files C0LEADS in a thread: [b b two]",
		},
		`{"text":"x","files":[{"id":"gone","name":"<a>.pdf"},{"id":"f2","name":"b"}]}`: {
			"api #leads: x\nThe file _a_.pdf is no longer stored.", "files C0LEADS: [b b two]",
		},
		`{"text":"x","files":[{"id":"gone","name":"a & b"}]}`: {"api #leads: x\nThe file a &amp; b is no longer stored."},
		`{"text":"x","files":[]}`:                             {"api #leads: x"},
		`{"text":"x","files":null}`:                           {"api #leads: x"},
	} {
		slack := fakeslack.New(t)
		receipt, err := slackSender(t, slack, files, nil).Deliver(t.Context(), connectortest.Delivery(output))
		if err != nil || receipt.Status != http.StatusOK || receipt.Outputs["id"].String() != slack.Messages()[0].TS {
			t.Errorf("%s: got %d, %v, %v", output, receipt.Status, receipt.Outputs, err)
		}
		if diff := cmp.Diff(want, said(slack)); diff != "" {
			t.Errorf("%s: %s", output, diff)
		}
	}
}

// A later message of a key has its files in the same thread, and each upload
// is a request without a token.
func TestSlackFiles_thread(t *testing.T) {
	t.Parallel()
	slack := fakeslack.New(t)
	c := slackSender(t, slack, connectortest.MemoryFiles{"f1": "%PDF-"}, nil)
	for n := range 2 {
		d := connectortest.Delivery(`{"text":"x","thread_key":"k","files":{"id":"f1","name":"a"}}`)
		d.ID += event.DeliveryID(n)
		if _, err := c.Deliver(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	all := slack.Messages()
	if len(all) != 4 {
		t.Fatalf("got %q", said(slack))
	}
	for _, m := range all[1:] {
		if m.ThreadTS != all[0].TS {
			t.Errorf("%s went to %q, the first message is %s", m.Via, m.ThreadTS, all[0].TS)
		}
	}
	for _, m := range slack.Requests() {
		if text := fmt.Sprint(m.Header); m.Via == "upload" && (strings.Contains(text, "xoxb") || !strings.Contains(text, "hookgate/1.2.3")) {
			t.Errorf("the upload's headers: %s", text)
		}
	}
}

// Whichever step fails, the message is posted once, also by a process that
// starts anew, and the files arrive once. Without what is remembered of the
// delivery the second attempt would post it again.
func TestSlackFiles_retry(t *testing.T) {
	t.Parallel()
	whole := []string{"api #leads: new lead", "files C0LEADS: [brief.pdf brief.pdf %PDF-]"}
	for _, tc := range []struct {
		answer           fakeslack.Answer
		outcome, message string
		after            time.Duration
	}{
		{
			fakeslack.Answer{Via: "upload-url", Body: `{"ok":false,"error":"missing_scope","needed":"files:write"}`},
			"permanent",
			`the message is posted, but not the file "brief.pdf": Slack says missing_scope (the bot needs the scope files:write)`, 0,
		},
		{
			fakeslack.Answer{Via: "upload-url", Status: 429, Header: http.Header{"Retry-After": {"30"}}},
			"transient",
			`the message is posted, but not the file "brief.pdf": 429 Too Many Requests`, 30 * time.Second,
		},
		{fakeslack.Answer{Via: "upload-url", Reset: true}, "transient", `the message is posted, but not the file "brief.pdf": connection reset`, 0},
		{fakeslack.Answer{Via: "upload", Status: 500, Body: "try later"}, "transient", `the message is posted, but not the file "brief.pdf": 500 Internal Server Error: try later`, 0},
		{fakeslack.Answer{Via: "upload", Status: 413}, "permanent", `the message is posted, but not the file "brief.pdf": 413 Request Entity Too Large`, 0},
		{
			fakeslack.Answer{Via: "files", Body: `{"ok":false,"error":"internal_error"}`},
			"transient",
			"the message is posted, but not the files: Slack says internal_error", 0,
		},
		{
			fakeslack.Answer{Via: "files", Body: `{"ok":false,"error":"file_uploads_disabled"}`},
			"permanent",
			"the message is posted, but not the files: Slack says file_uploads_disabled", 0,
		},
	} {
		slack, memory := fakeslack.New(t), connectors.NewMemory()
		slack.Script(tc.answer)
		files := connectortest.MemoryFiles{"f1": "%PDF-"}
		receipt, err := slackSender(t, slack, files, memory).Deliver(t.Context(), connectortest.Delivery(oneFile))
		if connectortest.Outcome(err) != tc.outcome || err.Error() != tc.message || connectortest.WaitOf(err) != tc.after || strings.Contains(string(receipt.Answer), "canaryUpload") {
			t.Errorf("got %s after %s, %q: %v, want %s", connectortest.Outcome(err), connectortest.WaitOf(err), receipt.Answer, err, tc.message)
		}
		c := slackSender(t, slack, files, memory)
		if _, err := c.Deliver(t.Context(), connectortest.Delivery(oneFile)); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(whole, said(slack)); diff != "" {
			t.Errorf("%s: %s", tc.message, diff)
		}
		// So does an attempt that is made because the result was lost in a crash.
		if _, err := c.Deliver(t.Context(), connectortest.Delivery(oneFile)); err != nil || len(slack.Messages()) != 2 {
			t.Errorf("again: %v, %q", err, said(slack))
		}
	}
}

// A message that is not posted leaves nothing behind: the next attempt posts it.
func TestSlackFiles_notPosted(t *testing.T) {
	t.Parallel()
	slack, memory := fakeslack.New(t), connectors.NewMemory()
	slack.Script(fakeslack.Answer{Via: "api", Body: `{"ok":false,"error":"service_unavailable"}`})
	c := slackSender(t, slack, connectortest.MemoryFiles{"f1": "%PDF-"}, memory)
	if _, err := c.Deliver(t.Context(), connectortest.Delivery(oneFile)); connectortest.Outcome(err) != "transient" || err.Error() != "Slack says service_unavailable" {
		t.Errorf("got %v", err)
	}
	if _, err := c.Deliver(t.Context(), connectortest.Delivery(oneFile)); err != nil || len(slack.Messages()) != 2 {
		t.Errorf("got %v, %q", err, said(slack))
	}
}

// A file that goes between two attempts is named in the message that is posted.
func TestSlackFiles_goneLater(t *testing.T) {
	t.Parallel()
	slack, memory := fakeslack.New(t), connectors.NewMemory()
	slack.Script(fakeslack.Answer{Via: "upload", Status: 503})
	if _, err := slackSender(t, slack, connectortest.MemoryFiles{"f1": "%PDF-"}, memory).Deliver(t.Context(), connectortest.Delivery(oneFile)); connectortest.Outcome(err) != "transient" {
		t.Errorf("got %v", err)
	}
	if _, err := slackSender(t, slack, connectortest.MemoryFiles{}, memory).Deliver(t.Context(), connectortest.Delivery(oneFile)); err != nil {
		t.Error(err)
	}
	want := []string{"api #leads: new lead", "update C0LEADS: new lead\nThe file brief.pdf is no longer stored."}
	if diff := cmp.Diff(want, said(slack)); diff != "" {
		t.Error(diff)
	}
}

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
		{connectortest.MemoryFiles{}, many, "permanent", "there are 11 files, one message takes 10"},
		{sized(101 << 20), oneFile, "permanent", "the files have more than 100 MB together"},
		{failing{}, oneFile, "transient", `the file "brief.pdf": the disk does not answer`},
		{connectortest.MemoryFiles{}, `{"text":"x","files":"brief.pdf"}`, "permanent", "files holds something that is not a form's file"},
	} {
		_, err := slackSender(t, slack, tc.files, nil).Deliver(t.Context(), connectortest.Delivery(tc.output))
		if connectortest.Outcome(err) != tc.outcome || err.Error() != tc.wantMessage {
			t.Errorf("%.60s: got %s: %v, want %s", tc.output, connectortest.Outcome(err), err, tc.wantMessage)
		}
	}
	hook := connectortest.MustConnector(t, "slack", ways(slack)["webhook"], connectortest.Deps(t))
	if _, err := hook.Deliver(t.Context(), connectortest.Delivery(oneFile)); connectortest.Outcome(err) != "permanent" || !strings.Contains(err.Error(), "need a connection with bot_token") {
		t.Errorf("webhook: got %v", err)
	}
	if n := len(slack.Requests()); n != 0 {
		t.Errorf("%d requests were made", n)
	}
	if _, err := slackSender(t, slack, sized(0), nil).Deliver(t.Context(), connectortest.Delivery(oneFile)); err != nil {
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
		receipt, err := slackSender(t, slack, connectortest.MemoryFiles{"f1": "%PDF-"}, nil).Deliver(t.Context(), connectortest.Delivery(oneFile))
		if connectortest.Outcome(err) != "permanent" || err.Error() != `the message is posted, but not the file "brief.pdf": `+want {
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
	_, err := slackSender(t, slack, sized(7), nil).Deliver(t.Context(), connectortest.Delivery(oneFile))
	if connectortest.Outcome(err) != "transient" || !strings.HasPrefix(err.Error(), `the message is posted, but not the file "brief.pdf": `) {
		t.Errorf("got %v", err)
	}
}

func TestSlackFiles_check(t *testing.T) {
	t.Parallel()
	kind := connectortest.MustKind(t, "slack")
	bot, hook := kind.ActionFor(connectortest.MustParse(t, "bot_token: x\nchannel: '#x'")), kind.ActionFor(connectortest.MustParse(t, "webhook_url: https://hooks.slack.com/services/x"))
	for text, want := range map[string]string{
		"text: x\nfiles: ${{ data.brief }}":                                 "",
		"text: x\nfiles: [\"${{ data.brief }}\"]":                           "",
		"text: x\nfiles: brief.pdf":                                         `error[wrong-type] config.yaml:2:8: "files" must be files of the form (write ${{ data.brief }}, with the name of the form's file field)`,
		"text: x\nfiles: { name: x }":                                       `error[wrong-type] config.yaml:2:1: "files" must be files of the form (write ${{ data.brief }}, with the name of the form's file field)`,
		"text: x\nfiles: [" + strings.Repeat("'${{ data.a }}', ", 11) + "]": `error[too-long] config.yaml:2:1: a Slack message has at most 10 files here, this has 11`,
	} {
		if got := connectortest.CheckAction(t, bot, text); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
	want := `error[conflict] config.yaml:2:1: "files" is not possible with an incoming webhook (use a connection with bot_token; the bot needs the scope files:write)`
	if got := connectortest.CheckAction(t, hook, "text: x\nfiles: ${{ data.brief }}"); got != want {
		t.Errorf("got %s", got)
	}
}
