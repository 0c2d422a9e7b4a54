package forms_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// void are the elements without an end tag.
var void = []string{"meta", "input", "br", "img", "link", "circle", "path"}

// globals may stand on any element; attributes lists the others, by element.
// What is not listed here the pages do not use.
var (
	globals    = []string{"id", "class", "lang", "role", "tabindex", "autofocus", "style", "title"}
	attributes = map[string]string{
		"html": "", "head": "", "title": "", "style": "", "body": "", "main": "", "header": "", "footer": "", "strong": "", "em": "", "ol": "", "h1": "", "h2": "", "p": "", "ul": "", "li": "",
		"div": "data-sitekey", "span": "", "small": "", "code": "", "br": "", "noscript": "", "fieldset": "", "legend": "",
		"meta": "charset name content", "a": "href target rel", "img": "src alt", "label": "for", "button": "type", "script": "src async defer",
		"form":     "method action accept-charset enctype novalidate",
		"input":    "type name value checked required placeholder autocomplete inputmode min max maxlength accept multiple data-form data-sitekey",
		"select":   "name required",
		"option":   "value selected",
		"textarea": "name rows maxlength required placeholder autocomplete",
		"svg":      "viewbox fill stroke stroke-width stroke-linecap stroke-linejoin", "circle": "cx cy r", "path": "d",
	}
	// holds is what an element may have in it, where that is not everything.
	phrasing = strings.Fields("a strong em span small code br img input label select textarea button svg circle path option")
	holds    = map[string][]string{
		"p": phrasing, "h1": phrasing, "h2": phrasing, "span": phrasing, "small": phrasing, "legend": phrasing, "code": phrasing,
		"label": phrasing, "button": {"span"}, "a": {"span", "code", "strong", "em"}, "ul": {"li"}, "ol": {"li"}, "select": {"option"}, "option": {}, "title": {}, "textarea": {}, "style": {}, "script": {},
		"head": {"meta", "title", "style"}, "html": {"head", "body"},
	}
	inputTypes = strings.Fields("text email tel url date checkbox file hidden")
)

// invalid lists what a strict validator would say of a page: tags that do not
// pair up, elements and attributes where they do not belong, ids that stand
// twice or are missing, controls without a name for people. A whole page has a
// doctype and a title; a snippet is a part of one.
func invalid(page string, whole bool) []string {
	v := &validator{ids: map[string]int{}}
	z := html.NewTokenizer(strings.NewReader(page))
	for {
		switch z.Next() {
		case html.ErrorToken:
			if !errors.Is(z.Err(), io.EOF) {
				v.say("%v", z.Err())
			}
			v.end(whole)
			return v.faults
		case html.DoctypeToken:
			v.doctype = true
		case html.StartTagToken, html.SelfClosingTagToken:
			v.open(z.Token())
		case html.EndTagToken:
			v.close(z.Token().Data)
		case html.TextToken:
			v.text(string(z.Text()))
		case html.CommentToken:
		}
	}
}

type validator struct {
	faults, stack, needed []string
	ids                   map[string]int
	labels                map[string]bool // ids of controls that a label is for
	controls              []html.Token
	inLabel               []bool // of the controls
	doctype               bool
	title                 string
	headings              []string
	begun                 string // the element that was just opened
}

func (v *validator) say(format string, args ...any) {
	v.faults = append(v.faults, fmt.Sprintf(format, args...))
}

func attr(t html.Token, key string) (string, bool) {
	for _, a := range t.Attr {
		if a.Key == key {
			return a.Val, true
		}
	}
	return "", false
}

