package ingest_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"hookgate/app/ingest"
	"hookgate/app/ingest/source"
)

// What rules send beyond what came takes memory, and so do the texts of a post
// with files; where there is none the answer is that all is busy, and nothing
// is stored.
//
// Break: leave out r.grow in Intake.accept, or Grow in Intake.receive.
//
// Promise: P18.
func TestMemory_grows(t *testing.T) {
	t.Parallel()
	g, _, _ := uploads(t)
	long := strings.Repeat("x", 100_000)
	for name, post := range map[string]func() *ingest.Request{
		"outputs larger than the body": func() *ingest.Request { return request("echo", "application/json", `{"note":"`+long+`"}`) },
		"texts of an upload": func() *ingest.Request {
			return &ingest.Request{
				Request: source.Request{Method: "POST", ContentType: "multipart/form-data; boundary=B", Now: time.Now()},
				Source:  "apply", Stream: strings.NewReader(multipartOf(ada, part{name: "other", content: long})),
			}
		},
	} {
		var asked int64
		r := post()
		r.Grow = func(n int64) bool { asked += n; return true }
		if _, err := g.in.Accept(g.plan, r); err != nil || asked < 300_000 {
			t.Errorf("%s: took %d bytes, %v", name, asked, err)
		}
		before := len(g.seen)
		r = post()
		r.Grow = func(int64) bool { return false }
		_, err := g.in.Accept(g.plan, r)
		if busy := (*ingest.BusyError)(nil); !errors.As(err, &busy) || busy.Source || busy.RetryAfter == 0 || len(g.seen) != before {
			t.Errorf("%s: without memory %v, and %d more were stored", name, err, len(g.seen)-before)
		}
	}
	r := request("echo", "application/json", `{"other":"`+long+`"}`)
	r.Grow = func(int64) bool { return false }
	if _, err := g.in.Accept(g.plan, r); err != nil {
		t.Errorf("what sends little: %v", err)
	}
}
