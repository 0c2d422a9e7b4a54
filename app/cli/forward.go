package cli

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"hookgate/app/admin"
	"hookgate/app/cli/term"
	"hookgate/app/ingest/source"
	"hookgate/app/web/api/client"
	"hookgate/internal/egress"
	"hookgate/internal/event"
)

const (
	// forwardEvery is how often a forwarder asks for what is new.
	forwardEvery = 500 * time.Millisecond
	// forwardWindow is how far back it looks each time: an event with a smaller
	// number can be committed a little later, and replicas' clocks differ.
	forwardWindow = 10 * time.Second
	// forwardWithin bounds one request to the program at home.
	forwardWithin = 30 * time.Second
	// forwardPage is how many events are asked for at once.
	forwardPage = 200
	// shownAnswer is how much of an answer that is no success is shown, in
	// characters.
	shownAnswer = 120
)

// forwarder posts what comes in on the server to a program at home. Each event
// that is accepted after begin is posted once, in the order of the numbers: what
// was posted is remembered here, and the server is asked, so its restarts and lost
// connections neither lose nor double one.
type forwarder struct {
	session  *session
	server   *client.Client
	search   event.Search
	target   *url.URL
	http     *http.Client
	variable string // that holds the secret; "": nothing is signed
	secret   string

	signings map[string]*source.Signing // by source
	unsigned map[string]bool            // sources of which was told that they sign nothing
	from     time.Time                  // all before it, but for the window, is in seen
	seen     map[event.ID]bool
	view     tailView
}

// newForwarder reads the flags: where to, and the environment variable that
// holds the secret to sign with.
func (s *session) newForwarder(target, variable string, search event.Search) (*forwarder, error) {
	u, err := egress.CheckURL(target)
	if err != nil {
		return nil, usageError("write it like --forward http://localhost:3000/hooks", fmt.Errorf("--forward: %w", err))
	}
	f := &forwarder{
		session: s, search: search, target: u, variable: variable,
		unsigned: map[string]bool{}, seen: map[event.ID]bool{}, view: tailView{session: s},
	}
	// The address is the user's own choice on the user's own machine.
	anywhere := []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}
	f.http = egress.New(egress.Config{AllowPrivate: anywhere}).HTTP(forwardWithin)
	if variable != "" {
		if f.secret, _ = s.env(variable); f.secret == "" {
			return nil, usageError("--sign takes the name of a variable, so that the secret is in no history of the shell",
				fmt.Errorf("the environment has no %s", variable))
		}
	}
	if len(f.search.States) == 0 {
		f.search.States = []event.State{event.Routed, event.NoMatch, event.RuleError}
	}
	return f, nil
}

// run forwards until ctx ends. A server that goes away is waited for.
func (f *forwarder) run(ctx context.Context) error {
	server, err := f.session.connect()
	if err != nil {
		return err
	}
	defer server.Close()
	f.server = server
	if err := f.begin(ctx); err != nil {
		if usage, ok := errors.AsType[*failure](err); ok {
			return usage
		}
		return f.session.searchFailure(f.search.Where, err)
	}
	f.session.note("forwarding to %s what comes in from now on, Ctrl-C ends", f.target.Redacted())
	gone := false
	for pause(ctx, forwardEvery) == nil {
		switch err := f.look(ctx); {
		case ctx.Err() != nil:
		case err == nil && gone:
			f.session.note("the server is back: what came in meanwhile was forwarded")
			gone = false
		case away(err) && !gone:
			f.session.note("the server is gone, waiting for it")
			gone = true
		case err != nil && !away(err):
			return f.session.searchFailure(f.search.Where, err)
		}
	}
	return &failure{code: exitInterrupted}
}

// away reports whether an error says that the server may be back soon.
func away(err error) bool {
	if problem, ok := errors.AsType[*client.Problem](err); ok {
		return problem.Status >= 500 || problem.Status == http.StatusTooManyRequests
	}
	return errors.Is(err, client.ErrUnreachable)
}

