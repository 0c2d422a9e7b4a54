package recipe

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"hookgate/connectors"
)

// differs says what of a request is not as the sample has it; "" where all is.
func (g *Golden) differs(got received) string {
	method := cmp.Or(g.Method, http.MethodPost)
	want, err := url.Parse(g.URL)
	if err != nil {
		return fmt.Sprintf("its url is none: %s", connectors.Excerpt(g.URL))
	}
	if got.Method != method || got.URL.EscapedPath() != want.EscapedPath() {
		return fmt.Sprintf("the request is %s %s, not %s %s", got.Method, got.URL.EscapedPath(), method, want.EscapedPath())
	}
	if d := differentValues(got.URL.Query(), want.Query()); d != "" {
		return "of the query " + d
	}
	for _, name := range slices.Sorted(maps.Keys(g.Headers)) {
		if has := got.Header.Get(name); has != g.Headers[name] {
			return fmt.Sprintf("the header %s is %q, not %q", name, has, g.Headers[name])
		}
	}
	return g.bodyDiffers(got.body)
}

func (g *Golden) bodyDiffers(body string) string {
	switch {
	case !g.JSON.IsZero():
		var has, want any
		if err := json.Unmarshal([]byte(body), &has); err != nil {
			return fmt.Sprintf("the body is no JSON: %s", connectors.Excerpt(body))
		}
		text, err := json.Marshal(g.JSON.Any())
		if err == nil {
			err = json.Unmarshal(text, &want) // as encoding/json has numbers
		}
		if err != nil {
			return fmt.Sprintf("its json cannot be compared: %s", err)
		}
		return differentJSON("the body", has, want)
	case g.Form != nil:
		has, err := url.ParseQuery(body)
		if err != nil {
			return fmt.Sprintf("the body is no form: %s", connectors.Excerpt(body))
		}
		want := url.Values{}
		for name, value := range g.Form {
			want.Set(name, value)
		}
		if d := differentValues(has, want); d != "" {
			return "of the form " + d
		}
	case body != g.Body:
		return fmt.Sprintf("the body is %q, not %q", connectors.Excerpt(body), connectors.Excerpt(g.Body))
	}
	return ""
}

// differentValues says of the first name, by the alphabet, how its values differ.
func differentValues(got, want url.Values) string {
	names := slices.Collect(maps.Keys(got))
	for name := range want {
		if !got.Has(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		if !slices.Equal(got[name], want[name]) {
			return fmt.Sprintf("%s is %q, not %q", name, strings.Join(got[name], ", "), strings.Join(want[name], ", "))
		}
	}
	return ""
}

// differentJSON says of the first place how it differs; what names it.
func differentJSON(what string, got, want any) string {
	object, is := got.(map[string]any)
	wanted, both := want.(map[string]any)
	if is && both {
		for _, key := range slices.Sorted(maps.Keys(object)) {
			if _, expected := wanted[key]; !expected {
				return fmt.Sprintf("%s has %s, which the sample has not", what, key)
			}
		}
		for _, key := range slices.Sorted(maps.Keys(wanted)) {
			value, there := object[key]
			if !there {
				return fmt.Sprintf("%s has no %s", what, key)
			}
			if d := differentJSON(strings.TrimPrefix(what+"."+key, "the body."), value, wanted[key]); d != "" {
				return d
			}
		}
		return ""
	}
	if reflect.DeepEqual(got, want) {
		return ""
	}
	return fmt.Sprintf("%s is %s, not %s", what, compact(got), compact(want))
}

func compact(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return connectors.Excerpt(string(text))
}
