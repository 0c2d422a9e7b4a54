package source_test

import (
	"encoding/json"
	"strings"
	"testing"

	"hookgate/app/ingest/source"
)

// What is signed anew, by what the API tells of a source, is what the source
// accepts: for every scheme.
func TestSigning(t *testing.T) {
	t.Parallel()
	all := senders()
	all["netlify"] = sender{config: "scheme: netlify"}
	for name, sender := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := sender.source(t, sender.oneSecret())
			if s.Signing() == nil {
				if !strings.Contains(sender.config, "basic") && !strings.Contains(sender.config, "bearer") {
					t.Error("nothing says how it signs")
				}
				return
			}
			text, err := json.Marshal(s.Signing())
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(text), secretA) {
				t.Fatalf("it shows the secret: %s", text)
			}
			var told source.Signing
			if err := json.Unmarshal(text, &told); err != nil {
				t.Fatal(err)
			}
			const body = `{"a":"ü"}`
			sign := func(secret string) map[string]string {
				headers, err := told.Sign(secret, source.Message{Method: "POST", URL: address, ID: "7", Body: []byte(body), Time: now})
				if err != nil {
					t.Fatal(err)
				}
				return headers
			}
			if err := s.Authenticate(request(body, sign(secretA))); err != nil {
				t.Errorf("%s: %v", text, err)
			}
			if err := s.Authenticate(request(body, sign(secretB))); err == nil {
				t.Error("another secret is accepted")
			}
			if _, err := told.Sign("", source.Message{}); err == nil {
				t.Error("an empty secret signs")
			}
		})
	}
}
