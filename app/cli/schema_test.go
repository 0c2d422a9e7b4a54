package cli_test

import (
	"encoding/json"
	"testing"
)

func TestSchema(t *testing.T) {
	t.Parallel()
	got := run(t, "schema")
	var schema struct {
		Schema     string                     `json:"$schema"`
		Properties map[string]json.RawMessage `json:"properties"`
	}
	if err := json.Unmarshal([]byte(got.out), &schema); err != nil || got.code != 0 || got.errOut != "" {
		t.Fatalf("got %d %q, %v", got.code, got.errOut, err)
	}
	if schema.Schema != "https://json-schema.org/draft/2020-12/schema" || schema.Properties["connections"] == nil {
		t.Errorf("got %+v", schema)
	}
}
