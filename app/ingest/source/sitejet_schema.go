package source

import (
	"encoding/json"
	"slices"

	"hookgate/internal/event"
	"hookgate/internal/schema"
)

// sitejetStatuses are the statuses of a website, with their names in Sitejet's
// German interface. The German help page prints the English values in its
// payload too, so that those are what is sent whatever the language.
var sitejetStatuses = []struct{ value, german string }{
	{"Lead", "Lead"},
	{"Interest", "Interesse"},
	{"Preparation", "Vorbereitung"},
	{"Approval", "Überprüfung"},
	{"Assign", "Zuweisung"},
	{"Creation", "Erstellung"},
	{"Audit", "Audit"},
	{"Feedback", "Feedback"},
	{"Revision", "Überarbeitung"},
	{"Publish", "Abwicklung"},
	{"Change", "Änderung"},
	{"Done", "Fertig"},
	{"Redesign", "Redesign"},
}

// sitejetPublished is the one event whose payload Sitejet's help page prints.
const sitejetPublished = "website_status_changed"

// sitejetShapes are the payloads of Sitejet's events. That of a status change
// is the published one. Of the others it is known that they are about a
// website; the rest of them is not published, and so they are not Complete.
func sitejetShapes() []schema.Payload {
	shapes := make([]schema.Payload, 0, len(sitejetTypes))
	for _, typ := range sitejetTypes {
		s := schema.Payload{Type: typ, Complete: typ == sitejetPublished}
		name := documented("event", `"`+typ+`"`, schema.Text)
		name.Values = []string{typ}
		s.Fields = append(s.Fields, name)
		if s.Complete {
			s.Fields = append(s.Fields, statusField("previousStatus", "Publish"))
		}
		s.Fields = append(s.Fields, websiteFields()...)
		slices.SortStableFunc(s.Fields, func(a, b schema.Field) int { return slices.Compare(a.Path, b.Path) })
		shapes = append(shapes, s)
	}
	return shapes
}

// documented makes a field below data from its path, written with dots.
func documented(path, example string, types ...string) schema.Field {
	slices.Sort(types)
	f := schema.Field{Types: types}
	if err := f.Path.UnmarshalText([]byte("data." + path)); err != nil {
		panic(err) // a path in this file is misspelt: every test fails
	}
	if example != "" {
		f.Examples, f.More = []json.RawMessage{json.RawMessage(example)}, true
	}
	return f
}

func statusField(path, example string) schema.Field {
	f := documented(path, `"`+example+`"`, schema.Text)
	f.Labels = map[string]schema.Label{}
	for _, s := range sitejetStatuses {
		f.Values = append(f.Values, s.value)
		if s.german != s.value {
			f.Labels[s.german] = schema.Label{Value: s.value, Language: "German"}
		}
	}
	return f
}

func websiteFields() []schema.Field {
	fields := []schema.Field{
		documented("website", "", schema.Object),
		documented("website.image", `"/website/321654/screenshot"`, schema.Text, schema.Null),
		documented("website.id", "321654", schema.Number),
		documented("website.title", `"Harry's Diner"`, schema.Text),
		documented("website.domain", `"example.com"`, schema.Text, schema.Null),
		documented("website.published_status", "true", schema.Bool),
		documented("website.has_domains", "true", schema.Bool),
		documented("website.domains", "", schema.List),
		documented("website.domains[]", `"example.com"`, schema.Text),
		statusField("website.status", "Done"),
		documented("website.due_date", "", schema.Text, schema.Null),
		documented("website.following", "false", schema.Bool),
		documented("website.tags", "", schema.List),
		documented("website.badges", "", schema.List),
		documented("website.badges[]", "", schema.Object),
		documented("website.badges[].type", `"customer"`, schema.Text),
		documented("website.badges[].status", `"no_invite"`, schema.Text),
		documented("website.meta", "", schema.Object),
	}
	fields = append(fields, userFields("website.assigned_to", true)...)
	for _, role := range []string{"closed_by", "designed_by", "serviced_by"} {
		fields = append(fields, userFields("website."+role, false)...)
	}
	return fields
}

// userFields are those of a person of the agency.
func userFields(at string, nullable bool) []schema.Field {
	types := []string{schema.Object}
	if nullable {
		types = append(types, schema.Null)
	}
	return []schema.Field{
		documented(at, "", types...),
		documented(at+".id", "123", schema.Number),
		documented(at+".name", `"Mary Sales"`, schema.Text),
		documented(at+".email", `"mary-sales@agency.com"`, schema.Text),
		documented(at+".role", `"Sales"`, schema.Text),
		documented(at+".pending", "false", schema.Bool),
		documented(at+".active", "true", schema.Bool),
		documented(at+".forename", `"Mary"`, schema.Text),
		documented(at+".surname", `"Sales"`, schema.Text),
		documented(at+".image", "", schema.Text, schema.Null),
	}
}

// Documented is what the sender publishes of its events, by their types, and
// who it is; nothing where a source takes any sender.
func (s *Source) Documented() (sender string, shapes []schema.Payload) {
	if s.Type == "sitejet" {
		return "Sitejet", sitejetShapes()
	}
	if s.Type == event.Own {
		return "hookgate", ownShapes()
	}
	if s.schedule != nil {
		return "the schedule " + s.Name, []schema.Payload{s.schedule.shape()}
	}
	return "", nil
}
