package ui

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"hookgate/app/web/api"
)

// typedCookie carries what was typed into a form, and of which nothing came, over to the
// page that has the form: for browsers without scripts. Where they run, the tab keeps it,
// and the form does not send draftField, which names the visitor for whom it is kept.
const (
	typedCookie = "hookgate-typed"
	draftField  = "draft"
	typedAge    = time.Hour
	maxTyped    = 4000 // bytes of the cookie, of which browsers take 4096 with its name
)

// typed is what was typed into the form of a page with that action.
type typed struct {
	Page, Form, By string
	Values         url.Values
}

// keepTyped keeps what was posted, if the form asks for that, until it is done after all.
// It was not typed here where the page of another site posts it.
func (u *UI) keepTyped(c *fiber.Ctx) {
	if api.CrossSite(c) {
		return
	}
	t := typed{Page: here(c), Form: c.Path(), Values: url.Values{}}
	for name, value := range c.Context().PostArgs().All() {
		t.Values.Add(string(name), string(value))
	}
	t.By = t.Values.Get(draftField)
	t.Values.Del(draftField)
	t.Values.Del("csrf")
	raw, err := json.Marshal(t)
	if err != nil || t.By == "" {
		return
	}
	if kept := base64.RawURLEncoding.EncodeToString(raw); len(kept) <= maxTyped {
		u.setTyped(c, kept, typedAge)
	} else {
		u.forgetTyped(c, t.Form) // what was typed before that is not it
	}
}

// forgetTyped drops what is kept of this form, or of any where act is "".
func (u *UI) forgetTyped(c *fiber.Ctx, act string) {
	if t, ok := typedBefore(c); ok && (act == "" || act == t.Form) {
		u.setTyped(c, "", -time.Hour)
	}
}

// setTyped is Lax, for somebody may come back from a provider's login.
func (u *UI) setTyped(c *fiber.Ctx, value string, age time.Duration) {
	c.Cookie(&fiber.Cookie{
		Name: typedCookie, Value: value, Path: prefix + "/", Expires: time.Now().Add(age),
		HTTPOnly: true, SameSite: fiber.CookieSameSiteLaxMode, Secure: u.cfg.Secure(c.Context()),
	})
}

func typedBefore(c *fiber.Ctx) (t typed, ok bool) {
	raw, err := base64.RawURLEncoding.DecodeString(c.Cookies(typedCookie))
	return t, err == nil && len(raw) > 0 && json.Unmarshal(raw, &t) == nil
}

// fill puts what was typed back into its form, if the page has it, opens what that is
// closed in, and says so. So no template has to know of it.
func (t *typed) fill(page *bytes.Buffer) error {
	doc, err := html.Parse(bytes.NewReader(page.Bytes()))
	if err != nil {
		return err
	}
	form := t.formOf(doc)
	if form == nil {
		return nil
	}
	first := true
	for field := range form.Descendants() {
		if name := attributeOf(field, "name"); t.Values.Has(name) && setField(field, t.Values.Get(name)) && first {
			setAttribute(field, "autofocus", "")
			first = false
		}
	}
	for outer := range form.Ancestors() {
		if outer.DataAtom == atom.Details {
			setAttribute(outer, "open", "")
		}
	}
	said := &html.Node{Type: html.ElementNode, Data: "p", DataAtom: atom.P, Attr: []html.Attribute{{Key: "class", Val: "small"}, {Key: "role", Val: "status"}}}
	said.AppendChild(&html.Node{Type: html.TextNode, Data: attributeOf(form, "data-again")})
	form.InsertBefore(said, form.FirstChild)
	page.Reset()
	return html.Render(page, doc)
}

func (t *typed) formOf(doc *html.Node) *html.Node {
	for node := range doc.Descendants() {
		if node.DataAtom == atom.Form && attributeOf(node, "data-draft") == t.By && attributeOf(node, "action") == t.Form {
			return node
		}
	}
	return nil
}

// setField has a field hold a value. false is one that is hidden: what stands in it is of
// the page, as what that knows of others' changes.
func setField(field *html.Node, value string) bool {
	switch field.DataAtom {
	case atom.Input:
		if attributeOf(field, "type") == "hidden" {
			return false
		}
		setAttribute(field, "value", value)
	case atom.Textarea:
		for field.FirstChild != nil {
			field.RemoveChild(field.FirstChild)
		}
		field.AppendChild(&html.Node{Type: html.TextNode, Data: value})
	case atom.Select:
		for option := range field.Descendants() {
			option.Attr = slices.DeleteFunc(option.Attr, func(a html.Attribute) bool { return a.Key == "selected" })
			if option.DataAtom == atom.Option && attributeOf(option, "value") == value {
				setAttribute(option, "selected", "")
			}
		}
	default:
		return false
	}
	return true
}

func attributeOf(node *html.Node, key string) string {
	for _, a := range node.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func setAttribute(node *html.Node, key, value string) {
	node.Attr = slices.DeleteFunc(node.Attr, func(a html.Attribute) bool { return a.Key == key })
	node.Attr = append(node.Attr, html.Attribute{Key: key, Val: value})
}
