// Package samples holds what known senders and form builders send, so that
// rules can be tried before a sender has sent anything.
package samples

import (
	"embed"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"hookgate/app/ingest"
	"hookgate/app/ingest/source"
	"hookgate/forms/builder"
	"hookgate/internal/body"
	"hookgate/internal/diag"
	"hookgate/internal/event"
)

//go:embed files
var files embed.FS

// Sample is one request of a sender.
type Sample struct {
	// Sender is a type of source, a scheme of `verify`, a format of forms, or
	// for a form that visitors fill in the form's name.
	Sender string `json:"sender"`
	Name   string `json:"name"` // unique among the sender's; mostly the type of the event
	About  string `json:"about"`
	// Form says that a form takes it.
	Form        bool              `json:"form"`
	ContentType string            `json:"content_type"`
	Headers     map[string]string `json:"headers,omitempty"` // besides; of a type that is told there
	Body        string            `json:"body"`
}

// entry is one of the table: where its body is, below files, and what stands
// besides it in the request.
type entry struct {
	sender, name, file, about string
	headers                   map[string]string
}

// entries are the samples of sources. The first of a sender is the one that is
// meant where none is named.
var entries = []entry{
	{"sitejet", "website_status_changed", "sitejet/website_status_changed.json", "a website goes from Publish to Done", nil},
	{"sitejet", "interest_to_preparation", "sitejet/interest_to_preparation.json", "a website goes from Interest to Preparation", nil},
	{"sitejet", "website_created", "sitejet/website_created.json", "a website is created", nil},
	{"sitejet", "todo_created", "sitejet/todo_created.json", "a to-do is created", nil},
	{"sitejet", "website_todo_assignee_changed", "sitejet/website_todo_assignee_changed.json", "a to-do gets an assignee", nil},
	{"sitejet", "log_created", "sitejet/log_created.json", "a log entry is written", nil},
	{"sitejet", "domain_created", "sitejet/domain_created.json", "a domain is added", nil},
	{"sitejet", "as_printed", "sitejet/documented-verbatim.txt", "the published example as it is printed: a comma is missing, so that it is rejected", nil},
	{"github", "push", "github-push.json", "a commit is pushed", map[string]string{"X-GitHub-Event": "push"}},
	{"github", "issues", "github-issues.json", "an issue is opened", map[string]string{"X-GitHub-Event": "issues"}},
	{"github", "ping", "github-ping.json", "what GitHub sends when a webhook is made", map[string]string{"X-GitHub-Event": "ping"}},
	{"stripe", "checkout.session.completed", "stripe-checkout.json", "somebody has paid", nil},
	{"stripe", "invoice.payment_failed", "stripe-invoice.json", "a payment failed", nil},
	{"shopify", "orders/paid", "shopify-order.json", "an order is paid", map[string]string{"X-Shopify-Topic": "orders/paid"}},
	{"slack", "app_mention", "slack-message.json", "somebody mentions the app in a channel", nil},
	{"hubspot", "contact.creation", "hubspot-contact.json", "a contact is made", nil},
	{"standard-webhooks", "order.paid", "standard-webhooks-order.json", "an order is paid", nil},
	{"webhook", "order_paid", "webhook-message.json", "any other sender: an order is paid", nil},
}

// otherSender stands for all senders that are not known.
const otherSender = "webhook"

// All lists the samples of all senders and form builders.
func All() []Sample {
	formats := builder.Formats()
	list := make([]Sample, 0, len(entries)+len(formats))
	for _, e := range entries {
		content, err := files.ReadFile("files/" + e.file)
		if err != nil {
			panic("samples: " + err.Error()) // a fault of the table, which a test finds
		}
		list = append(list, Sample{
			Sender: e.sender, Name: e.name, About: e.about, ContentType: body.GuessType(e.file, content), Headers: e.headers, Body: string(content),
		})
	}
	for _, own := range source.OwnSamples() {
		list = append(list, Sample{Sender: event.Own, Name: own.Type, About: own.About, ContentType: "application/json", Body: string(own.Write())})
	}
	for _, f := range formats {
		contentType, content := f.Sample()
		list = append(list, Sample{
			Sender: f.Name, Name: event.FormSubmitted, About: "a form is filled in", Form: true, ContentType: contentType, Body: content,
		})
	}
	return list
}

// Of lists the samples of one sender; nil where it has none.
func Of(sender string) []Sample {
	return slices.DeleteFunc(All(), func(s Sample) bool { return s.Sender != sender })
}

// For lists the samples for a source or form of a configuration, the one that
// is meant where none is named first. A source whose sender is not known gets
// that of any other. The error is ingest.ErrNoSource.
func For(plan *ingest.Plan, name string) ([]Sample, error) {
	if f := plan.Forms[name]; f != nil {
		format := f.Format()
		if format == "" {
			contentType, content := f.Sample()
			return []Sample{{
				Sender: name, Name: event.FormSubmitted, About: "the form is filled in", Form: true, ContentType: contentType, Body: content,
			}}, nil
		}
		return slices.DeleteFunc(Of(format), func(s Sample) bool { return !s.Form }), nil
	}
	src := plan.Sources[name]
	if src == nil {
		return nil, fmt.Errorf("%q: %w", name, ingest.ErrNoSource)
	}
	if s := src.Schedule(); s != nil {
		return []Sample{{
			Sender: src.Type, Name: event.Tick, About: "the clock makes an event", ContentType: "application/json", Body: string(s.Sample()),
		}}, nil
	}
	list := Of(src.Sender())
	if ours := slices.DeleteFunc(slices.Clone(list), func(s Sample) bool { return s.Form }); len(ours) > 0 {
		return ours, nil
	}
	if len(list) > 0 { // of a form builder, whose posts a source takes as well
		return list, nil
	}
	return Of(otherSender), nil
}

// UnknownError says that a sender has no sample of the name.
type UnknownError struct {
	Of, Name string
	Known    []string
}

func (e *UnknownError) Error() string {
	return fmt.Sprintf("there is no sample %q of %s", e.Name, e.Of)
}

// Hint says which sample may be meant.
func (e *UnknownError) Hint() string {
	if hint := diag.DidYouMean(e.Name, e.Known); hint != "" {
		return hint
	}
	return "there is " + strings.Join(e.Known, ", ")
}

// ErrNone says that a list has no samples.
var ErrNone = errors.New("there is no sample of it")

// Choose is the sample of the name among those of one sender, the first where
// name is "".
func Choose(list []Sample, of, name string) (Sample, error) {
	if len(list) == 0 {
		return Sample{}, fmt.Errorf("%s: %w", of, ErrNone)
	}
	known := make([]string, len(list))
	for i, s := range list {
		if s.Name == name || name == "" {
			return s, nil
		}
		known[i] = s.Name
	}
	return Sample{}, &UnknownError{Of: of, Name: name, Known: known}
}

// Request makes r a post of the sample; header fields that r has stay.
func (s *Sample) Request(r *ingest.Request) {
	r.Method, r.ContentType, r.Body = http.MethodPost, s.ContentType, []byte(s.Body)
	headers := map[string]string{"content-type": s.ContentType}
	for _, fields := range []map[string]string{s.Headers, r.Headers} {
		for name, value := range fields {
			headers[strings.ToLower(name)] = value
		}
	}
	r.Headers = headers
}
