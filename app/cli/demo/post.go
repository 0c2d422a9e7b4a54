package demo

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"hookgate/app/admin"
	"hookgate/app/ingest/samples"
	"hookgate/app/web/api"
	"hookgate/internal/event"
)

// patience is how long the demo waits for a sample's deliveries to end.
const patience = 15 * time.Second

// result is what came of one sample.
type result struct {
	sample
	status   int
	took     time.Duration
	problem  api.Problem // of an answer that is no success
	event    admin.EventDetail
	arrivals []arrival
}

// ok reports whether the sample went as expected.
func (r *result) ok() bool {
	return r.status == r.sample.status && r.missing() == 0 && r.surplus() == 0
}

// arrived counts the expected deliveries that were delivered.
func (r *result) arrived() int {
	return min(r.count(r.want, event.Delivered), len(r.arrivals))
}

// count counts the deliveries of these names that have a state.
func (r *result) count(names []string, state event.DeliveryState) int {
	n := 0
	for _, d := range r.event.Deliveries {
		if d.State == state && slices.Contains(names, d.Name) {
			n++
		}
	}
	return n
}

// missing counts the expected deliveries that did not arrive, or are not scheduled.
func (r *result) missing() int {
	return len(r.want) - r.arrived() + len(r.later) - r.count(r.later, event.Scheduled)
}

// surplus counts what arrived without being expected, or with a wrong signature.
func (r *result) surplus() int {
	n := max(0, len(r.event.Deliveries)-len(r.want)-len(r.later), len(r.arrivals)-len(r.want))
	for _, a := range r.arrivals {
		if a.fault != nil {
			n++
		}
	}
	return n
}

// run posts one sample, waits for its deliveries and prints the whole of it.
func (d *demo) run(ctx context.Context, number int, s sample) (result, error) {
	d.printTitle(number, s.title)
	r := result{sample: s}
	if err := d.post(ctx, &r); err != nil {
		return r, err
	}
	if err := d.follow(ctx, &r); err != nil {
		return r, err
	}
	r.arrivals = d.receiver.take()
	d.printResult(&r)
	return r, nil
}

// post sends the sample as its sender would.
func (d *demo) post(ctx context.Context, r *result) error {
	req, err := d.request(ctx, &r.sample)
	if err != nil {
		return err
	}
	sender := http.Client{
		Timeout:       patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	defer sender.CloseIdleConnections()
	start := time.Now()
	res, err := sender.Do(req)
	if err != nil {
		return fmt.Errorf("posting a sample: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	r.took, r.status = time.Since(start), res.StatusCode
	answer, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return fmt.Errorf("reading the server's answer: %w", err)
	}
	if strings.HasPrefix(res.Header.Get("Content-Type"), "application/problem+json") {
		return json.Unmarshal(answer, &r.problem)
	}
	return nil
}

func (d *demo) request(ctx context.Context, s *sample) (*http.Request, error) {
	if s.form != nil {
		typ, content, err := formBody(s.form, s.brief)
		if err != nil {
			return nil, err
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.base+"/f/"+s.source, bytes.NewReader(content))
		if err != nil {
			return nil, err
		}
		req.Header.Set("Content-Type", typ)
		req.Header.Set("Accept", "text/html") // as a browser does
		req.Header.Set("Origin", d.receiver.url())
		return req, nil
	}
	sample, err := samples.Choose(samples.Of("sitejet"), "Sitejet", s.sample)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.base+"/in/"+s.source+"/"+url.PathEscape(d.place.token), strings.NewReader(sample.Body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	return req, nil
}

// formBody is a form post, as the browser makes it that has a file to send with
// it or none, and its content type.
func formBody(form url.Values, brief bool) (typ string, content []byte, err error) {
	if !brief {
		return "application/x-www-form-urlencoded", []byte(form.Encode()), nil
	}
	file, err := files.ReadFile("brief.pdf")
	if err != nil {
		return "", nil, err
	}
	var b bytes.Buffer
	parts := multipart.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(form)) {
		if err := parts.WriteField(name, form.Get(name)); err != nil {
			return "", nil, err
		}
	}
	w, err := parts.CreateFormFile("brief", "brief.pdf")
	if err != nil {
		return "", nil, err
	}
	if _, err := w.Write(file); err != nil {
		return "", nil, err
	}
	err = parts.Close()
	return parts.FormDataContentType(), b.Bytes(), err
}

// follow reads the sample's event from the server until its deliveries have ended.
func (d *demo) follow(ctx context.Context, r *result) error {
	page, err := d.api.Events(ctx, event.Search{Filter: event.Filter{Source: r.source, Limit: 1}})
	if err != nil {
		return err
	}
	if len(page.Items) == 0 {
		return errors.New("the server kept no event of the sample")
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		if r.event, err = d.api.Event(ctx, page.Items[0].ID); err != nil {
			return err
		}
		slices.SortFunc(r.event.Deliveries, func(a, b admin.Delivery) int { return cmp.Compare(a.ID, b.ID) })
		if ended(r.event.Deliveries) {
			return nil
		}
		select {
		case <-tick.C:
		case <-late.C:
			return nil // what is missing shows in the result
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// ended reports whether nothing is under way any more.
func ended(deliveries []admin.Delivery) bool {
	for _, d := range deliveries {
		switch d.State {
		case event.Waiting, event.Sending:
			return false
		case event.Retrying, event.Delivered, event.Failed, event.Held, event.Scheduled, event.Cancelled:
		}
	}
	return true
}