// begin marks what is there already.
func (f *forwarder) begin(ctx context.Context) error {
	named := f.search // an error where a name is none
	named.Limit = 1
	if _, err := f.server.Events(ctx, named); err != nil {
		return err
	}
	if err := f.learn(ctx); err != nil {
		return err
	}
	if in := f.search.Source; in != "" && f.variable != "" && f.signings[in] == nil {
		return usageError("leave --sign out", fmt.Errorf("the sender of %q signs nothing", in))
	}
	news, newest, err := f.news(ctx)
	if err != nil {
		return err
	}
	for i := range news {
		f.seen[news[i].ID] = true
	}
	f.from = newest
	return nil
}

// learn asks how senders sign.
func (f *forwarder) learn(ctx context.Context) error {
	page, err := f.server.Inbounds(ctx)
	if err != nil {
		return err
	}
	f.signings = map[string]*source.Signing{}
	for _, in := range page.Items {
		f.signings[in.Name] = in.Signing
	}
	return nil
}

// news are the events that are not seen yet, the oldest first, and the time of
// the newest event that was there before they were asked for.
func (f *forwarder) news(ctx context.Context) ([]admin.Event, time.Time, error) {
	newest := f.from
	var every event.Search
	every.Limit = 1
	last, err := f.server.Events(ctx, every)
	if err != nil {
		return nil, newest, err
	}
	if len(last.Items) > 0 {
		newest = last.Items[0].ID.Time()
	}
	search := f.search
	search.Limit, search.Rule = forwardPage, ""
	if f.from.IsZero() {
		search.Since = newest.Add(-forwardWindow)
	} else {
		search.Since = f.from.Add(-forwardWindow)
	}
	var news []admin.Event
	for {
		page, err := f.server.Events(ctx, search)
		if err != nil {
			return nil, newest, err
		}
		for i := range page.Items {
			if e := &page.Items[i]; !f.seen[e.ID] && f.wanted(e) {
				news = append(news, *e)
			}
		}
		if page.Next == "" {
			slices.SortFunc(news, func(a, b admin.Event) int { return cmp.Compare(a.ID, b.ID) })
			return news, newest, nil
		}
		if search.Before, err = event.ParseID(page.Next); err != nil {
			return nil, newest, err
		}
	}
}

// wanted reports whether the rule of the search, if it has one, listens to an
// event, as in tail.
func (f *forwarder) wanted(e *admin.Event) bool {
	if f.search.Rule == "" || e.State == event.Rejected {
		return true
	}
	return slices.ContainsFunc(e.Rules, func(v admin.Verdict) bool { return v.Rule == f.search.Rule && v.Result != string(event.Skipped) })
}

// look forwards what is new.
func (f *forwarder) look(ctx context.Context) error {
	news, newest, err := f.news(ctx)
	if err != nil {
		return err
	}
	for i := range news {
		detail, err := f.server.Event(ctx, news[i].ID)
		if errors.Is(err, client.ErrNotFound) { // deleted meanwhile
			f.seen[news[i].ID] = true
			continue
		}
		if err != nil {
			return err
		}
		f.seen[detail.ID] = true // before it is posted: it may arrive, whatever comes back
		if err := f.show(&detail, f.post(ctx, &detail)); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	f.from = newest
	old := event.FirstIDAt(newest.Add(-2 * forwardWindow))
	for id := range f.seen {
		if id < old {
			delete(f.seen, id)
		}
	}
	return nil
}

// forwarded is what the program at home answered.
type forwarded struct {
	Status     int     `json:"status,omitempty"`
	Error      string  `json:"error,omitempty"`  // there was no answer
	Answer     string  `json:"answer,omitempty"` // the beginning of one that is no success
	DurationMS float64 `json:"duration_ms"`
}

// post makes the request anew.
func (f *forwarder) post(ctx context.Context, e *admin.EventDetail) (result forwarded) {
	req, err := f.request(ctx, e)
	if err != nil {
		return forwarded{Error: err.Error()}
	}
	began := time.Now()
	defer func() { result.DurationMS = float64(time.Since(began).Microseconds()) / 1000 }()
	res, err := f.http.Do(req)
	if err != nil {
		return forwarded{Error: f.unanswered(err)}
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(res.Body, egress.MaxHeaderBytes))
	result.Status = res.StatusCode
	if res.StatusCode >= 300 && err == nil {
		result.Answer = term.Cut(term.Clean(strings.TrimSpace(string(answer))), shownAnswer)
	}
	return result
}

// unanswered says why there is no answer.
func (f *forwarder) unanswered(err error) string {
	var late interface{ Timeout() bool }
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens at " + f.target.Host
	case errors.As(err, &late) && late.Timeout():
		return "no answer within " + forwardWithin.String()
	}
	return egress.Cause(err).Error()
}

