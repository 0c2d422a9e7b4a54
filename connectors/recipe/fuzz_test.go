package recipe_test

import (
	"os"
	"path/filepath"
	"testing"

	"hookgate/connectors"
	"hookgate/connectors/recipe"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
)

// Whatever a file holds, reading it ends, with a recipe or with the place of
// each fault; and a recipe that was read can be asked.
func FuzzRead(f *testing.F) {
	files, err := filepath.Glob("../recipes/*.yaml")
	if err != nil || len(files) == 0 {
		f.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text, `{"create":"x"}`)
	}
	f.Add([]byte(whole), `{"add":{"kind":"lead","id":7}}`)
	f.Fuzz(func(t *testing.T, text []byte, output string) {
		r, list := recipe.Read("x.yaml", text)
		if (r == nil) == (list.Err() == nil) {
			t.Fatalf("got %v and %v", r, list)
		}
		if r == nil {
			return
		}
		n, _ := yamlnode.Parse("config.yaml", []byte("key: x\napi_key: y"))
		values, _ := r.Values(n)
		_ = r.Action().Check(n, n.Fields())
		_, _ = r.Auth(values)
		if r.Test != nil {
			call := r.TestCall(values)
			if req, err := call.Next(); err == nil && req != nil {
				call.Judge(connectors.Answer{Status: 200, Body: []byte(output)})
				call.Said()
			}
		}
		call, err := r.Call(values, event.Delivery{Output: []byte(output)})
		if err != nil {
			return
		}
		for range 5 {
			if req, err := call.Next(); err != nil || req == nil {
				return
			}
			call.Judge(connectors.Answer{Status: 200, Body: []byte(output)})
			call.Outputs()
		}
	})
}
