package source_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"hookgate/app/ingest/source"
)

// One Source serves all requests at once.
func TestConcurrently(t *testing.T) {
	t.Parallel()
	s := MustCompile(t, "type: webhook\nverify: { scheme: github, secrets: [x, y] }")
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for j := range 100 {
				body := fmt.Sprint(i, j)
				r := request(body, map[string]string{"X-Hub-Signature-256": "sha256=" + hexMAC("y", body)})
				if err := s.Authenticate(r); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
}

// Nobody without the secret gets in, whatever the headers hold.
func FuzzVerify(f *testing.F) {
	for name, sender := range senders() {
		if strings.HasPrefix(name, "basic") || strings.HasPrefix(name, "bearer") {
			continue
		}
		for _, value := range sender.sign(secretB, "{}", now) {
			f.Add(value, seconds(now), "id", []byte("{}"))
		}
	}
	var all []*source.Source
	for _, sender := range senders() {
		all = append(all, MustCompile(f, "type: webhook\nverify: { "+sender.config+", "+sender.oneSecret()+" }"))
	}
	f.Fuzz(func(t *testing.T, signature, timestamp, id string, body []byte) {
		header := func(name string) string {
			switch name = strings.ToLower(name); {
			case strings.Contains(name, "time"):
				return timestamp
			case strings.HasSuffix(name, "id"):
				return id
			}
			return signature
		}
		for _, s := range all {
			r := &source.Request{Method: "POST", URL: address, Header: header, Body: body, Now: now}
			if err := s.Authenticate(r); !errors.Is(err, source.ErrBadSignature) {
				t.Fatalf("%v", err)
			}
		}
	})
}

func BenchmarkAuthenticate(b *testing.B) {
	s := MustCompile(b, "type: webhook\nverify: { scheme: standard-webhooks, secret: "+secretA+" }")
	body := strings.Repeat("x", 1300)
	header := senders()["standard-webhooks"].sign(secretA, body, now)
	r := &source.Request{Header: func(name string) string { return header[name] }, Body: []byte(body), Now: now}
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Authenticate(r); err != nil {
			b.Fatal(err)
		}
	}
}
