package cli_test

import (
	"net/http"
	"strings"
	"testing"
)

const billing = `{"name":"billing","type":"webhook","state":"paused","paused":{"since":"2026-03-10T09:40:00Z","by":"team","note":"maintenance"},
	"waiting":0,"sending":1,"held":1204,"failed":12,"hour":{"attempts":120,"failed":71,"p95_ms":310},"day":{"attempts":5000,"failed":1,"p95_ms":1250},
	"since":"2026-03-09T08:00:00Z","last_error":"503 Service Unavailable: the database is down for maintenance until the afternoon","last_error_at":"2026-03-10T09:39:00Z",
	"timeout":"15s","concurrency":8,"rate_limit":"5/s","rules":["create","activate"]}`

const idle = `{"name":"slack\u001b[31m","type":"slack","state":"ok","waiting":0,"sending":0,"held":0,"failed":0,"hour":{"attempts":0,"failed":0},"day":{"attempts":0,"failed":0},
	"since":"2026-03-09T08:00:00Z","timeout":"15s","concurrency":8,"rules":[]}`

func ok(body string) answer { return answer{http.StatusOK, body} }

func TestConnections_list(t *testing.T) {
	t.Parallel()
	list := ok(`{"items":[` + billing + `,` + idle + `]}`)
	f := serveAPI(t, map[string][]answer{"GET /api/v1/connections": {list, list, ok(`{"items":[]}`)}})
	got := f.run(t, "connections", "list")
	golden(t, "connections_list", got.out)
	for line := range strings.Lines(got.out) {
		if len([]rune(line)) > 81 || strings.ContainsRune(line, 0x1b) {
			t.Errorf("%d columns: %q", len([]rune(line)), line)
		}
	}
	if got := f.run(t, "connections", "list", "--json"); got.code != 0 || !strings.Contains(got.out, `"held": 1204`) {
		t.Errorf("as JSON: %+v", got)
	}
	if got := f.run(t, "connections", "list"); got.code != 0 || got.out != "" || !strings.Contains(got.errOut, "no connections") {
		t.Errorf("none: %+v", got)
	}
}

func TestConnections_show(t *testing.T) {
	t.Parallel()
	f := serveAPI(t, map[string][]answer{
		"GET /api/v1/connections/billing": {ok(billing)}, "GET /api/v1/connections/idle": {ok(idle)},
		"GET /api/v1/connections/biling": {{http.StatusNotFound, `{"status":404,"detail":"no connection is called \"biling\": did you mean \"billing\"?"}`}},
	})
	got := f.run(t, "connections", "show", "billing")
	golden(t, "connections_show", got.out+f.run(t, "connections", "show", "idle").out)
	if got := f.run(t, "connections", "show", "biling"); got.code != 5 || !strings.Contains(got.errOut, "did you mean") {
		t.Errorf("unknown: %+v", got)
	}
}

func TestConnections_pauseAndResume(t *testing.T) {
	t.Parallel()
	releasing := strings.Replace(strings.Replace(billing, `"state":"paused"`, `"state":"ok"`, 1), `"paused":`, `"releasing":"2/s","was":`, 1)
	f := serveAPI(t, map[string][]answer{
		"POST /api/v1/connections/billing/pause":  {ok(billing)},
		"GET /api/v1/connections/billing":         {ok(billing), ok(releasing)},
		"POST /api/v1/connections/billing/resume": {ok(releasing), ok(strings.Replace(releasing, `"releasing":"2/s",`, "", 1))},
	})
	got := f.run(t, "connections", "pause", "billing", "--note", "maintenance")
	if got.code != 0 || got.out != "" || !strings.Contains(got.errOut, "billing is paused since 2026-03-10 09:40 (team): 1,204 held, 1 being sent") {
		t.Errorf("%+v", got)
	}
	got = f.run(t, "connections", "resume", "billing", "--rate", "2/s")
	if got.code != 0 || !strings.Contains(got.errOut, "billing goes on: what was held (1,204) is sent at 2/s at most") {
		t.Errorf("%+v", got)
	}
	got = f.run(t, "connections", "resume", "billing")
	if got.code != 0 || !strings.Contains(got.errOut, "billing was not paused; it sends at 5/s") {
		t.Errorf("%+v", got)
	}
	if got := f.run(t, "connections", "resume", "billing", "--rate", "fast"); got.code != 2 || !strings.Contains(got.errOut, "5/s") {
		t.Errorf("a rate that is none: %+v", got)
	}
	for text, want := range map[string]string{"--for=2h": `{"for":"2h"}`, "--until=2126-03-27T16:50:00Z": `{"until":"2126-03-27T16:50:00Z"}`} {
		ends := serveAPI(t, map[string][]answer{"POST /api/v1/connections/billing/pause": {ok(strings.Replace(billing, `"note":`, `"until":"2026-03-10T12:00:00Z","note":`, 1))}})
		if got := ends.run(t, "connections", "pause", "billing", text); got.code != 0 || !strings.Contains(got.errOut, "it goes on by itself") || ends.requests[0].Body != want {
			t.Errorf("%s: %+v, asked %+v", text, got, ends.requests)
		}
	}
	if got := f.run(t, "connections", "pause", "billing", "--until", "25:99"); got.code != 2 || !strings.Contains(got.errOut, "\"25:99\" is no time\n  write it like 17:00") {
		t.Errorf("an end that is no time: %+v", got)
	}
	if f.requests[0].Body != `{"note":"maintenance"}` || f.requests[2].Body != `{"rate":"2/s"}` {
		t.Errorf("asked %+v", f.requests)
	}
}

