package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"hookgate/app/cli/term"
	"hookgate/app/web/api/client"
	"hookgate/internal/diag"
	"hookgate/internal/schema"
)

// newFields makes `sources fields` and `forms fields`.
func newFields(s *session, form bool) *cobra.Command {
	noun, sample := "source", "sitejet --type website_status_changed"
	if form {
		noun, sample = "form", "contact"
	}
	var typ string
	c := &cobra.Command{
		Use: "fields NAME", Short: "Show the fields of a " + noun + "'s events: types, how often, examples",
		Example: "  hookgate " + noun + "s fields " + sample,
		Args:    exactly("the name of a " + noun),
		RunE: func(cmd *cobra.Command, args []string) error {
			origin, err := s.origin(cmd.Context(), args[0], form)
			if err != nil {
				return err
			}
			if typ != "" {
				if err := onlyType(&origin, typ); err != nil {
					return err
				}
			}
			if s.json {
				return s.printJSON(origin)
			}
			s.printOrigin(&origin)
			return nil
		},
	}
	c.Flags().StringVar(&typ, "type", "", "only of events of this type")
	return c
}

// origin asks the server that runs, and else looks at the config and the
// database's file.
func (s *session) origin(ctx context.Context, name string, form bool) (schema.Source, error) {
	server, err := s.connect()
	if err != nil {
		return schema.Source{}, err
	}
	origin, err := server.Fields(ctx, name, form)
	if remote, _ := s.env("HOOKGATE_URL"); remote != "" || !errors.Is(err, client.ErrUnreachable) {
		if err != nil {
			return origin, serverError(err)
		}
		return origin, nil
	}
	loaded, _, err := s.load()
	if err != nil {
		return schema.Source{}, err
	}
	known, err := loaded.Survey(ctx, name)
	if origin, found := known[name]; found && origin.Form == form {
		if err != nil { // what is documented is worth something all the same
			s.note("the database can't be read: %s", term.Clean(err.Error()))
		}
		return origin, nil
	}
	return schema.Source{}, s.noOrigin(loaded.Origins(), name, form)
}

func (s *session) noOrigin(known map[string]schema.Source, name string, form bool) error {
	noun, other := "source", "form"
	if form {
		noun, other = other, noun
	}
	if _, found := known[name]; found {
		return &failure{
			code: exitNotFound, err: fmt.Errorf("%q is a %s, not a %s", name, other, noun), hint: fmt.Sprintf("hookgate %ss fields %s", other, name),
		}
	}
	var names []string
	for n, o := range known {
		if o.Form == form {
			names = append(names, n)
		}
	}
	return &failure{code: exitNotFound, err: fmt.Errorf("the config has no %s %q", noun, name), hint: diag.Among(name, slices.Sorted(slices.Values(names)))}
}

// onlyType leaves the shapes of one type.
func onlyType(o *schema.Source, typ string) error {
	var types []string
	for _, s := range append(o.Documented, o.Seen...) {
		types = append(types, s.Type)
	}
	o.Documented, o.Seen = schema.Of(o.Documented, []string{typ}), schema.Of(o.Seen, []string{typ})
	if len(o.Documented)+len(o.Seen) == 0 {
		return &failure{code: exitNotFound, err: fmt.Errorf("%s has no event of the type %q", o.Name, typ), hint: diag.DidYouMean(typ, types)}
	}
	return nil
}

// printOrigin prints a line about what was looked at, and a table of fields.
func (s *session) printOrigin(o *schema.Source) {
	s.out.Println(term.Clean(o.Name) + ": " + about(o))
	documented, seen := schema.Merge(o.Documented), schema.Merge(o.Seen)
	all := schema.Merge(append(append([]schema.Payload{}, o.Seen...), o.Documented...))
	var rows [][]string
	for i := range all.Fields {
		f := &all.Fields[i]
		shown, count := f, "not yet"
		if at := seen.Find(f.Path); at != nil {
			shown, count = at, fmt.Sprintf("%s of %s", thousands(at.Seen), thousands(seen.Events))
		} else if seen.Events == 0 {
			count = "–"
		}
		kinds := strings.Join(shown.Types, ", ")
		if at := documented.Find(f.Path); at != nil && len(kinds) == 0 {
			kinds = strings.Join(at.Types, ", ")
		}
		rows = append(rows, []string{term.Clean(f.Path.String()), kinds, count, examples(shown)})
	}
	if len(rows) == 0 {
		return
	}
	s.fit(rows)
	s.out.Printf("%s", s.out.Table([]string{"FIELD", "TYPE", "SEEN IN", "EXAMPLES"}, rows))
}

// fit cuts the examples to the width of the terminal.
func (s *session) fit(rows [][]string) {
	if !s.out.TTY() {
		return
	}
	left := s.out.Width()
	for column := range 3 {
		widest := 0
		for _, row := range rows {
			widest = max(widest, term.Width(row[column]))
		}
		left -= widest + 2
	}
	for _, row := range rows {
		row[3] = term.Cut(row[3], max(left, 10))
	}
}

func about(o *schema.Source) string {
	var parts []string
	for _, s := range o.Seen {
		parts = append(parts, fmt.Sprintf("%s %s", thousands(s.Events), term.Clean(s.Type)))
	}
	text := "no event has come yet"
	switch n := o.Events(); {
	case n == 1:
		text = "the last event (" + term.Clean(o.Seen[0].Type) + ")"
	case n > 1:
		text = fmt.Sprintf("the last %s events (%s)", thousands(n), strings.Join(parts, ", "))
	}
	switch {
	case o.Sender != "":
		text += ", and what " + o.Sender + " documents"
	case len(o.Documented) > 0:
		text += ", and the fields of the form"
	}
	return text
}

// examples are the values that a field had, or can have.
func examples(f *schema.Field) string {
	const most = 4
	var values []string
	for _, e := range f.Examples {
		values = append(values, term.Clean(string(e)))
	}
	if f.Seen == 0 && len(f.Values) > 0 {
		values = nil
		for _, v := range f.Values {
			values = append(values, `"`+term.Clean(v)+`"`)
		}
	}
	text := strings.Join(values[:min(most, len(values))], ", ")
	if len(values) > 0 && (f.More || len(values) > most) {
		text += ", …"
	}
	return text
}
