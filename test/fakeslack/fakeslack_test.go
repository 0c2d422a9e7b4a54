package fakeslack_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hookgate/test/fakeslack"
)

// post sends a request and returns status and body, "-" when there was no answer.
func post(t *testing.T, target, contentType, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		return 0, "-"
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	s := fakeslack.New(t)
	for _, tc := range []struct {
		target, contentType, body string
		status                    int
		want                      string
	}{
		{s.WebhookURL(), "application/json", `{"text":"hello"}`, 200, "ok"},
		{s.WebhookURL(), "application/json; charset=utf-8", `{"blocks":[{"type":"divider"}]}`, 200, "ok"},
		{s.WebhookURL(), "application/json", `{"text":""}`, 400, "no_text"},
		{s.WebhookURL(), "application/json", `{"text":`, 400, "invalid_payload"},
		{s.WebhookURL(), "text/plain", `{"text":"x"}`, 400, "invalid_payload"},
		{s.WebhookURL(), "application/json", `{"blocks":[1]}`, 400, "invalid_blocks"},
		{s.URL() + "/services/other", "application/json", `{"text":"x"}`, 404, "no_service"},
	} {
		if status, got := post(t, tc.target, tc.contentType, tc.body); status != tc.status || got != tc.want {
			t.Errorf("%s: got %d %s, want %d %s", tc.body, status, got, tc.status, tc.want)
		}
	}
	if n := len(s.Messages()); n != 2 {
		t.Errorf("%d messages were posted, want 2", n)
	}
}

func TestPostMessage(t *testing.T) {
	t.Parallel()
	s := fakeslack.New(t)
	for want, form := range map[string]url.Values{
		`"ok":true`:                       {"token": {fakeslack.Token}, "channel": {"C1"}, "text": {"x"}},
		`"error":"not_authed"`:            {"channel": {"C1"}, "text": {"x"}},
		`"error":"invalid_auth"`:          {"token": {"xoxb-other"}, "channel": {"C1"}, "text": {"x"}},
		`"error":"channel_not_found"`:     {"token": {fakeslack.Token}, "text": {"x"}},
		`"error":"no_text"`:               {"token": {fakeslack.Token}, "channel": {"C1"}},
		`"error":"msg_too_long"`:          {"token": {fakeslack.Token}, "channel": {"C1"}, "text": {strings.Repeat("x", 40001)}},
		`"error":"invalid_blocks_format"`: {"token": {fakeslack.Token}, "channel": {"C1"}, "blocks": {"{"}},
	} {
		status, got := post(t, s.APIURL()+"chat.postMessage", "application/x-www-form-urlencoded", form.Encode())
		if status != http.StatusOK || !strings.Contains(got, want) {
			t.Errorf("got %d %.100s, want %s", status, got, want)
		}
	}
}

func TestScript(t *testing.T) {
	t.Parallel()
	s := fakeslack.New(t)
	hello := func() (int, string) { return post(t, s.WebhookURL(), "application/json", `{"text":"hello"}`) }
	s.Script(fakeslack.Answer{Status: 410, Body: "channel_is_archived"}, fakeslack.Answer{Reset: true}, fakeslack.Answer{Status: 500, Lose: true})
	s.Always(&fakeslack.Answer{Status: 503})
	type reply struct {
		Status int
		Body   string
	}
	var got []reply
	for range 5 {
		status, body := hello()
		got = append(got, reply{status, body})
	}
	s.Always(nil)
	status, body := hello()
	got = append(got, reply{status, body})
	want := []reply{{410, "channel_is_archived"}, {0, "-"}, {500, ""}, {503, ""}, {503, ""}, {200, "ok"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if posted, all := len(s.Messages()), len(s.Requests()); posted != 2 || all != 6 {
		t.Errorf("%d of %d requests were posted, want 2 of 6", posted, all)
	}
}

func TestWait(t *testing.T) {
	t.Parallel()
	s := fakeslack.New(t)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Wait(ended, 1); !errors.Is(err, fakeslack.ErrShort) {
		t.Errorf("got %v", err)
	}
	type result struct {
		posted []fakeslack.Message
		err    error
	}
	waited := make(chan result)
	go func() {
		posted, err := s.Wait(t.Context(), 2)
		waited <- result{posted, err}
	}()
	for _, text := range []string{"one", "two"} {
		post(t, s.WebhookURL(), "application/json", `{"text":"`+text+`"}`)
	}
	if r := <-waited; r.err != nil || len(r.posted) != 2 || r.posted[1].Text != "two" {
		t.Errorf("got %v, %v", r.posted, r.err)
	}
}

func TestHang(t *testing.T) {
	t.Parallel()
	s := fakeslack.New(t)
	s.Script(fakeslack.Answer{Hang: true})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.WebhookURL(), strings.NewReader(`{"text":"x"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultTransport.RoundTrip(req)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if err == nil {
		_ = resp.Body.Close()
	}
	if n := len(s.Messages()); n != 0 {
		t.Errorf("%d messages were posted", n)
	}
	s.Close()
	s.Close()
}
