package demo

import (
	"embed"
	"net/http"
	"net/url"
)

//go:embed config.yaml sales contact.html brief.pdf
var files embed.FS

// sample is one request that the demo makes, and what must come of it.
type sample struct {
	title  string
	source string // of the config
	sample string // of Sitejet: its name
	form   url.Values
	brief  bool     // the form is posted with a file
	status int      // that the server must answer
	want   []string // the deliveries that must arrive: rule/connection
	later  []string // those that must be scheduled
	note   string   // what is to be seen in it
}

// requests are the demo's requests, in their order: Sitejet's six types of
// events, its published example as printed (a comma is missing), and posts of
// a form by a person and by a robot.
func requests() []sample {
	sitejet := func(title, name string, want ...string) sample {
		return sample{title: title, source: "sitejet", sample: name, status: http.StatusAccepted, want: want}
	}
	lead := url.Values{
		"name": {"Ada Lovelace"}, "email": {"ada@example.com"}, "budget": {"7500"},
		"message": {"We need a new site <soon> & a shop."}, "_gotcha": {""},
	}
	robot := url.Values{
		"name": {"Best Prices"}, "email": {"robot@example.net"},
		"message": {"Buy now"}, "_gotcha": {"https://example.net/"},
	}
	return []sample{
		sitejet("A website is created", "website_created"),
		sitejet("The website goes from Interest to Preparation", "interest_to_preparation",
			"create-subscription/billing"),
		sitejet("A to-do is created", "todo_created"),
		sitejet("The to-do gets an assignee", "website_todo_assignee_changed"),
		sitejet("A log entry is written", "log_created"),
		sitejet("A domain is added", "domain_created"),
		sitejet("The website goes from Publish to Done", "website_status_changed",
			"activate-subscription/billing", "announce-status/slack-web"),
		{
			title: "Sitejet's published example, as printed", source: "sitejet",
			sample: "as_printed", status: http.StatusBadRequest,
		},
		{
			title: "Ada fills in the contact form", source: "contact", form: lead, brief: true,
			status: http.StatusSeeOther, want: []string{"new-lead/slack-web"}, later: []string{"remind/slack-web"},
		},
		{
			title: "A robot fills in the contact form", source: "contact", form: robot,
			status: http.StatusSeeOther, note: "the robot sees the same page as Ada",
		},
	}
}
