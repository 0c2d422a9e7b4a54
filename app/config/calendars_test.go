package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hookgate/app/config"
)

func TestCalendars(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	path := write("config.yaml", `version: 1
server: { timezone: Europe/Berlin }
calendars:
  office: { days: mon-fri, hours: 09:00-17:30, holidays: holidays.txt }
  list: { days: [mon, sat-sun], hours: [08:00-12:00, 22:00-02:00], timezone: UTC, holidays: [01-01, 2026-04-03] }
  one: { holidays: 12-25 }
  always: {}
`)
	file := write("holidays.txt", "\uFEFF# of Berlin\r\n01-01 New Year\n\n2026-04-03   Good Friday\n12-25 # Christmas\n")
	doc, report := config.Load(path, lookup(nil))
	all := doc.CalendarsByName()
	friday := time.Date(2026, 4, 3, 10, 0, 0, 0, time.UTC)
	if c := all["office"]; c == nil || c.Open(friday) || !c.Open(friday.AddDate(0, 0, -1)) || c.Zone().String() != "Europe/Berlin" {
		t.Errorf("office: %+v, %v", c, report.List)
	}
	if c := all["list"]; c == nil || c.Open(friday) || !c.Open(friday.AddDate(0, 0, 1)) || !c.Open(time.Date(2026, 4, 7, 1, 59, 0, 0, time.UTC)) {
		t.Errorf("list: %+v, %v", c, report.List)
	}
	if c := all["always"]; c == nil || !c.Open(friday) {
		t.Errorf("always: %+v, %v", c, report.List)
	}
	if len(report.Parts.Files) != 1 || report.Parts.Files[0] != file {
		t.Errorf("got the parts %v", report.Parts)
	}
	before := doc.Hash
	write("holidays.txt", "01-01\n2026-04-03 x\n  25-12\n2026-13-01\n")
	doc, report = config.Load(path, lookup(nil))
	if doc.Hash == before {
		t.Error("another file of holidays is the same configuration")
	}
	var rendered strings.Builder
	if err := report.Render(&rendered, false); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{file + ":3:3", "   3 |   25-12\n     |   ^^^^^", file + ":4:1"} {
		if !strings.Contains(rendered.String(), want) {
			t.Errorf("%q is not in\n%s", want, rendered.String())
		}
	}
	write("holidays.txt", "# none\n")
	if _, report = config.Load(path, lookup(nil)); !strings.Contains(report.List.Error(), "holds no date") {
		t.Errorf("an empty file: got %v", report.List)
	}
}

// Nobody has written down next year's.
func TestHolidaysEnd(t *testing.T) {
	t.Parallel()
	doc, report := config.Parse("config.yaml", []byte(`version: 1
calendars:
  office: { holidays: [2026-04-03, 12-25, 2026-04-06, 2025-12-31], timezone: Europe/Berlin }
  yearly: { holidays: [12-25] }
`), lookup(nil))
	if report.Err() != nil {
		t.Fatal(report.List)
	}
	last := time.Date(2026, 4, 6, 21, 59, 0, 0, time.UTC)
	if list := doc.HolidaysEnd(last); len(list) > 0 {
		t.Errorf("on the last day: got %v", list)
	}
	want := `warn[holidays-end] config.yaml:3:43: the last dated holiday of the calendar "office" is over (add those to come; MM-DD is a holiday every year)`
	if list := doc.HolidaysEnd(last.Add(time.Minute)); list.Error() != want {
		t.Errorf("got %v\nwant %s", list, want)
	}
}
