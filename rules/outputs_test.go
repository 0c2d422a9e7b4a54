package rules_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hookgate/internal/event"
	"hookgate/rules"
)

// Outputs keep their types from the answer over the database to what comes after, and
// those that were stored as texts before stay texts.
func TestOutputs(t *testing.T) {
	t.Parallel()
	outputs := rules.OutputsOf(map[string]any{
		"id": json.Number("12345678901234567890"), "n": 12, "price": 19.9, "paid": true, "text": "7", "none": nil, "list": []any{1, "a"}, "long": strings.Repeat("x", 1001),
	})
	stored, err := json.Marshal(outputs)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"id":12345678901234567890,"list":"[1,\"a\"]","long":"` + strings.Repeat("x", 1000) + `…","n":12,"paid":true,"price":19.9,"text":"7"}`
	if diff := cmp.Diff(want, string(stored)); diff != "" {
		t.Error(diff)
	}
	var read map[string]event.Output
	if err := json.Unmarshal(stored, &read); err != nil {
		t.Fatal(err)
	}
	values := rules.OutputValues(read)
	delete(values, "long")
	if diff := cmp.Diff(map[string]any{"id": json.Number("12345678901234567890"), "n": 12, "price": 19.9, "paid": true, "text": "7", "list": `[1,"a"]`}, values); diff != "" {
		t.Error(diff)
	}
	for old, want := range map[string]string{`{"id":"12","url":"a\"<b>"}`: `12 a"<b>`, `{"id":12,"url":true}`: "12 true"} {
		var read map[string]event.Output
		if err := json.Unmarshal([]byte(old), &read); err != nil || read["id"].String()+" "+read["url"].String() != want {
			t.Errorf("%s: %v, %v", old, read, err)
		}
	}
	for _, bad := range []string{`{"id":[]}`, `{"id":{}}`} {
		if err := json.Unmarshal([]byte(bad), &read); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
}
