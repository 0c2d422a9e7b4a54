package main

import (
	"fmt"
	"strings"
)

const (
	token = "bench-token-0123456789"
	// password is that of the operator whose lists and pages are measured.
	password = "bench-password-0123456789"
	// atOnce is the concurrency of a connection.
	atOnce = 16
)

// scenario is what hookgate is to do with the events, and what was measured of
// it.
type scenario struct {
	name    string
	rules   func(*receiver) string // connections and rules of config.yaml
	posts   int                    // what the receiver gets of one event
	samples []sample
}

// scenarios are measured in turns, in this order.
type scenarios struct {
	accept, deliver, deliverTLS1, deliverTLS2, forward, forwardTLS1 scenario
}

func newScenarios() *scenarios {
	twenty := func(way string, match bool) func(*receiver) string {
		return func(r *receiver) string { return twentyRules(r, way, match) }
	}
	whole := func(way string) func(*receiver) string {
		return func(r *receiver) string { return forwardAll(r, way) }
	}
	return &scenarios{
		accept:      scenario{name: "accept", rules: twenty(plain, false)},
		deliver:     scenario{name: "deliver", rules: twenty(plain, true), posts: 2},
		deliverTLS1: scenario{name: "deliver, TLS", rules: twenty(overTLS1, true), posts: 2},
		deliverTLS2: scenario{name: "deliver, HTTP/2", rules: twenty(overTLS2, true), posts: 2},
		forward:     scenario{name: "forward", rules: whole(plain), posts: 1},
		forwardTLS1: scenario{name: "forward, TLS", rules: whole(overTLS1), posts: 1},
	}
}

func (s *scenarios) all() []*scenario {
	return []*scenario{&s.accept, &s.deliver, &s.deliverTLS1, &s.deliverTLS2, &s.forward, &s.forwardTLS1}
}

// conditions are the 20 rules' `when`. The seed payload, a website that went
// from Publish to Done, matches the first and the eighth.
var conditions = [20]string{
	`event.type == "website_status_changed" and data.website.status == "Done"`,
	`event.type == "website_created"`,
	`event.type == "todo_created" and data.website.id > 1000`,
	`event.type == "log_created"`,
	`data.website.status == "Assign"`,
	`data.website.status in ["Interest", "Preparation"]`,
	`data.website.closed_by.role == "Designer"`,
	`data.previousStatus == "Publish" and data.website.closed_by.role == "Sales" and data.website.id > 1000`,
	`data.website.domain endsWith ".de"`,
	`data.website.title contains "Pizza"`,
	`event.type == "domain_created" or event.type == "website_todo_assignee_changed"`,
	`data.website.published_status == false`,
	`data.website.designed_by.id == 999`,
	`data.website.serviced_by.email matches ".*@other\\.com$"`,
	`data.website.id < 1000`,
	`data.website.designed_by.email == "a@b.c"`,
	`data.website.status == "Done" and data.previousStatus == "Review"`,
	`data.website.following == true`,
	`data.website.designed_by.role == "Admin" and data.website.serviced_by.role == "Sales"`,
	`event.type startsWith "billing_"`,
}

// twentyRules are 20 rules with two connections. Unless they are to match, the
// two that would ask for another status, so that as much is evaluated and
// nothing is sent.
func twentyRules(r *receiver, way string, match bool) string {
	var text strings.Builder
	text.WriteString("connections:\n")
	for _, name := range []string{"billing", "crm"} {
		text.WriteString(connection(r, name, way, "signing_secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw, "))
	}
	text.WriteString("rules:\n")
	for n, when := range conditions {
		if !match {
			when = strings.NewReplacer(`"Done"`, `"Never"`, `"Sales"`, `"Never"`).Replace(when)
		}
		to := "billing"
		if n >= 4 {
			to = "crm"
		}
		fmt.Fprintf(&text, `  - name: rule-%d
    from: sitejet
    when: %s
    then:
      - to: %s
        json: { website_id: "${{ data.website.id }}", title: "${{ data.website.title }}", status: "${{ data.website.status }}", previous: "${{ data.previousStatus }}" }
`, n+1, when, to)
	}
	return text.String()
}

// forwardAll is one rule with one condition that passes the whole event on.
func forwardAll(r *receiver, way string) string {
	return "connections:\n" + connection(r, "archive", way, "") + `rules:
  - name: done
    from: sitejet
    when: data.website.status == "Done"
    then:
      - { to: archive, json: "${{ data }}" }
`
}

func connection(r *receiver, name, way, more string) string {
	if way != plain {
		more += fmt.Sprintf("tls: { ca: %q }, ", r.authority)
	}
	return fmt.Sprintf("  %s: { type: webhook, url: %q, %sconcurrency: %d }\n", name, r.url(way, "/"+name), more, atOnce)
}

// config is a whole config.yaml; storage says where the data is.
func config(addr, storage, rules string) string {
	return fmt.Sprintf(`version: 1
server: { listen: "%[1]s", public_url: "http://%[1]s", admin: { user: bench, password: %s } }
storage: { %s }
outbound: { allow_private: [127.0.0.0/8] }
sources:
  sitejet: { type: sitejet, token: %s, dedupe: off }
%s`, addr, password, storage, token, rules)
}
