package rules

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"hookgate/internal/diag"
	"hookgate/internal/schema"
	"hookgate/rules/lang"
)

// enough is how many events must have been looked at before what none of them
// had is worth a word without a better guess at hand, and many before the
// values that came are taken for all that there are.
const enough, many = 10, 50

// strict ends a hint about a field that is most likely misspelt.
const strict = "      (check --strict fails on this)"

// field warns of a path that no event has.
func (l *linter) field(r *lang.Read, to audience) {
	keys := r.Keys()
	at, certain := -1, false
	var siblings []string
	for i := range to.views {
		step, names, sure := to.views[i].miss(keys)
		if step < 0 {
			return
		}
		at, certain = max(at, step), certain || sure
		siblings = append(siblings, names...)
	}
	if at < 0 {
		return
	}
	hint := diag.DidYouMean(keys[at], siblings)
	switch {
	case hint != "":
		hint += strict
	case !certain:
		return
	default:
		hint = "?. before it, or ?? behind it, says that it may be missing"
	}
	path := schema.Path(keys[:at+1]).String()
	message := to.none() + " " + path
	switch n, _ := to.events(); {
	case to.views[0].form && len(to.views) == 1 && to.views[0].documented.Complete:
		message = fmt.Sprintf("the form %q has no field %q", to.views[0].name, keys[at])
	case n == 0 && to.views[0].sender != "":
		message = fmt.Sprintf("%s documents no %s", to.views[0].sender, path)
	case n == 0:
		message = "no event is known to have " + path
	}
	l.add(r.Steps[at].Place.Warn("unseen-field", hint, "%s", message))
}

// miss is the first step of the path that is not known, with the names that
// are known in its place; -1 where the path is known or cannot be judged. It
// is certain where the sender documents all, or many events were seen.
func (v *view) miss(keys []string) (step int, siblings []string, certain bool) {
	if len(v.documented.Fields) == 0 && v.seen.Events == 0 {
		return -1, nil, false
	}
	for i := range keys {
		if v.documented.Find(keys[:i+1]) != nil || v.seen.Find(keys[:i+1]) != nil {
			continue
		}
		siblings = append(v.documented.Children(keys[:i]), v.seen.Children(keys[:i])...)
		if keys[i] == lang.AnyItem || len(siblings) == 0 || slices.Contains(siblings, schema.Items) {
			return -1, nil, false // an empty object or list: who knows what else it can hold
		}
		return i, siblings, v.documented.Complete || v.seen.Events >= enough
	}
	return -1, nil, false
}

// values warns of texts that a field never has.
func (l *linter) values(c *lang.Compare, to audience) {
	if !equality(c.Operator) {
		return
	}
	path := schema.Path(c.Read.Keys())
	for _, literal := range c.Literals {
		text, ok := literal.Value.(string)
		if !ok {
			continue
		}
		var first *objection
		for i := range to.views {
			o := to.views[i].objects(path, text)
			if o == nil {
				first = nil
				break
			}
			if first == nil {
				first = o
			}
		}
		if first == nil {
			continue
		}
		message := first.message
		if message == "" {
			message = fmt.Sprintf("%s %q in %s", to.none(), text, path)
		}
		l.add(literal.Place.Warn("unseen-value", first.hint, "%s", message))
	}
}

// objection says why a text is no value of a field. Without a message it is
// that none of the events had it.
type objection struct{ message, hint string }

// objects tells why the field cannot have the text; nil where it can, or
// nobody knows.
func (v *view) objects(path schema.Path, text string) *objection {
	documented, seen := v.documented.Find(path), v.seen.Find(path)
	if documented == nil && seen == nil || seen != nil && seen.HasText(text) {
		return nil
	}
	if documented != nil && len(documented.Values) > 0 {
		return v.undocumented(documented, text)
	}
	if seen == nil || seen.More || len(seen.Texts()) == 0 {
		return nil
	}
	hint := diag.DidYouMean(text, seen.Texts())
	switch {
	case hint != "" && v.seen.Events >= enough:
		return &objection{hint: hint}
	case seen.Seen >= many:
		return &objection{hint: "there were " + quoted(seen.Texts())}
	}
	return nil
}

func (v *view) undocumented(f *schema.Field, text string) *objection {
	if slices.Contains(f.Values, text) {
		return nil
	}
	if label, known := f.Labels[text]; known {
		return &objection{
			message: fmt.Sprintf("%s sends %q; %q is its %s label", v.sender, label.Value, text, label.Language),
			hint:    fmt.Sprintf("write %q", label.Value),
		}
	}
	hint := diag.DidYouMean(text, f.Values)
	if hint == "" {
		hint = "it can be " + quoted(f.Values)
	}
	if v.form {
		return &objection{message: fmt.Sprintf("%s of the form %q has no option %q", f.Path, v.name, text), hint: hint}
	}
	return &objection{message: fmt.Sprintf("%s sends no %q in %s", v.sender, text, f.Path), hint: hint}
}

// types warns of comparisons that the types of both sides rule out.
func (l *linter) types(c *lang.Compare, to audience) {
	path := schema.Path(c.Read.Keys())
	for _, literal := range c.Literals {
		want := typeOf(literal.Value)
		if want == "" {
			continue
		}
		var is string
		for i := range to.views {
			other, sure := to.views[i].typed(path, want)
			if !sure {
				is = ""
				break
			}
			is = other
		}
		if is == "" {
			l.size(c, &literal)
			continue
		}
		message := fmt.Sprintf("%s is %s, and %s is %s: they are never equal", path, diag.A(is), literal.Place.Text(), diag.A(want))
		if !equality(c.Operator) {
			message = fmt.Sprintf("%s is %s: %s %s fails", path, diag.A(is), c.Operator, literal.Place.Text())
		}
		l.add(c.Place.Warn("type-mismatch", typeHint(c, &literal, is), "%s", message))
	}
}

