package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
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
