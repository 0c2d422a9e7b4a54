package planner_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hookgate/internal/event"
	"hookgate/rules"
	"hookgate/rules/lang"
	"hookgate/test/planned"
)

// What a step is answered has its type in what comes after it, on both engines: an id of
// many digits its digits, and a text that looks like a number stays a text. Explain says
// the same of it before. Break: store outputs as texts.
func TestOutputs_types(t *testing.T) {
	t.Parallel()
	const text = `
sources: { shop: { type: webhook, token: 0123456789abcdef, dedupe: off } }
rules:
  - name: chain
    from: shop
    then:
      - { step: made, to: billing, text: one }
      - { to: billing, after: made, when: outputs.made.n + 1 == 8 and outputs.made.paid and outputs.made.code == "7", text: "${{ outputs.made.id }} ${{ type(outputs.made.code) }}" }
`
	answers := map[string]lang.Answer{"chain/made": {Outputs: map[string]any{"id": json.Number("12345678901234567890"), "n": 7, "paid": true, "code": "7"}}}
	forEachEngine(t, func(t *testing.T, g *gateway) {
		g.configure(planned.Must(t, text), text)
		g.answers = answers
		told := g.explain(`{}`)[0].Actions[1]
		id := g.post(`{}`)
		g.advance(g.clock().Add(time.Minute))
		list, err := g.store.Deliveries(t.Context(), event.DeliveryFilter{Event: id, OldestFirst: true})
		if err != nil || len(list) != 2 || list[1].State != event.Delivered {
			t.Fatalf("%+v, %v", list, err)
		}
		const want = `{"text":"12345678901234567890 string"}`
		if diff := cmp.Diff([]string{want, want}, []string{string(list[1].Output), string(told.Output)}); diff != "" {
			t.Error(diff)
		}
		attempts, err := g.store.Attempts(t.Context(), list[0].ID)
		if err != nil || len(attempts) != 1 {
			t.Fatal(attempts, err)
		}
		if diff := cmp.Diff(rules.OutputsOf(answers["chain/made"].Outputs), attempts[0].Outputs); diff != "" {
			t.Error(diff)
		}
	})
}