// length warns of other languages' way to ask how long a value is, unless it is
// known to be a key.
func (l *linter) length(r *lang.Read, to audience) bool {
	keys := r.Keys()
	last := len(keys) - 1
	if last < 1 || keys[last] != "length" || to.knows(keys) {
		return false
	}
	whole := r.Place.Text()
	base := strings.TrimSuffix(strings.TrimSuffix(whole, ".length"), "?")
	l.add(r.Steps[last].Place.Warn("unseen-field", "write len("+base+")", "no event is known to have %s", schema.Path(keys)))
	return true
}

// knows reports whether some event can have the path.
func (a *audience) knows(path schema.Path) bool {
	return slices.ContainsFunc(a.views, func(v view) bool { return v.documented.Find(path) != nil || v.seen.Find(path) != nil })
}

// test warns of a value that stands where true or false must.
func (l *linter) test(r *lang.Read, to audience) {
	var is string
	for i := range to.views {
		other, sure := to.views[i].typed(r.Keys(), schema.Bool)
		if !sure {
			return
		}
		is = other
	}
	if is != "" {
		name := r.Place.Text()
		l.add(r.Place.Warn("type-mismatch", "compare it: "+name+" != nil, or "+name+" == …", "%s is %s, not true or false: the rule fails", schema.Path(r.Keys()), diag.A(is)))
	}
}

// wholeList warns of == with a list, where in is meant.
func (l *linter) wholeList(c *lang.Compare, to audience) {
	path := schema.Path(c.Read.Keys())
	for i := range to.views {
		for _, s := range []*schema.Payload{&to.views[i].documented, &to.views[i].seen} {
			if f := s.Find(path); f != nil && slices.Contains(f.Types, schema.List) {
				return
			}
		}
	}
	operator := map[string]string{"==": "in", "!=": "not in"}[c.Operator]
	l.add(c.Place.Warn("type-mismatch", "write "+c.Read.Place.Text()+" "+operator+" "+c.Literals[0].Place.Text(),
		"%s compares with the whole list: no single value of %s is equal to it", c.Operator, path))
}

// size warns of a number in quotes that something is compared with by size:
// of texts, "10" comes before "9".
func (l *linter) size(c *lang.Compare, literal *lang.Literal) {
	text, isText := literal.Value.(string)
	if _, err := strconv.ParseFloat(text, 64); !isText || err != nil || !strings.ContainsAny(c.Operator, "<>") {
		return
	}
	l.add(literal.Place.Warn("type-mismatch", "write "+text+" without quotes", "texts are compared letter by letter: \"10\" comes before \"9\""))
}

// typed is the type of the field where it is known never to be want.
func (v *view) typed(path schema.Path, want string) (is string, sure bool) {
	for _, s := range []*schema.Payload{&v.documented, &v.seen} {
		f := s.Find(path)
		if f == nil {
			continue
		}
		if f.Is(want) || s.Events > 0 && f.Seen < enough {
			return "", false
		}
		for _, t := range f.Types {
			if t != schema.Null {
				is, sure = t, true
			}
		}
	}
	return is, sure
}

func typeOf(literal any) string {
	switch literal.(type) {
	case string:
		return schema.Text
	case int, float64:
		return schema.Number
	case bool:
		return schema.Bool
	}
	return ""
}

func typeHint(c *lang.Compare, literal *lang.Literal, is string) string {
	text, isText := literal.Value.(string)
	switch {
	case is == schema.List:
		return "write " + literal.Place.Text() + " in " + c.Read.Place.Text()
	case is == schema.Bool && isText && (text == "true" || text == "false"):
		return "write " + text + " without quotes"
	case is == schema.Number && isText:
		if _, err := strconv.ParseFloat(text, 64); err == nil {
			return "write " + text + " without quotes"
		}
	case is == schema.Text && !isText:
		return `write "` + literal.Place.Text() + `"`
	}
	return ""
}

// blank warns of an input that must not be empty and is nothing but a value
// that may be missing. A condition that looks at the value sees to it itself.
func (l *linter) blank(t *lang.Template, at string, to audience, asked map[string]bool) {
	reads := t.Blanks(at)
	if len(reads) == 0 {
		return
	}
	for i := range reads {
		path := schema.Path(reads[i].Keys())
		if reads[i].Root != "data" || asked[path.String()] || !reads[i].Guarded && !to.missing(path) {
			return
		}
	}
	name := reads[0].Place.Text()
	l.add(reads[0].Place.Warn("may-be-missing", `write ${{ `+name+` ?? "…" }}, or when: `+name+" != nil",
		"%s may be missing, and %q must not be empty: then nothing is sent", name, at[strings.LastIndexByte(at, '.')+1:]))
}

// missing reports whether the field is null or absent at times.
func (a *audience) missing(path schema.Path) bool {
	return slices.ContainsFunc(a.views, func(v view) bool {
		if f := v.documented.Find(path); f != nil {
			return f.Nullable()
		}
		f := v.seen.Find(path)
		return f != nil && v.seen.Events >= enough && (f.Nullable() || f.Seen < v.seen.Events)
	})
}
