package e2e

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"hookgate/test/fakeslack"
	"hookgate/test/lab"
)

// contact is a form whose posts go to Slack by a bot token.
func contact(api, origin, more string) string {
	return `
forms:
  contact:
    origins: [` + origin + `]
    fields:
      name:       { type: text, required: true, max: 120 }
      email:      { type: email, required: true }
      budget:     { type: number, min: 0 }
      message:    { type: text, max: 5000 }
      newsletter: { type: checkbox }
    honeypot: _gotcha
` + more + `
connections:
  slack-bot: { type: slack, bot_token: ` + fakeslack.Token + `, channel: "#leads", api_url: "` + api + `", retry: { delays: [100ms] } }
rules:
  - name: new-lead
    from: contact
    then:
      - to: slack-bot
        channel: '${{ (data.budget ?? 0) >= 5000 ? "#leads-hot" : "#leads" }}'
        text: "New lead from ${{ event.source }}: ${{ data.name }}, ${{ data.email }}, ${{ data.message }}"
`
}

const generous = "    rate_limit: 1000/s\n"

// messages waits for n messages at Slack.
func messages(t *testing.T, slack *fakeslack.Server, n int) []fakeslack.Message {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), lab.Patience)
	defer cancel()
	list, err := slack.Wait(ctx, n)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

const (
	origin   = "https://harrys-diner.example"
	formType = "application/x-www-form-urlencoded"
)

func TestFormPost(t *testing.T) {
	t.Parallel()
	slack := fakeslack.New(t)
	g := lab.Start(t, contact(slack.APIURL(), origin, generous+"    redirect: "+origin+"/thanks\n"))
	post := func(body string, header ...string) lab.Reply {
		return g.Do(http.MethodPost, "/f/contact", []byte(body), append(header, "Content-Type", formType)...)
	}

	r := post("name=Ada+%3C!channel%3E&email=ada%40example.com&budget=6000&newsletter=on&message=Hi&utm=x", "Origin", origin)
	if r.Status != http.StatusSeeOther || r.Header.Get("Location") != origin+"/thanks" {
		t.Errorf("status %d, Location %q, want 303 to the redirect", r.Status, r.Header.Get("Location"))
	}
	lead := messages(t, slack, 1)[0]
	same(t, "text", "New lead from contact: Ada &lt;!channel&gt;, ada@example.com, Hi", lead.Text)
	same(t, "channel", "#leads-hot", lead.Channel)

	events := g.Events()
	if len(events) != 1 || events[0].Type != "form_submitted" || events[0].Source != "contact" {
		t.Fatalf("events: %+v", events)
	}
	data, ok := value(t, g.Show(events[0].ID).Data).(map[string]any)
	if !ok {
		t.Fatal("data is no object")
	}
	same(t, "budget", any(json.Number("6000")), data["budget"])
	same(t, "newsletter", any(true), data["newsletter"])

	r = post("name=Ben&email=ben%40example.com", "Accept", "application/json")
	has(t, "the JSON answer", r.Body, `"ok":true`, `"id":"evt_`)
	if r.Status != http.StatusOK {
		t.Errorf("JSON answer: status %d, want 200", r.Status)
	}
	r = g.Do(http.MethodPost, "/f/contact", []byte(`{"name":"Cy","email":"cy@example.com","budget":1}`), "Content-Type", "application/json", "Accept", "application/json")
	has(t, "a JSON post", r.Body, `"ok":true`)
	multipart := "--b\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nDi\r\n--b\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\ndi@example.com\r\n--b--\r\n"
	r = g.Do(http.MethodPost, "/f/contact", []byte(multipart), "Content-Type", "multipart/form-data; boundary=b", "Accept", "application/json")
	has(t, "a multipart post", r.Body, `"ok":true`)
	messages(t, slack, 4)
}

func TestFormErrors(t *testing.T) {
	t.Parallel()
	slack := fakeslack.New(t)
	g := lab.Start(t, contact(slack.APIURL(), origin, generous))
	r := g.Do(http.MethodPost, "/f/contact", []byte("name=&email=nonsense&budget=-1&message=keep+%3Cme%3E"), "Content-Type", formType, "Accept-Language", "de")
	if r.Status != http.StatusUnprocessableEntity {
		t.Errorf("status %d, want 422", r.Status)
	}
	has(t, "the page", r.Body, `lang="de"`, `href="#`, "keep &lt;me&gt;", "nonsense")
	if strings.Contains(r.Body, "<me>") {
		t.Error("a value is not escaped")
	}
	r = g.Do(http.MethodPost, "/f/contact", []byte("email=nonsense"), "Content-Type", formType, "Accept", "application/json")
	var problem struct {
		Status int
		Title  string
		Errors []struct{ Field, Code, Message string }
	}
	if err := json.Unmarshal([]byte(r.Body), &problem); err != nil {
		t.Fatalf("%v in %s", err, r.Body)
	}
	if r.Status != 422 || problem.Status != 422 || len(problem.Errors) != 2 {
		t.Fatalf("status %d: %s, want 422 with two errors", r.Status, r.Body)
	}
	for i, field := range []string{"name", "email"} {
		e := problem.Errors[i]
		if e.Field != field || e.Code == "" || e.Message == "" {
			t.Errorf("error %d: %+v, want one about %s", i, e, field)
		}
	}
	for _, c := range []struct {
		what, path, body string
		header           []string
		status           int
	}{
		{"a foreign origin", "/f/contact", "name=A&email=a%40example.com", []string{"Content-Type", formType, "Origin", "https://evil.example"}, 403},
		{"no such form", "/f/nobody", "name=A", []string{"Content-Type", formType}, 404},
		{"a body of another kind", "/f/contact", "x", []string{"Content-Type", "application/pdf"}, 415},
		{"broken JSON", "/f/contact", `{"name":`, []string{"Content-Type", "application/json"}, 400},
	} {
		if r := g.Do(http.MethodPost, c.path, []byte(c.body), c.header...); r.Status != c.status {
			t.Errorf("%s: status %d, want %d: %s", c.what, r.Status, c.status, lab.Tail(r.Body, 5))
		}
	}
	if len(slack.Requests()) != 0 {
		t.Errorf("%d messages were sent", len(slack.Requests()))
	}
}

