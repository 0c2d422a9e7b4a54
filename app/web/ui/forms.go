package ui

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/admin"
	"hookgate/internal/event"
)

// mailbox is the page of a form: its inbox or its spam, and the post that is
// being read.
type mailbox struct {
	Forms []admin.FormCount
	Form  *admin.FormCount // nil where the configuration has no form
	Spam  bool
	Query string // what is searched for
	// Search tells how the search went; nil: nothing was searched for.
	Search *admin.Search
	Items  []admin.Event
	Older  string
	Post   *post
}

// post is a form post, to be read.
type post struct {
	admin.EventDetail
	Said   []string // long texts, as they were written
	Fields []postField
	Files  []postFile
	Plan   *admin.ReleasePlan // what would become of it if it were released; nil: it is not kept
	Mail   string             // the visitor's address, to answer to; "" where none was given
}

// postField is what one field of a post holds.
type postField struct{ Name, Value string }

const noSuchForm = "The configuration has no such form."

const noSuchPost = "There is no such post: it never was, or retention has removed it."

// forms leads to the inbox of the first form.
func (u *UI) forms(c *fiber.Ctx) error {
	counts, err := u.cfg.Service.Forms(c.UserContext(), time.Time{})
	if err != nil {
		return u.fail(c, err)
	}
	if len(counts.Items) == 0 {
		return u.render(c, "forms", "Forms", mailbox{})
	}
	name := counts.Items[0].Name
	if asked := c.Query("form"); asked != "" { // the select of the page, without scripts
		name = asked
	}
	return c.Redirect(prefix+"/forms/"+url.PathEscape(name), fiber.StatusSeeOther)
}

func (u *UI) inbox(c *fiber.Ctx) error { return u.mailbox(c, false) }

func (u *UI) spam(c *fiber.Ctx) error { return u.mailbox(c, true) }

func (u *UI) mailbox(c *fiber.Ctx, spam bool) error {
	ctx := c.UserContext()
	opened, err := u.openPost(c, spam) // first: the lists below have it as read
	switch {
	case missing(err):
		return u.notFound(c, noSuchPost)
	case err != nil:
		return u.fail(c, err)
	}
	counts, err := u.cfg.Service.Forms(ctx, time.Time{})
	if err != nil {
		return u.fail(c, err)
	}
	data := mailbox{Forms: counts.Items, Form: formNamed(counts.Items, c.Params("form")), Spam: spam, Post: opened, Query: strings.TrimSpace(c.Query("q"))}
	if data.Form == nil {
		return u.notFound(c, noSuchForm)
	}
	f := event.Search{Text: data.Query, Filter: event.Filter{Source: data.Form.Name, FormsOnly: true, Limit: eventsPerPage, States: []event.State{event.Routed, event.NoMatch, event.RuleError}}}
	if spam {
		f.States = []event.State{event.Spam, event.Duplicate}
	}
	if err := readCursor(c.Query("before"), &f.Before); err != nil {
		return u.notFound(c, err.Error())
	}
	page, err := u.cfg.Service.Events(ctx, f)
	if err != nil {
		return u.fail(c, err)
	}
	data.Items, data.Search = page.Items, page.Search
	if page.Next != "" {
		data.Older = data.Path() + "?" + url.Values{"before": {page.Next}, "q": {data.Query}}.Encode()
	}
	if data.Post == nil && len(data.Items) > 0 { // the newest is shown, and stays new
		detail, err := u.cfg.Service.Event(ctx, data.Items[0].ID)
		if err != nil && !missing(err) {
			return u.fail(c, err)
		}
		if err == nil {
			data.Post = newPost(detail)
		}
	}
	if data.Post != nil {
		if err := u.findGone(ctx, data.Post.Files); err != nil {
			return u.fail(c, err)
		}
		u.planRelease(ctx, data.Post)
	}
	return u.renderPage(c, "forms", "forms", languageOf(c).text("Forms"), data)
}

// openPost is the post that the address names; nil where it names none, and
// event.ErrNotFound where there is none of that name. In the inbox, whoever opens a
// post has read it: that is all that looking at a page changes, and a browser that
// fetches the page ahead changes nothing.
func (u *UI) openPost(c *fiber.Ctx, spam bool) (*post, error) {
	asked := c.Query("post")
	if asked == "" {
		return nil, nil
	}
	id, err := event.ParseID(asked)
	if err != nil {
		return nil, event.ErrNotFound
	}
	detail, err := u.cfg.Service.Event(c.UserContext(), id)
	if err != nil {
		return nil, err
	}
	if detail.Source != c.Params("form") {
		return nil, event.ErrNotFound
	}
	if ahead := c.Get("Sec-Purpose") + c.Get("Purpose"); detail.New && !spam && c.Method() == fiber.MethodGet && ahead == "" {
		if mark, err := u.cfg.Service.SetRead(c.UserContext(), id, true); err != nil {
			u.cfg.Logger.WarnContext(c.UserContext(), "it could not be noted that a post was read", "event", id, "error", err)
		} else {
			detail.New = mark.New
			u.recount()
		}
	}
	return newPost(detail), nil
}

