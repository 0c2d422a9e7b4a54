package web_test

import (
	"context"
	"sync"

	"hookgate/app/admin"
	"hookgate/app/ingest"
	"hookgate/app/web/api"
	"hookgate/internal/body"
	"hookgate/internal/event"
)

// firstID is what the fake intake gives to what it takes.
const firstID event.ID = 1 << 40

// fakeIntake is a fake intake: it keeps what came and answers as told.
type fakeIntake struct {
	mu       sync.Mutex
	requests []*ingest.Request
	ack      ingest.Ack
	err      error
	panic    bool
	forget   bool          // keep no requests
	hold     chan struct{} // when set, Event waits until it is closed
	entered  chan struct{}
}

// Accept takes a request; of a visitor's post it tells what the form makes of it.
func (f *fakeIntake) Accept(plan *ingest.Plan, r *ingest.Request) (ingest.Ack, error) {
	ack, err := f.take(r)
	form := plan.Forms[r.Source]
	if err != nil || form == nil || form.Webhook() {
		return ack, err
	}
	posted, err := body.Fields(body.Input{ContentType: r.ContentType, ContentEncoding: r.ContentEncoding, Raw: r.Body}, form.Limits())
	if err != nil {
		return ingest.Ack{}, err
	}
	if ack.Form = form.Submit(posted); len(ack.Form.Problems) > 0 {
		return ingest.Ack{Form: ack.Form}, nil
	}
	return ack, nil
}

func (f *fakeIntake) take(r *ingest.Request) (ingest.Ack, error) {
	f.mu.Lock()
	if !f.forget {
		f.requests = append(f.requests, r)
	}
	ack, err, hold, entered, panics := f.ack, f.err, f.hold, f.entered, f.panic
	f.mu.Unlock()
	if entered != nil {
		entered <- struct{}{}
	}
	if hold != nil {
		<-hold
	}
	if panics {
		panic("a test's panic")
	}
	return ack, err
}

func (f *fakeIntake) answer(ack ingest.Ack, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ack, f.err = ack, err
}

func (f *fakeIntake) taken() []*ingest.Request {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]*ingest.Request(nil), f.requests...)
}

// fakeAdmin is a Service that has nothing.
type fakeAdmin struct{ api.Service }

func (fakeAdmin) Status(context.Context) (admin.Status, error) {
	return admin.Status{Version: "test", Ready: true}, nil
}
