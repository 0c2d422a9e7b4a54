package source_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"hookgate/app/ingest/source"
	"hookgate/internal/calendar"
	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

// scheduled compiles a source of that text, in Berlin, where an office is open
// on working days.
func scheduled(t *testing.T, text string) (*source.Source, diag.List) {
	t.Helper()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	c := lang.NewCompiler()
	c.SetPlace(berlin, "en")
	office, list := officeHours(t)
	if list != nil {
		t.Fatal(list)
	}
	c.SetCalendars(map[string]*calendar.Calendar{"office": office})
	n, faults := yamlnode.Parse("config.yaml", []byte(text))
	if faults.Err() != nil {
		t.Fatal(faults)
	}
	return source.Compile(yamlnode.Plain("monday"), n, c)
}

func officeHours(t *testing.T) (*calendar.Calendar, error) {
	t.Helper()
	d := calendar.Definition{Days: []calendar.Days{{From: time.Monday, To: time.Friday}}, Zone: "Europe/Berlin"}
	return calendar.New(d)
}

func TestSchedule(t *testing.T) {
	t.Parallel()
	src, list := scheduled(t, `{ type: schedule, cron: "0 8,20 * * *", only_during: office, data: { report: leads, n: 3 } }`)
	if list.Err() != nil || src.Posted() || src.HasToken("") || strings.Join(src.EventTypes(), " ") != "scheduled" {
		t.Fatalf("got %+v, %v", src, list)
	}
	s := src.Schedule()
	friday := time.Date(2026, 3, 13, 12, 0, 0, 0, s.Location)
	var got []string
	for _, at := range s.Ticks(friday, 3) {
		got = append(got, at.Format("Mon 15:04"))
	}
	if strings.Join(got, ", ") != "Fri 20:00, Mon 08:00, Mon 20:00" {
		t.Errorf("got the ticks %v", got)
	}
	var data map[string]any
	if err := json.Unmarshal(s.Data(s.Next(friday), 2), &data); err != nil {
		t.Fatal(err)
	}
	if data["report"] != "leads" || data["n"] != 3.0 || data["missed"] != 2.0 || data["scheduled_for"] != "2026-03-13T20:00:00+01:00" {
		t.Errorf("got the data %v", data)
	}
	if sender, shapes := src.Documented(); sender == "" || len(shapes) != 1 || !shapes[0].Complete || len(shapes[0].Fields) < 4 {
		t.Errorf("got the shapes %+v", shapes)
	}
}

func TestSchedule_faults(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{ type: schedule }`: `a schedule needs "cron"`,
		`{ type: schedule, cron: 0 8 * * mon, timezone: Berlin }`:        `no name of the IANA database`,
		`{ type: schedule, cron: 0 8 * * monday }`:                       `names are three letters long`,
		`{ type: schedule, cron: [0, 8] }`:                               `cron`,
		`{ type: schedule, cron: 0 8 * * mon, every: 5m }`:               `a schedule has no key "every"`,
		`{ type: schedule, cron: 0 8 * * mon, token: abc }`:              `a schedule has no key "token"`,
		`{ type: schedule, cron: 0 8 * * mon, data: leads }`:             `"data" must be a mapping`,
		`{ type: schedule, cron: 0 8 * * mon, data: { missed: 1 } }`:     `each tick sets data.missed itself`,
		`{ type: schedule, cron: 0 8 * * mon, missed: all }`:             `"all" is nothing that can become of missed ticks`,
		`{ type: schedule, cron: 0 8 * * mon, only_during: offcie }`:     `no calendar is called "offcie"`,
		`{ type: schedule, cron: 0 8 * * sat-sun, only_during: office }`: `no tick of this schedule is within "office"`,
		`{ type: schedule, cron: "0 0 8 * * mon" }`:                      `this has 6 fields`,
		`{ type: manual, token: abcdefghijklmnopqrst }`:                  `a manual source has no key "token"`,
	} {
		src, list := scheduled(t, text)
		if src != nil || !strings.Contains(list.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, list, want)
		}
	}
}

func TestManual(t *testing.T) {
	t.Parallel()
	src, list := scheduled(t, `{ type: manual }`)
	if list.Err() != nil || src.Posted() || src.TokenInPath() || src.HasToken("") || src.Schedule() != nil || strings.Join(src.EventTypes(), " ") != "manual" {
		t.Fatalf("got %+v, %v", src, list)
	}
}
