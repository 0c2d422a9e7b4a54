package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"hookgate/test/lab"
)

// standardSignature is how Standard Webhooks signs.
func standardSignature(t *testing.T, secret, id, timestamp, body string) string {
	t.Helper()
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.%s", id, timestamp, body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

const forwarding = `
sources:
  shop: { type: webhook, verify: { scheme: standard-webhooks, secret: ` + signingSecret + ` } }
  site: { type: webhook, token: e2e-site-token-0123456789, event_type: data.type }
`

// A program at home gets what the sender sent, but for its credentials, signed
// anew with a secret that the server does not have; the server keeps one event,
// and one of what it refused is not forwarded. Break: forwarder.request sets the
// body from e.Data.
func TestEventsForward(t *testing.T) {
	t.Parallel()
	const canary = "canary-0123456789"
	const body = "{ \"type\":\"order.paid\",\n \"total\": 1.50 }"
	home := lab.NewSink(t, func(a lab.Arrival) lab.Answer {
		if strings.Contains(string(a.Body), "order.odd") {
			return lab.Answer{Status: 422, Body: "unknown type"}
		}
		return lab.Answer{}
	})
	g := lab.Start(t, forwarding)
	local := "whsec_" + base64.StdEncoding.EncodeToString([]byte("a secret of the program at home"))
	lines := tailWith(t, g, []string{"HOME_SECRET=" + local}, "--source", "shop", "--forward", home.URL+"/hooks?from=hookgate", "--sign", "HOME_SECRET")
	post := func(id, body string) lab.Reply {
		now := strconv.FormatInt(time.Now().Unix(), 10)
		return g.Do(http.MethodPost, "/in/shop?shop=berlin&tag=a&tag=b", []byte(body), "Content-Type", "application/json; charset=utf-8",
			"webhook-id", id, "webhook-timestamp", now, "webhook-signature", standardSignature(t, signingSecret, id, now, body),
			"Authorization", "Bearer "+canary, "Cookie", "session="+canary, "X-Api-Key", canary, "X-Shop", "berlin")
	}
	if r := g.PostJSON("/in/shop", []byte("{}")); r.Status != 401 {
		t.Fatalf("without a signature: %d", r.Status)
	}
	id := g.Accepted(post("msg_1", body))
	if l := shown(t, lines); l.ID != id || l.Forwarded.Status != 200 {
		t.Fatalf("shown: %+v", l)
	}
	a := home.Await(t, 1)[0]
	if string(a.Body) != body || a.Method != http.MethodPost || a.Path != "/hooks" || a.Query != "from=hookgate&shop=berlin&tag=a&tag=b" {
		t.Errorf("%s %s?%s %q", a.Method, a.Path, a.Query, a.Body)
	}
	h := a.Header
	if h.Get("X-Shop") != "berlin" || h.Get("Content-Type") != "application/json; charset=utf-8" || h.Get("Hookgate-Event") != id || h.Get("webhook-id") != "msg_1" {
		t.Errorf("headers: %v", h)
	}
	if want := standardSignature(t, local, "msg_1", h.Get("webhook-timestamp"), body); h.Get("webhook-signature") != want {
		t.Errorf("signature %q, want %q", h.Get("webhook-signature"), want)
	}
	if text := fmt.Sprint(h); strings.Contains(text, canary) {
		t.Errorf("a credential left the server: %v", h)
	}
	// A repeat is none of its business; an answer that is no success is told.
	if r := post("msg_1", body); r.Status != 202 {
		t.Fatal(r.Status)
	}
	odd := g.Accepted(post("msg_2", `{"type":"order.odd"}`))
	if l := shown(t, lines); l.ID != odd || l.Forwarded.Status != 422 || l.Forwarded.Answer != "unknown type" {
		t.Errorf("shown: %+v, want the second one, which was refused", l)
	}
	if stored := g.Events("--source", "shop", "--state", "no_match"); len(stored) != 2 {
		t.Errorf("the server keeps %d events, want 2", len(stored))
	}
}

// What is asked for and cannot be is said before anything is forwarded, and
// where nothing listens at home the line says so.
func TestEventsForward_faults(t *testing.T) {
	t.Parallel()
	g := lab.Start(t, forwarding)
	for want, args := range map[string][]string{
		"say where to, with --forward":       {"--sign", "PATH"},
		"no HOOKGATE_NO_SECRET":              {"--forward", "http://localhost:1/", "--sign", "HOOKGATE_NO_SECRET"},
		`the sender of "site" signs nothing`: {"--forward", "http://localhost:1/", "--sign", "PATH", "--source", "site"},
		"--forward: ":                        {"--forward", "localhost:3000"},
	} {
		if r := g.CLI(append([]string{"events", "tail"}, args...)...); r.Code != 2 || !strings.Contains(r.Stderr, want) {
			t.Errorf("%q: exit %d\n%s", args, r.Code, r.Stderr)
		}
	}
	nobody := fmt.Sprintf("127.0.0.1:%d", lab.Port(t))
	lines := tail(t, g, "--forward", "http://"+nobody+"/")
	id := g.Accepted(g.PostJSON("/in/site/e2e-site-token-0123456789", []byte(`{"type":"x"}`)))
	if l := shown(t, lines); l.ID != id || l.Forwarded.Error != "nothing listens at "+nobody {
		t.Errorf("shown: %+v", l)
	}
}

// A post with files, of which no body is kept, comes as the JSON of its fields.
func TestEventsForward_upload(t *testing.T) {
	t.Parallel()
	home := lab.NewSink(t, nil)
	g := lab.Start(t, "forms:\n  apply: { fields: { name: {}, cv: { type: file } } }\n")
	lines := tail(t, g, "--forward", home.URL+"/hooks")
	const part = "--b\r\nContent-Disposition: form-data; name=\"%s\"%s\r\n\r\n%s\r\n"
	post := fmt.Sprintf(part, "name", "", "Ada") + fmt.Sprintf(part, "cv", `; filename="cv.pdf"`, "%PDF-1.4") + "--b--\r\n"
	r := g.Do(http.MethodPost, "/f/apply", []byte(post), "Content-Type", "multipart/form-data; boundary=b", "Accept", "application/json")
	if r.Status != 200 {
		t.Fatal(r.Status, r.Body)
	}
	if l := shown(t, lines); l.Type != "form_submitted" || l.Forwarded.Status != 200 {
		t.Fatalf("shown: %+v", l)
	}
	a := home.Await(t, 1)[0]
	var got struct {
		Name string `json:"name"`
		CV   struct {
			Name string `json:"name"`
		} `json:"cv"`
	}
	if err := json.Unmarshal(a.Body, &got); err != nil || got.Name != "Ada" || got.CV.Name != "cv.pdf" || a.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%q of %s: %v", a.Body, a.Header.Get("Content-Type"), err)
	}
}