func (v *validator) open(t html.Token) {
	allowed, known := attributes[t.Data]
	if !known {
		v.say("<%s> is not an element of these pages", t.Data)
	}
	for _, a := range t.Attr {
		if !slices.Contains(globals, a.Key) && !slices.Contains(strings.Fields(allowed), a.Key) && !strings.HasPrefix(a.Key, "aria-") {
			v.say("<%s> has no attribute %s", t.Data, a.Key)
		}
		switch a.Key {
		case "id":
			v.ids[a.Val]++
			if a.Val == "" || strings.ContainsAny(a.Val, " \t\n") {
				v.say("the id %q", a.Val)
			}
		case "for", "aria-describedby", "aria-labelledby":
			v.needed = append(v.needed, strings.Fields(a.Val)...)
			if len(strings.Fields(a.Val)) == 0 {
				v.say("<%s %s> names nothing", t.Data, a.Key)
			}
		}
	}
	if n := len(v.stack); n > 0 {
		parent := v.stack[n-1]
		if inner, limited := holds[parent]; limited && !slices.Contains(inner, t.Data) {
			v.say("<%s> in <%s>", t.Data, parent)
		}
	}
	for _, alone := range []string{"form", "a", "button", "label"} {
		if t.Data == alone && slices.Contains(v.stack, alone) {
			v.say("<%s> in another", alone)
		}
	}
	v.special(t)
	if !slices.Contains(void, t.Data) {
		v.stack = append(v.stack, t.Data)
	}
	v.begun = t.Data
}

// special are the rules of single elements.
func (v *validator) special(t html.Token) {
	kind, _ := attr(t, "type")
	switch t.Data {
	case "img":
		if _, ok := attr(t, "alt"); !ok {
			v.say("<img> without alt")
		}
	case "html":
		if lang, _ := attr(t, "lang"); lang == "" {
			v.say("<html> without lang")
		}
	case "legend":
		if v.begun != "fieldset" {
			v.say("<legend> is not the first of its <fieldset>")
		}
	case "h1", "h2":
		v.headings = append(v.headings, t.Data)
	case "label":
		if id, ok := attr(t, "for"); ok {
			if v.labels == nil {
				v.labels = map[string]bool{}
			}
			v.labels[id] = true
		}
	case "input", "select", "textarea":
		if t.Data == "input" && !slices.Contains(inputTypes, kind) {
			v.say("<input type=%q>", kind)
		}
		if name, _ := attr(t, "name"); name == "" {
			v.say("<%s> without a name", t.Data)
		}
		if _, ok := attr(t, "required"); ok && kind == "hidden" {
			v.say("a hidden field that is required")
		}
		if kind != "hidden" {
			v.controls = append(v.controls, t)
			v.inLabel = append(v.inLabel, slices.Contains(v.stack, "label"))
		}
	}
}

func (v *validator) close(name string) {
	if n := len(v.stack); n == 0 || v.stack[n-1] != name {
		v.say("</%s> where %v is open", name, v.stack)
		return
	}
	v.stack = v.stack[:len(v.stack)-1]
	v.begun = ""
}

func (v *validator) text(text string) {
	if strings.TrimSpace(text) == "" || len(v.stack) == 0 {
		return
	}
	in := v.stack[len(v.stack)-1]
	if in == "title" {
		v.title += text
	}
	if slices.Contains([]string{"ul", "select", "html", "head"}, in) {
		v.say("text in <%s>", in)
	}
	v.begun = ""
}

func (v *validator) end(whole bool) {
	if len(v.stack) > 0 {
		v.say("%v is never closed", v.stack)
	}
	for id, n := range v.ids {
		if n > 1 {
			v.say("the id %q stands %d times", id, n)
		}
	}
	for _, id := range v.needed {
		if v.ids[id] == 0 {
			v.say("nothing has the id %q", id)
		}
	}
	for i, c := range v.controls {
		if id, _ := attr(c, "id"); !v.inLabel[i] && !v.labels[id] {
			v.say("%s has no label", c)
		}
	}
	if whole && (!v.doctype || strings.TrimSpace(v.title) == "" || len(v.headings) == 0 || v.headings[0] != "h1" || slices.Contains(v.headings[1:], "h1")) {
		v.say("doctype %v, title %q, headings %v", v.doctype, v.title, v.headings)
	}
}