// request is the sender's, as far as it is kept: the method, the body as it came,
// the headers but for credentials, the query. The event's id is added.
func (f *forwarder) request(ctx context.Context, e *admin.EventDetail) (*http.Request, error) {
	target := *f.target
	query := target.Query()
	for name, value := range e.Request.Query {
		switch value := value.(type) {
		case []any:
			for _, one := range value {
				query.Add(name, fmt.Sprint(one))
			}
		default:
			query.Add(name, fmt.Sprint(value))
		}
	}
	target.RawQuery = query.Encode()
	body := e.Base64
	if len(body) == 0 {
		body = []byte(e.Body)
	}
	method, contentType := cmp.Or(e.Request.Method, http.MethodPost), e.Request.ContentType
	if len(body) == 0 && method != http.MethodGet && len(e.Data) > len("{}") {
		body, contentType = e.Data, "application/json" // a form's post with files, whose body is not kept
	}
	req, err := http.NewRequestWithContext(ctx, method, target.String(), bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("the request cannot be made again")
	}
	for name, value := range e.Request.Headers {
		req.Header.Set(name, value)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	req.Header.Set("Hookgate-Event", e.ID.String())
	return req, f.sign(req, body, e)
}

// sign makes the signature anew, where the sender makes one.
func (f *forwarder) sign(req *http.Request, body []byte, e *admin.EventDetail) error {
	if f.variable == "" {
		return nil
	}
	signing, known := f.signings[e.Source]
	if !known { // the configuration may be another one by now
		if err := f.learn(req.Context()); err != nil {
			return fmt.Errorf("how %s signs is not known: %w", e.Source, err)
		}
		signing = f.signings[e.Source]
	}
	if signing == nil {
		if !f.unsigned[e.Source] {
			f.unsigned[e.Source] = true
			f.session.note("the sender of %s signs nothing: what it sends is forwarded without a signature", term.Clean(e.Source))
		}
		return nil
	}
	id := cmp.Or(req.Header.Get(signing.IDHeader), e.ID.String())
	headers, err := signing.Sign(f.secret, source.Message{Method: req.Method, URL: req.URL.String(), ID: id, Body: body, Time: f.session.now()})
	if err != nil {
		return fmt.Errorf("it cannot be signed with %s: %w", f.variable, err)
	}
	for name, value := range headers {
		req.Header.Set(name, value)
	}
	return nil
}

// show prints a line, or with --json an object, of what was forwarded:
//
//	10:42:07  evt_7q2  shop  order.paid  Order 1041  → 200 OK 3 ms
func (f *forwarder) show(e *admin.EventDetail, result forwarded) error {
	s := f.session
	if s.json {
		text, err := json.Marshal(struct {
			admin.Event
			Forwarded forwarded `json:"forwarded"`
		}{e.Event, result})
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(s.data(true), "%s\n", text)
		return err
	}
	var text string
	switch {
	case result.Error != "":
		text = s.out.Bad.Render("✗ " + term.Clean(result.Error))
	case result.Status >= 300:
		text = s.out.Bad.Render(fmt.Sprintf("✗ %d %s", result.Status, http.StatusText(result.Status)))
		if result.Answer != "" {
			text += s.out.Dim.Render(": " + result.Answer)
		}
	default:
		text = fmt.Sprintf("%s %d %s %s", s.out.Good.Render("→"), result.Status, http.StatusText(result.Status), milliseconds(result.DurationMS))
	}
	s.out.Println(f.view.columns(e.Time, &e.Event) + text)
	return s.failed()
}
