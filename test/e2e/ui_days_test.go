package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"hookgate/test/lab"
)

// inZone has the browser be in a time zone.
func inZone(ctx context.Context, t *testing.T, zone string) {
	t.Helper()
	err := chromedp.Do(ctx, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: zone})
		return err
	}))
	if err != nil {
		t.Fatalf("the browser: %v", err)
	}
}

// Each row of a list stands below the heading of its day, in the zone that its time is
// written in: the browser's where scripts run, else the server's. What the rows lack are
// days that begin at another hour, so what is scheduled spans more than a day.
//
// Negative control: local without parted.
func TestUIDays(t *testing.T) {
	t.Parallel()
	sink := lab.NewSink(t, nil)
	var later strings.Builder
	for hours := 3; hours <= 27; hours += 3 {
		fmt.Fprintf(&later, "      - { to: crm, delay: %dh, json: { in: %d } }\n", hours, hours)
	}
	g := lab.New(t, fmt.Sprintf(`
sources:
  shop: { type: webhook, token: 0123456789abcdef }
connections:
  crm: { type: webhook, url: %q }
rules:
  - name: remind
    from: shop
    then:
%s`, sink.URL, later.String()))
	g.Extra = "  timezone: UTC\n  admin: { user: team, password: correct horse battery }\n"
	g.Start()
	g.Accepted(g.PostJSON("/in/shop/0123456789abcdef", []byte(`{"n":1}`)))
	ctx := browser(t)
	inZone(ctx, t, "Asia/Tokyo")
	logIn(ctx, t, g)
	for path, title := range map[string]string{"scheduled": "Scheduled", "events": "Events"} {
		underDays(ctx, t, g.URL+"/ui/"+path, title, "Asia/Tokyo")
	}
	show(ctx, t, g.URL+"/ui/scheduled")
	accessible(ctx, t, "a list that was parted anew")
	unscripted(ctx, t)
	underDays(ctx, t, g.URL+"/ui/scheduled", "Scheduled", "UTC")
}

// What the inbox of a form writes of a post is its minute where that was today, and its day
// else, in the zone that it is written in: the browser's where scripts run. The posts of
// two days are written by the page's own scripts, for all that there is was posted now.
//
// Negative control: the server's choice of minute or day kept in the page.
func TestUIDays_inbox(t *testing.T) {
	t.Parallel()
	var status atomic.Int32
	status.Store(http.StatusOK)
	g := startUI(t, &status) // in Europe/Berlin
	written(t, g, "name", "Ada", "message", "hello")
	ctx := browser(t)
	const zone = "Pacific/Kiritimati" // fourteen hours before UTC: it is seldom the same day there
	inZone(ctx, t, zone)
	logIn(ctx, t, g)
	show(ctx, t, g.URL+"/ui/forms/contact")
	settled(ctx, t, "Forms")
	var inbox struct {
		Now   int64
		Posts [][2]string
	}
	text := ask(ctx, t, chromedp.Evaluate[string](`(() => {
		const posts = document.querySelectorAll(".mails"), last = posts[0].lastElementChild, first = last.querySelector("time");
		const began = new Date(first.dateTime), now = Date.now();
		for (let hours = 1; hours <= 47; hours++) {
			const row = last.cloneNode(true);
			row.querySelector("time").dateTime = new Date(began - hours * 3600e3).toISOString();
			posts[0].append(row);
		}
		local(posts[0]);
		return JSON.stringify({ Now: now, Posts: [...posts[0].querySelectorAll("time")].map(t => [t.dateTime, t.textContent]) });
	})()`))
	if err := json.Unmarshal([]byte(text), &inbox); err != nil || len(inbox.Posts) != 48 {
		t.Fatal(text, err)
	}
	where, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	now := time.UnixMilli(inbox.Now).In(where)
	for _, post := range inbox.Posts {
		at, err := time.Parse(time.RFC3339, post[0])
		if err != nil {
			t.Fatal(err)
		}
		want := at.In(where).Format("2 Jan")
		if at.In(where).Format(time.DateOnly) == now.Format(time.DateOnly) {
			want = at.In(where).Format("15:04")
		}
		same(t, "a post of "+post[0], want, strings.Replace(post[1], "Sept", "Sep", 1))
	}
}

func underDays(ctx context.Context, t *testing.T, address, title, zone string) {
	t.Helper()
	where, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	show(ctx, t, address)
	settled(ctx, t, title)
	var rows [][]string
	text := ask(ctx, t, chromedp.Evaluate[string](`(() => {
		let day;
		return JSON.stringify([...document.querySelectorAll("[data-rows] tbody tr")].flatMap(row => {
			if (row.matches(".day")) { day = row.innerText; return [] }
			const time = row.querySelector("time");
			return [[day, time.dateTime, time.innerText]];
		}));
	})()`))
	if err := json.Unmarshal([]byte(text), &rows); err != nil || len(rows) == 0 {
		t.Fatal(text, err)
	}
	for _, row := range rows {
		at, err := time.Parse(time.RFC3339, row[1])
		if err != nil {
			t.Fatal(err)
		}
		same(t, zone+": the day above "+row[1], at.In(where).Format("Monday 2 January 2006"), strings.ReplaceAll(strings.TrimSpace(row[0]), ",", "")) // browsers differ in the comma
		if clock := at.In(where).Format("15:04"); !strings.HasPrefix(row[2], clock) {
			t.Errorf("%s: %s is written as %s, want %s", zone, row[1], row[2], clock)
		}
	}
}
