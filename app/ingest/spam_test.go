package ingest_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"hookgate/app/ingest"
	"hookgate/app/ingest/source"
	"hookgate/forms"
	"hookgate/internal/event"
)

const formType = "application/x-www-form-urlencoded"

var formKey = []byte("0123456789abcdef0123456789abcdef")

// guarded is a gateway whose intake takes posts from many at once.
func guarded(t *testing.T, captcha func(*forms.Captcha, string, string) error) *gateway {
	t.Helper()
	g := newGateway(t)
	g.plan.FormKey = formKey
	g.in = ingest.New(g.store, g.dispatcher, ingest.Options{
		Logger: slog.New(slog.DiscardHandler), Captcha: captcha, Observe: func(string, event.State) {},
	})
	return g
}

func (g *gateway) postForm(name, remoteIP string, now time.Time, values url.Values) (ingest.Ack, error) {
	r := &ingest.Request{
		Request: source.Request{Method: "POST", ContentType: formType, Body: []byte(values.Encode()), Now: now}, Source: name, RemoteIP: remoteIP,
	}
	ack, err := g.in.Accept(g.plan, r)
	if err == nil && len(ack.Form.Problems) > 0 {
		err = fmt.Errorf("problems %v", ack.Form.Problems)
	}
	return ack, err
}

// 10,000 posts of robots, each kind caught by another check, among 500 of
// people: no robot reaches a rule, no person is lost, and nothing is dropped. It
// breaks where a check is not asked, or is asked too much.
//
// Promise: T6.
func TestSpam_robotsAndPeople(t *testing.T) {
	t.Parallel()
	g := guarded(t, nil)
	f := g.plan.Forms["guarded"]
	now := time.Now()
	late := f.Started(formKey, now.Add(-time.Minute))
	robots := []struct {
		why   string
		spoil func(i int, v url.Values)
	}{
		{"honeypot", func(_ int, v url.Values) { v.Set("_gotcha", "http://x") }},
		{"no time token", func(_ int, v url.Values) { v.Del("_started") }},
		{"less than 3s", func(_ int, v url.Values) { v.Set("_started", f.Started(formKey, now.Add(-time.Second))) }},
		{"not ours", func(i int, v url.Values) { v.Set("_started", fmt.Sprintf("%d.abc", i)) }},
		{"casino", func(_ int, v url.Values) { v.Set("message", "The best Casinos in town") }},
		{"more than 2", func(_ int, v url.Values) { v.Set("message", strings.Repeat("buy http://cheap.example ", 3)) }},
		{"spam.example", func(i int, v url.Values) { v.Set("email", fmt.Sprintf("r%d@mail.spam.example", i)) }},
		{"a link to", func(_ int, v url.Values) { v.Set("message", "look: www.spam.example/offer") }},
	}
	const bots, people = 10_000, 500
	person := func(i int) url.Values {
		return url.Values{
			"email": {fmt.Sprintf("person%d@example.com", i)}, "_started": {late}, "_gotcha": {""},
			"message": {fmt.Sprintf("Ünïcödé %d: see https://my-site.example, we met in front of the casual café. Win-win!", i)},
		}
	}
	type outcome struct {
		ack  ingest.Ack
		want string // of the cause; "" for a person
	}
	outcomes := make([]outcome, bots+people)
	var wg sync.WaitGroup
	for worker := range 64 {
		wg.Go(func() {
			for i := worker; i < len(outcomes); i += 64 {
				v, ip, want := person(i), fmt.Sprintf("192.0.%d.%d", i/250%250, i%250), ""
				if i%21 != 0 || i/21 >= people {
					robot := robots[i%len(robots)]
					robot.spoil(i, v)
					want = robot.why
				}
				ack, err := g.postForm("guarded", ip, now, v)
				if err != nil {
					t.Errorf("post %d: %v", i, err)
				}
				outcomes[i] = outcome{ack, want}
			}
		})
	}
	wg.Wait()
	lost, caught := 0, 0
	for _, o := range outcomes {
		switch {
		case o.want == "" && o.ack.State != event.Routed:
			lost++
		case o.want != "" && o.ack.State == event.Spam:
			caught++
		}
	}
	if lost != 0 || caught != bots {
		t.Errorf("%d people lost, %d of %d robots caught", lost, caught, bots)
	}
	for _, i := range []int{1, 2, 3, 4, 5, 6, 7, 8} { // one of each kind
		if e, ds := g.stored(outcomes[i].ack.ID); !strings.Contains(strings.ToLower(e.Cause), outcomes[i].want) || len(ds) != 0 || len(e.Body) == 0 {
			t.Errorf("%s: kept as %q with %d deliveries", outcomes[i].want, e.Cause, len(ds))
		}
	}
	counts, err := g.store.FormCounts(t.Context(), []string{"guarded"}, time.Time{})
	if got := counts["guarded"]; err != nil || got[event.Spam] != bots || got[event.Routed] != people {
		t.Errorf("stored %v, %v", got, err)
	}
}