// Over the public URL, with the server killed and started again in between: each
// event that was accepted arrives once, in the order in which it was. Breaks:
// forwarder.look remembers in seen what it shows, not what it posts; from is set
// to the time of the newest event of all before the others are fetched.
func TestEventsForward_restart(t *testing.T) {
	t.Parallel()
	home := lab.NewSink(t, nil)
	g := lab.New(t, forwarding)
	g.Extra = "  admin: { user: team, password: e2e-password-0123456789 }\n"
	g.Start()
	var accepted []string
	post := func() {
		t.Helper()
		body := fmt.Sprintf(`{"type":"numbered","n":%d}`, len(accepted))
		accepted = append(accepted, g.Accepted(g.PostJSON("/in/site/e2e-site-token-0123456789", []byte(body))))
	}
	post() // before: it is not forwarded
	lines := tailWith(t, g, []string{"HOOKGATE_URL=" + g.URL, "HOOKGATE_LOGIN=team:e2e-password-0123456789"}, "--source", "site", "--forward", home.URL+"/hooks")
	for range 2 {
		for range 150 {
			post()
		}
		g.Kill()
		g.Start()
		for range 150 { // before the forwarder is back
			post()
		}
		home.Await(t, len(accepted)-1)
	}
	var arrived []string
	for _, a := range home.Arrivals() {
		arrived = append(arrived, a.Header.Get("Hookgate-Event"))
	}
	if !slices.Equal(arrived, accepted[1:]) {
		t.Errorf("%d arrived of %d, or in another order", len(arrived), len(accepted)-1)
	}
	for _, id := range accepted[1:] {
		if l := shown(t, lines); l.ID != id || l.Forwarded.Status != 200 {
			t.Fatalf("shown: %+v, want %s", l, id)
		}
	}
}