// A honeypot hit looks like success in every respect but the reference, and
// nothing is delivered; the post is kept as spam.
//
// Promise: T6.
func TestHoneypot(t *testing.T) {
	t.Parallel()
	slack := fakeslack.New(t)
	g := lab.Start(t, contact(slack.APIURL(), origin, generous))
	post := func(body string, header ...string) lab.Reply {
		return g.Do(http.MethodPost, "/f/contact", []byte(body), append(header, "Content-Type", formType)...)
	}
	good := post("name=Ada&email=ada%40example.com")
	spam := post("name=Bot&email=bot%40example.com&_gotcha=http%3A%2F%2Fspam.example")
	if good.Status != http.StatusSeeOther || spam.Status != good.Status {
		t.Errorf("status %d and %d, want 303 twice", good.Status, spam.Status)
	}
	events := g.Events()
	if len(events) != 2 {
		t.Fatalf("%d events, want 2", len(events))
	}
	same(t, "state of the hit", "spam", events[0].State)
	same(t, "the address but for the reference", strings.ReplaceAll(good.Header.Get("Location"), events[1].ID, "REF"),
		strings.ReplaceAll(spam.Header.Get("Location"), events[0].ID, "REF"))
	good = g.Do(http.MethodGet, "/f/"+good.Header.Get("Location"), nil)
	spam = g.Do(http.MethodGet, "/f/"+spam.Header.Get("Location"), nil)
	has(t, "the page", good.Body, events[1].ID)
	same(t, "the page but for the reference",
		strings.ReplaceAll(good.Body, events[1].ID, "REF"), strings.ReplaceAll(spam.Body, events[0].ID, "REF"))
	for _, name := range []string{"Content-Type", "Content-Security-Policy", "Cache-Control"} {
		same(t, name, good.Header.Get(name), spam.Header.Get(name))
	}
	has(t, "JSON for a hit", post("name=B&email=b%40example.com&_gotcha=1", "Accept", "application/json").Body, `"ok":true`, `"id":"evt_`)
	g.Settled(events[1].ID)
	messages(t, slack, 1)
	if n := len(g.Show(events[0].ID).Deliveries); n != 0 || len(slack.Requests()) != 1 {
		t.Errorf("the hit has %d deliveries, Slack got %d messages, want 0 and 1", n, len(slack.Requests()))
	}
}

func TestFormCORSAndRate(t *testing.T) {
	t.Parallel()
	slack := fakeslack.New(t)
	g := lab.Start(t, contact(slack.APIURL(), origin, "    rate_limit: 3/m\n"))
	preflight := func(from string) lab.Reply {
		return g.Do(http.MethodOptions, "/f/contact", nil, "Origin", from,
			"Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "content-type")
	}
	r := preflight(origin)
	if r.Status/100 != 2 || r.Header.Get("Access-Control-Allow-Origin") != origin {
		t.Errorf("preflight: status %d, allowed %q", r.Status, r.Header.Get("Access-Control-Allow-Origin"))
	}
	has(t, "allowed methods", r.Header.Get("Access-Control-Allow-Methods"), "POST")
	has(t, "Vary", r.Header.Get("Vary"), "Origin")
	if got := preflight("https://evil.example").Header.Get("Access-Control-Allow-Origin"); got != "" {
		t.Errorf("a foreign origin is allowed as %q", got)
	}
	for n := range 5 {
		r := g.Do(http.MethodPost, "/f/contact", []byte("name=A&email=a%40example.com"), "Content-Type", formType, "Origin", origin, "Accept", "application/json")
		if r.Header.Get("Access-Control-Allow-Origin") != origin {
			t.Errorf("post %d: no Access-Control-Allow-Origin", n)
		}
		want := http.StatusOK
		if n >= 3 {
			want = http.StatusTooManyRequests
		}
		if r.Status != want || n >= 3 && r.Header.Get("Retry-After") == "" {
			t.Errorf("post %d: status %d, Retry-After %q, want %d", n, r.Status, r.Header.Get("Retry-After"), want)
		}
	}
}