// A double click is one post; the same words from somebody else, or later, are
// another. A repeat is kept, and can be released.
func TestForm_repeats(t *testing.T) {
	t.Parallel()
	g := guarded(t, nil)
	now := time.Now()
	post := func(ip string, at time.Time) ingest.Ack {
		t.Helper()
		ack, err := g.postForm("contact", ip, at, url.Values{"email": {"ada@example.com"}})
		if err != nil {
			t.Fatal(err)
		}
		return ack
	}
	first := post("192.0.2.1", now)
	again := post("192.0.2.1", now.Add(time.Second))
	if first.State != event.Routed || again.State != event.Duplicate || again.ID != first.ID {
		t.Errorf("first %+v, again %+v", first, again)
	}
	if other := post("192.0.2.2", now); other.State != event.Routed {
		t.Errorf("somebody else: %+v", other)
	}
	if later := post("192.0.2.1", now.Add(2*time.Minute)); later.State != event.Routed {
		t.Errorf("later: %+v", later)
	}
	list, err := g.store.Events(t.Context(), event.Filter{States: []event.State{event.Duplicate}})
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	e, _ := g.stored(list[0].ID)
	if released, err := g.in.Release(&e, g.plan, e.ReceivedAt); err != nil || released.State != event.Routed {
		t.Errorf("released %+v, %v", released, err)
	}
	if _, ds := g.stored(e.ID); len(ds) != 1 {
		t.Errorf("%d deliveries of the repeat", len(ds))
	}
}

// A vendor that says no makes a post spam; one that says nothing keeps nobody
// out.
func TestForm_captcha(t *testing.T) {
	t.Parallel()
	var asked []string
	g := guarded(t, func(c *forms.Captcha, answer, ip string) error {
		asked = append(asked, c.Secret.Reveal()+" "+answer+" "+ip)
		switch answer {
		case "robot":
			return &ingest.CaptchaRefused{Codes: []string{"invalid-input-response"}}
		case "outage":
			return errors.New("the vendor was not reached")
		}
		return nil
	})
	for i, c := range []struct {
		answer string
		state  event.State
		cause  string
	}{
		{"person", event.Routed, ""},
		{"robot", event.Spam, "captcha: the answer was refused (invalid-input-response)"},
		{"outage", event.Routed, "captcha not checked: the vendor was not reached"},
		{"", event.Spam, "captcha: no answer was sent"},
	} {
		v := url.Values{"email": {fmt.Sprintf("a%d@example.com", i)}, "cf-turnstile-response": {c.answer}}
		ack, err := g.postForm("solved", "192.0.2.1", time.Now(), v)
		if err != nil || ack.State != c.state {
			t.Errorf("%q: %+v, %v", c.answer, ack, err)
		}
		if e, _ := g.stored(ack.ID); e.Cause != c.cause {
			t.Errorf("%q: cause %q", c.answer, e.Cause)
		}
	}
	if got := strings.Join(asked, "; "); got != "geheim person 192.0.2.1; geheim robot 192.0.2.1; geheim outage 192.0.2.1" {
		t.Errorf("the vendor was asked: %s", got)
	}
}
