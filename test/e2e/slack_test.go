package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"hookgate/test/fakeslack"
	"hookgate/test/lab"
)

// twice routes every event to Slack's incoming webhook and to a plain one.
func twice(slack, other string) string {
	return `
sources:
  in: { type: webhook, token: e2e-webhook-token-0123456789, dedupe: off }
connections:
  slack: { type: slack, webhook_url: "` + slack + `/services/T0/B0/secret-part", retry: { delays: [100ms, 100ms, 100ms] } }
  other: { type: webhook, url: ` + other + `, retry: { delays: [100ms] } }
rules:
  - name: both
    from: in
    then:
      - { to: slack, ordering_key: data.key, text: "n=${{ data.n }}" }
      - { to: other, json: { n: "${{ data.n }}" } }
`
}

// Slack's permanent errors fail a delivery at once, in Slack's own words.
func TestSlackPermanentErrors(t *testing.T) {
	t.Parallel()
	for word, status := range map[string]int{
		"channel_is_archived": 410, "no_service": 404, "invalid_token": 403, "no_text": 400,
	} {
		t.Run(word, func(t *testing.T) {
			t.Parallel()
			slack := lab.NewSink(t, func(lab.Arrival) lab.Answer { return lab.Answer{Status: status, Body: word} })
			other := lab.NewSink(t, nil)
			g := lab.Start(t, twice(slack.URL, other.URL))
			ev := g.Settled(g.Accepted(g.PostJSON(echoPath, []byte(`{"n":1}`))))
			d := to(t, ev, "slack")
			if d.State != "failed" || d.Attempts != 1 {
				t.Errorf("state %s after %d attempts, want failed after 1", d.State, d.Attempts)
			}
			has(t, "error", d.Error, word)
			same(t, "the other connection", "delivered", to(t, ev, "other").State)
			has(t, "deliveries list", g.MustCLI("deliveries", "list", "--state", "failed"), word)
			if slack.Count() != 1 {
				t.Errorf("%d requests, want 1", slack.Count())
			}
		})
	}
}

// The bot API says ok:false with status 200.
func TestSlackBotErrors(t *testing.T) {
	t.Parallel()
	slack := fakeslack.New(t)
	slack.Always(&fakeslack.Answer{Header: http.Header{"Content-Type": {"application/json"}}, Body: `{"ok":false,"error":"is_archived"}`})
	g := lab.Start(t, contact(slack.APIURL(), origin, generous))
	g.Do("POST", "/f/contact", []byte("name=A&email=a%40example.com"), "Content-Type", formType)
	ev := g.Settled(g.Events()[0].ID)
	if d := ev.Deliveries[0]; d.State != "failed" || d.Attempts != 1 {
		t.Errorf("state %s after %d attempts, want failed after 1", d.State, d.Attempts)
	}
	has(t, "error", ev.Deliveries[0].Error, "is_archived")
}

// 429 with Retry-After is waited out, and is a minimum: the shorter delay of
// the schedule does not count. Other errors of the network are retried.
func TestSlackTransientErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		first lab.Answer
		wait  time.Duration
	}{
		{"429 with Retry-After", lab.Answer{Status: 429, RetryAfter: "2", Body: "rate_limited"}, 2 * time.Second},
		{"429 with a date", lab.Answer{Status: 429, RetryAfter: "DATE"}, 1 * time.Second},
		{"503", lab.Answer{Status: 503}, 80 * time.Millisecond},
		{"500", lab.Answer{Status: 500}, 80 * time.Millisecond},
		{"a reset", lab.Answer{Reset: true}, 80 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			slack := lab.NewSink(t, nil)
			slack.Script(func(lab.Arrival) lab.Answer {
				if slack.Count() > 0 {
					return lab.Answer{}
				}
				first := c.first
				if first.RetryAfter == "DATE" {
					first.RetryAfter = time.Now().Add(2*time.Second).UTC().Format("Mon, 02 Jan 2006 15:04:05") + " GMT"
				}
				return first
			})
			g := lab.Start(t, twice(slack.URL, lab.NewSink(t, nil).URL))
			id := g.Accepted(g.PostJSON(echoPath, []byte(`{"n":1}`)))
			arrivals := slack.Await(t, 2)
			if waited := arrivals[1].At.Sub(arrivals[0].At); waited < c.wait-50*time.Millisecond {
				t.Errorf("the second attempt came after %s, want at least %s", waited, c.wait)
			}
			d := to(t, g.Settled(id), "slack")
			same(t, "state and attempts", "delivered 2", fmt.Sprint(d.State, " ", d.Attempts))
		})
	}
}

// A file that came with a form goes to the channel's thread, in a message that
// is posted once although the first upload fails.
func TestSlackFiles(t *testing.T) {
	t.Parallel()
	slack := fakeslack.New(t)
	slack.Script(fakeslack.Answer{Via: "upload", Status: http.StatusServiceUnavailable})
	g := lab.Start(t, `
forms:
  contact:
    fields:
      name:  { type: text }
      brief: { type: file, accept: [txt, pdf] }
connections:
  slack-bot: { type: slack, bot_token: `+fakeslack.Token+`, channel: "#leads", api_url: "`+slack.APIURL()+`", retry: { delays: [100ms] } }
rules:
  - name: new-lead
    from: contact
    then: [{ to: slack-bot, text: "Lead: ${{ data.name }}", thread_key: "${{ data.name }}", files: ["${{ data.brief }}"] }]
`)
	const content = "the brief, in plain words\n"
	body := "--b\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nAda\r\n" +
		"--b\r\nContent-Disposition: form-data; name=\"brief\"; filename=\"brief für Ada.txt\"\r\nContent-Type: text/plain\r\n\r\n" + content + "\r\n--b--\r\n"
	if r := g.Do(http.MethodPost, "/f/contact", []byte(body), "Content-Type", "multipart/form-data; boundary=b", "Accept", "application/json"); r.Status != http.StatusOK {
		t.Fatalf("status %d: %s", r.Status, r.Body)
	}
	all := messages(t, slack, 2)
	same(t, "the message", "api #leads Lead: Ada", all[0].Via+" "+all[0].Channel+" "+all[0].Text)
	same(t, "the file's place", "files "+fakeslack.ChannelID("#leads")+" "+all[0].TS, all[1].Via+" "+all[1].Channel+" "+all[1].ThreadTS)
	if f := all[1].Files; len(f) != 1 || f[0].Title != "brief für Ada.txt" || f[0].Content != content {
		t.Errorf("got %+v", f)
	}
	ev := g.Settled(g.Events()[0].ID)
	same(t, "the delivery", "delivered 2", fmt.Sprint(ev.Deliveries[0].State, " ", ev.Deliveries[0].Attempts))
	has(t, "deliveries show", g.MustCLI("events", "show", ev.ID), "the message is posted, but not the file", "503 Service Unavailable")
	if shown := g.MustCLI("events", "show", ev.ID); strings.Contains(shown, "canaryUpload") {
		t.Errorf("what gives access to the upload shows: %s", shown)
	}
	if n := len(slack.Messages()); n != 2 {
		t.Errorf("%d messages, want 2", n)
	}
}
