package main

import (
	"fmt"
	"strings"
)

const token = "bench-token-0123456789"

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

// config is a whole config.yaml; storage says where the data is. Without deliver the two rules that would match
// ask for another status, so that as much is evaluated and nothing is sent.
func config(addr, sink, storage string, deliver bool) string {
	var text strings.Builder
	fmt.Fprintf(&text, `version: 1
server: { listen: "%s", public_url: "http://%s" }
storage: { %s }
outbound: { allow_private: [127.0.0.0/8] }
sources:
  sitejet: { type: sitejet, token: %s, dedupe: off }
connections:
  billing: { type: webhook, url: "http://%s/billing", signing_secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw, concurrency: 16 }
  crm: { type: webhook, url: "http://%s/crm", signing_secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw, concurrency: 16 }
rules:
`, addr, addr, storage, token, sink, sink)
	for n, when := range conditions {
		if !deliver {
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