func TestConnections_test(t *testing.T) {
	t.Parallel()
	asks := ok(`{"what":"sends a POST request","message":true,"done":false,"ok":false}`)
	f := serveAPI(t, map[string][]answer{
		"POST /api/v1/connections/bot/test":  {ok(`{"what":"asks Slack","message":false,"done":true,"ok":true,"status":200,"said":"the token is that of bot","answer":"{}","duration_ms":84.2}`)},
		"POST /api/v1/connections/none/test": {ok(`{"untestable":true,"message":false,"done":false,"ok":false}`)},
		"POST /api/v1/connections/gone/test": {ok(`{"what":"asks Notion","message":false,"done":true,"ok":false,"error":"no such host","duration_ms":1}`)},
		"POST /api/v1/connections/near/test": {ok(`{"what":"asks Notion","message":false,"done":true,"ok":false,"error":"address 10.1.2.3 is private: allow it with outbound.allow_private","duration_ms":1}`)},
		"POST /api/v1/connections/hook/test": {asks, asks, ok(`{"what":"sends a POST request","message":true,"done":true,"ok":false,"status":401,"answer":"no\u001b[31m","outputs":{"id":"7\u001b[31m"},"error":"401 Unauthorized: no","duration_ms":12}`)},
	})
	got := f.run(t, "connections", "test", "bot")
	if want := "✓ bot: asks Slack\n  answer: 200, 84 ms, the token is that of bot\n"; got.code != 0 || got.out != want {
		t.Errorf("%+v, want %q", got, want)
	}
	if got := f.run(t, "connections", "test", "none"); got.code != 1 || !strings.Contains(got.errOut, "hookgate events send") {
		t.Errorf("%+v", got)
	}
	if got := f.run(t, "connections", "test", "gone"); got.code != 1 || !strings.Contains(got.errOut, "no such host\n") || !strings.Contains(got.errOut, "not known to the DNS") {
		t.Errorf("%+v", got)
	}
	if got := f.run(t, "connections", "test", "near"); got.code != 1 || strings.Contains(got.errOut, "look at") {
		t.Errorf("%+v", got)
	}
	if got := f.run(t, "connections", "test", "hook"); got.code != 2 || !strings.Contains(got.errOut, "a test of hook sends a POST request") || !strings.Contains(got.errOut, "--yes") {
		t.Errorf("nobody to ask: %+v", got)
	}
	got = f.run(t, "connections", "test", "hook", "--yes")
	if got.code != 1 || !strings.Contains(got.out, "✗ hook: sends a POST request\n  answer: 401, 12 ms\n  output id: 7") || !strings.Contains(got.errOut, "401 Unauthorized: no") || !strings.Contains(got.errOut, "look at key, token or password") {
		t.Errorf("%+v", got)
	}
	if last := f.requests[len(f.requests)-1].Body; last != `{"confirm":true}` {
		t.Errorf("asked %s", last)
	}
}