// planRelease asks what would become of a post that is kept. Where that cannot be
// told, the page goes without: its post can still be read, and released.
func (u *UI) planRelease(ctx context.Context, p *post) {
	if p.State != event.Spam && p.State != event.Duplicate {
		return
	}
	plan, err := u.cfg.Service.IfNotSpam(ctx, p.ID)
	if err != nil {
		u.cfg.Logger.WarnContext(ctx, "what a post would come to cannot be told", "event", p.ID, "error", err)
		return
	}
	p.Plan = &plan
}

// formNamed is the form of that name; nil where there is none.
func formNamed(list []admin.FormCount, name string) *admin.FormCount {
	for i := range list {
		if list[i].Name == name {
			return &list[i]
		}
	}
	return nil
}

// Tab is which of the form's pages it is.
func (m mailbox) Tab() string {
	if m.Spam {
		return "spam"
	}
	return "inbox"
}

// Path is where the mailbox is.
func (m mailbox) Path() string {
	path := prefix + "/forms/" + url.PathEscape(m.Form.Name)
	if m.Spam {
		path += "/spam"
	}
	return path
}

// newPost sorts what was posted: long texts are read as such, the rest are facts.
func newPost(d admin.EventDetail) *post {
	p := &post{EventDetail: d}
	decoder := json.NewDecoder(bytes.NewReader(d.Data))
	decoder.UseNumber()
	if t, err := decoder.Token(); err != nil || t != json.Delim('{') {
		p.Said = []string{d.Body}
		return p
	}
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			break
		}
		var value any
		if decoder.Decode(&value) != nil {
			break
		}
		if files, ok := filesIn(value); ok {
			p.Files = append(p.Files, files...)
			continue
		}
		text := shown(value)
		name, _ := key.(string)
		switch {
		case text == "":
		case strings.ContainsRune(text, '\n') || len(text) > 120:
			p.Said = append(p.Said, text)
		default:
			p.Fields = append(p.Fields, postField{name, text})
		}
		if p.Mail == "" && strings.Contains(strings.ToLower(name), "mail") && strings.Contains(text, "@") && !strings.ContainsAny(text, " ,;<>\"?&#\r\n") {
			p.Mail = text
		}
	}
	return p
}

// shown is a value of a field as a text.
func shown(value any) string {
	switch x := value.(type) {
	case nil:
		return ""
	case string:
		return strings.TrimSpace(x)
	case []any:
		parts := make([]string, 0, len(x))
		for _, item := range x {
			parts = append(parts, shown(item))
		}
		return strings.Join(parts, ", ")
	case map[string]any:
		text, err := json.Marshal(x)
		if err != nil {
			return fmt.Sprint(x)
		}
		return string(text)
	}
	return fmt.Sprint(value)
}

// notSpam gives a post that was kept from the rules to them.
func (u *UI) notSpam(c *fiber.Ctx) error {
	var id event.ID
	if err := id.UnmarshalText([]byte(c.Params("id"))); err != nil {
		return u.notFound(c, noSuchEvent)
	}
	released, err := u.cfg.Service.NotSpam(u.acts(c), id)
	if missing(err) {
		return u.notFound(c, noSuchPost)
	}
	if err != nil {
		return u.fail(c, err)
	}
	return u.done(c, prefix+"/events/"+released.ID.String(), "ok", languageOf(c).text("The post was given to the rules. This is what they made of it."))
}

// unread has a post be new again.
func (u *UI) unread(c *fiber.Ctx) error {
	id, err := event.ParseID(c.Params("id"))
	if err != nil {
		return u.notFound(c, noSuchPost)
	}
	detail, err := u.cfg.Service.Event(c.UserContext(), id)
	if err == nil {
		_, err = u.cfg.Service.SetRead(u.acts(c), id, false)
		u.recount()
	}
	switch said, ok := sentence(languageOf(c), err); {
	case err == nil:
		return u.done(c, prefix+"/forms/"+url.PathEscape(detail.Source), "ok", languageOf(c).text("The post is new again."))
	case missing(err):
		return u.notFound(c, noSuchPost)
	case ok:
		return u.refuse(c, fiber.StatusConflict, said)
	}
	return u.fail(c, err)
}

// PostName is what a person calls who posted: the summary, else the address.
func (v *view) PostName(e admin.Event) string { return cmp.Or(e.Summary, e.ID.String()) }
