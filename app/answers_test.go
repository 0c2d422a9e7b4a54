package app_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hookgate/app"
)

// What a test has a receiver answer is judged by the connection's own success, outputs
// and retries, as the answer to a delivery is. Break: take the status for the judgement.
func TestAnswers_judged(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "config.yaml")
	const text = `version: 1
sources: { shop: { type: webhook, token: 0123456789abcdef, dedupe: off } }
connections:
  crm: { type: webhook, url: "https://example.com/x", success: 'status == 201 and body.ok', outputs: { id: body.id }, retry: { delays: [10m, 1h] } }
  chat: { type: slack, webhook_url: "https://hooks.slack.com/services/T0/B0/x" }
  log: { type: webhook, url: "https://example.com/x" }
rules:
  - name: r
    from: shop
    then:
      - { step: made, to: crm, json: {} }
      - { step: told, to: chat, text: hi }
      - { to: log, after: made, json: { id: "${{ (outputs.made.id ?? 0) + 1 }}" } }
      - { to: log, after: { made: failed }, json: { why: "${{ errors.made }}" } }
      - { to: log, after: { told: ended }, json: { told: 1 } }
tests:
  - name: delivered
    event: { source: shop, data: {} }
    answers: { r/made: { status: 201, body: { ok: true, id: 7 } } }
    expect: [r/crm, r/chat, r/log, "r/log#3"]
    assert: output["r/log"].json.id == 8
  - name: retried
    at: 2026-03-24T09:00
    event: { source: shop, data: {} }
    answers: { r/made: [{ status: 503 }, { status: 201, body: { ok: true, id: 7 } }] }
    expect: [r/crm, r/chat, "r/log#3"]
    later:
      - { in: 9m, expect: [] }
      - { in: 10m, expect: [r/log] }
  - name: success is not met
    event: { source: shop, data: {} }
    answers: { r/made: { status: 201, body: { ok: false } } }
    expect: [r/crm, r/chat, "r/log#2", "r/log#3"]
    assert: output["r/log#2"].json.why contains "does not meet success"
  - name: all retries
    at: 2026-03-24T09:00
    event: { source: shop, data: {} }
    answers: { r/made: { status: 503, headers: { Retry-After: "1800" }, body: closed } }
    expect: [r/crm, r/chat, "r/log#3"]
    later:
      - { in: 1h29m, expect: [] }
      - { in: 1h30m, expect: ["r/log#2"], assert: 'output["r/log#2"].json.why contains "closed"' }
  - name: no HTTP
    event: { source: shop, data: {} }
    answers: { r/told: { status: 200 } }
    expect: [r/crm, r/chat, r/log, "r/log#3"]
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	plan, report, err := app.Load(path)
	if err != nil {
		t.Fatal(err, report)
	}
	var got []string
	for _, r := range plan.RunTests(time.Now, nil, nil) {
		got = append(got, fmt.Sprintf("%s: %v", r.Name, r.OK))
		for _, f := range r.Findings {
			got = append(got, f.String())
		}
	}
	if diff := cmp.Diff([]string{
		"delivered: true", "retried: true", "success is not met: true", "all retries: true", "no HTTP: false",
		"r/chat: the answer cannot be judged: chat is not answered by HTTP, write { outputs: … } or { failed: … }",
	}, got); diff != "" {
		t.Error(diff)
	}
}
