package source

import (
	"encoding/json"
	"slices"

	"hookgate/app/shape"
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
func sitejetShapes() []shape.Shape {
	shapes := make([]shape.Shape, 0, len(sitejetTypes))
	for _, typ := range sitejetTypes {
		s := shape.Shape{Type: typ, Complete: typ == sitejetPublished}
		name := documented("event", `"`+typ+`"`, shape.Text)
		name.Values = []string{typ}
		s.Fields = append(s.Fields, name)
		if s.Complete {
			s.Fields = append(s.Fields, statusField("previousStatus", "Publish"))
		}
		s.Fields = append(s.Fields, websiteFields()...)
		slices.SortStableFunc(s.Fields, func(a, b shape.Field) int { return slices.Compare(a.Path, b.Path) })
		shapes = append(shapes, s)
	}
	return shapes
}

// documented makes a field below data from its path, written with dots.
func documented(path, example string, types ...string) shape.Field {
	slices.Sort(types)
	f := shape.Field{Types: types}
	if err := f.Path.UnmarshalText([]byte("data." + path)); err != nil {
		panic(err) // a path in this file is misspelt: every test fails
	}
	if example != "" {
		f.Examples, f.More = []json.RawMessage{json.RawMessage(example)}, true
	}
	return f
}

func statusField(path, example string) shape.Field {
	f := documented(path, `"`+example+`"`, shape.Text)
	f.Labels = map[string]shape.Label{}
	for _, s := range sitejetStatuses {
		f.Values = append(f.Values, s.value)
		if s.german != s.value {
			f.Labels[s.german] = shape.Label{Value: s.value, Language: "German"}
		}
	}
	return f
}

func websiteFields() []shape.Field {
	fields := []shape.Field{
		documented("website", "", shape.Object),
		documented("website.image", `"/website/321654/screenshot"`, shape.Text, shape.Null),
		documented("website.id", "321654", shape.Number),
		documented("website.title", `"Harry's Diner"`, shape.Text),
		documented("website.domain", `"example.com"`, shape.Text, shape.Null),
		documented("website.published_status", "true", shape.Bool),
		documented("website.has_domains", "true", shape.Bool),
		documented("website.domains", "", shape.List),
		documented("website.domains[]", `"example.com"`, shape.Text),
		statusField("website.status", "Done"),
		documented("website.due_date", "", shape.Text, shape.Null),
		documented("website.following", "false", shape.Bool),
		documented("website.tags", "", shape.List),
		documented("website.badges", "", shape.List),
		documented("website.badges[]", "", shape.Object),
		documented("website.badges[].type", `"customer"`, shape.Text),
		documented("website.badges[].status", `"no_invite"`, shape.Text),
		documented("website.meta", "", shape.Object),
	}
	fields = append(fields, userFields("website.assigned_to", true)...)
	for _, role := range []string{"closed_by", "designed_by", "serviced_by"} {
		fields = append(fields, userFields("website."+role, false)...)
	}
	return fields
}

// userFields are those of a person of the agency.
func userFields(at string, nullable bool) []shape.Field {
	types := []string{shape.Object}
	if nullable {
		types = append(types, shape.Null)
	}
	return []shape.Field{
		documented(at, "", types...),
		documented(at+".id", "123", shape.Number),
		documented(at+".name", `"Mary Sales"`, shape.Text),
		documented(at+".email", `"mary-sales@agency.com"`, shape.Text),
		documented(at+".role", `"Sales"`, shape.Text),
		documented(at+".pending", "false", shape.Bool),
		documented(at+".active", "true", shape.Bool),
		documented(at+".forename", `"Mary"`, shape.Text),
		documented(at+".surname", `"Sales"`, shape.Text),
		documented(at+".image", "", shape.Text, shape.Null),
	}
}

// Documented is what the sender publishes of its events, by their types, and
// who it is; nothing where a source takes any sender.
func (s *Source) Documented() (sender string, shapes []shape.Shape) {
	if s.Type == "sitejet" {
		return "Sitejet", sitejetShapes()
	}
	return "", nil
}
