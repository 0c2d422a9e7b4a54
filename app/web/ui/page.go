package ui

import (
	"bytes"
	"fmt"
	"html/template"
	"io/fs"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/admin/access"
)

// pages are the templates by page: each with the layout and the parts, made when it
// is first asked for. Made at the start they would be most of what a gate without a
// visitor has in memory.
type pages map[string]func() (*template.Template, error)

// readPages reads templates/parts/*.html and templates/layout.html as what all
// share, and takes every other file of templates for a page.
func readPages(files fs.FS, a assets) (pages, error) {
	shared := template.New("layout").Funcs(template.FuncMap{"asset": a.url, "dict": dict, "join": strings.Join})
	shared, err := shared.ParseFS(files, "templates/layout.html", "templates/sprite.html", "templates/parts/*.html")
	if err != nil {
		return nil, fmt.Errorf("read the parts of pages: %w", err)
	}
	names, err := fs.Glob(files, "templates/pages/*.html")
	if err != nil {
		return nil, err
	}
	list := pages{}
	for _, name := range names {
		list[strings.TrimSuffix(path.Base(name), ".html")] = sync.OnceValues(func() (*template.Template, error) {
			one, err := shared.Clone()
			if err != nil {
				return nil, err
			}
			return one.ParseFS(files, name)
		})
	}
	return list, nil
}

// dict makes a map for a part that takes several values: key, value, and so on.
func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, fmt.Errorf("dict has %d values", len(pairs))
	}
	m := make(map[string]any, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		key, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("%v is no key", pairs[i])
		}
		m[key] = pairs[i+1]
	}
	return m, nil
}

// view is what a template sees: the page's own Data, and what all pages show.
type view struct {
	Page    string // its name: overview, events, …
	Title   string
	Path    string // with the query: where a login leads back to
	Lang    language
	Theme   string // light, dark, or "" for the system's
	Keys    bool   // single keys act, where scripts run
	Visitor access.Visitor
	CSRF    string
	Version string
	Host    string // of the public URL
	Nav     nav
	Data    any
	Message *message // what an act came to
	Now     time.Time
	// Refresh is after how many seconds the page is asked for again; 0: it is
	// not.
	Refresh int

	location *time.Location
}

// nav is what the menu counts: deliveries that failed within a day, connections
// that do not answer, and form posts that nobody has read.
type nav struct{ Failed, Failing, New int }

// navLasts is how long the counts of the menu are shown before they are
// counted again.
const navLasts = 5 * time.Second

// counts are those of the menu. Where they can't be had, the page goes without.
func (u *UI) counts(c *fiber.Ctx) nav {
	u.navMu.Lock()
	defer u.navMu.Unlock()
	if now := u.cfg.Now(); now.Sub(u.navAt) > navLasts || now.Before(u.navAt) {
		page, err := u.cfg.Service.Connections(c.UserContext())
		if err != nil {
			u.cfg.Logger.WarnContext(c.UserContext(), "the menu goes without its counts", "error", err)
			return nav{}
		}
		unread, err := u.cfg.Service.NewPosts(c.UserContext())
		if err != nil {
			u.cfg.Logger.WarnContext(c.UserContext(), "the menu goes without its counts", "error", err)
			return nav{}
		}
		u.nav, u.navAt = nav{New: unread}, now
		for i := range page.Items {
			u.nav.Failed += page.Items[i].Failed
			if s := page.Items[i].State; s == "failing" || s == "open" {
				u.nav.Failing++
			}
		}
	}
	return u.nav
}

// recount has the menu count anew.
func (u *UI) recount() {
	u.navMu.Lock()
	defer u.navMu.Unlock()
	u.navAt = time.Time{}
}

// message is the result of an act, shown once on the page that follows.
type message struct {
	Class string // ok, warn, bad
	Text  string
}

// ShortVersion is the version; of one that no tag names, its commit.
func (v *view) ShortVersion() string {
	if parts := strings.Split(v.Version, "-"); strings.HasPrefix(v.Version, "v0.0.0-") && len(parts) == 3 {
		return parts[2][:min(7, len(parts[2]))]
	}
	return v.Version
}

// T is text in the page's language; see messages.
func (v *view) T(text string, args ...any) string { return v.Lang.text(text, args...) }

// Count is T for a text that begins with a number.
func (v *view) Count(text string, n int) string { return v.T(text, n) }

// Number writes a number with the language's separators.
func (v *view) Number(n any) string { return v.Lang.number(n) }

// Time is a moment as a part of a page: kind is time, minute, day, full, or when, which is
// the minute of today and else the day. Scripts write it anew in the browser's zone, and
// find out there what is today.
func (v *view) Time(moment any, kind string) template.HTML {
	var at time.Time
	switch m := moment.(type) {
	case time.Time:
		at = m
	case *time.Time:
		if m != nil {
			at = *m
		}
	}
	if at.IsZero() {
		return ""
	}
	local, shown := at.In(v.location), kind
	if kind == "when" {
		shown = "day"
		if local.Format(time.DateOnly) == v.Now.In(v.location).Format(time.DateOnly) {
			shown = "minute"
		}
	}
	return template.HTML(fmt.Sprintf(`<time datetime="%s" title="%s" data-as="%s">%s</time>`, //nolint:gosec // digits, zone names and fixed words
		at.UTC().Format(time.RFC3339), template.HTMLEscapeString(local.Format("2006-01-02 15:04:05 MST")), kind, template.HTMLEscapeString(v.Lang.clock(local, shown))))
}

// Day names a day.
func (v *view) Day(at time.Time) string { return v.Lang.day(at) }

// Here reports whether the menu's entry is the page that is shown.
func (v *view) Here(page string) bool { return v.Page == page }

// render writes a page that stands in the menu under its own name.
func (u *UI) render(c *fiber.Ctx, page, title string, data any) error {
	return u.renderPage(c, page, page, languageOf(c).text(title), data)
}

// renderPage writes a page below an entry of the menu, under a title that is a
// name or a text in the page's language. Only a page that could be made whole is
// sent.
func (u *UI) renderPage(c *fiber.Ctx, page, menu, title string, data any) error {
	made, ok := u.pages[page]
	if !ok {
		return fmt.Errorf("there is no page %q", page)
	}
	t, err := made()
	if err != nil {
		return fmt.Errorf("read the page %s: %w", page, err)
	}
	v := u.view(c, menu, title)
	v.Data = data
	v.Message = takeMessage(c)
	if waiting, ok := data.(interface{ refresh() int }); ok {
		v.Refresh = waiting.refresh()
	}
	var out bytes.Buffer
	if err := t.ExecuteTemplate(&out, "layout", v); err != nil {
		return fmt.Errorf("make the page %s: %w", page, err)
	}
	if before, ok := typedBefore(c); ok && looks(c) && before.Page == v.Path {
		if err := before.fill(&out); err != nil {
			return fmt.Errorf("make the page %s with what was typed: %w", page, err)
		}
	}
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	c.Append(fiber.HeaderVary, fiber.HeaderAcceptLanguage, fiber.HeaderCookie)
	return sendPacked(c, out.Bytes(), func() []byte { return pack(out.Bytes()) })
}

// view is what every page shows, for this request.
func (u *UI) view(c *fiber.Ctx, page, title string) *view {
	settings := u.cfg.Settings()
	v := &view{
		Now: u.cfg.Now(), Page: page, Title: title, Lang: languageOf(c), Theme: themeOf(c), Keys: c.Cookies("keys") != "off", Version: u.cfg.Version,
		Path: here(c), Host: hostOf(settings.PublicURL), location: settings.Location,
	}
	if v.location == nil {
		v.location = time.UTC
	}
	if visitor, ok := c.Locals(visitorKey).(access.Visitor); ok {
		v.Visitor = visitor
		v.CSRF = csrfToken(c.Cookies(cookieName(c)))
		v.Nav = u.counts(c)
	}
	return v
}

func themeOf(c *fiber.Ctx) string {
	if t := c.Cookies("theme"); t == "light" || t == "dark" {
		return t
	}
	return ""
}

func hostOf(publicURL string) string {
	_, host, _ := strings.Cut(publicURL, "://")
	host, _, _ = strings.Cut(host, "/")
	return host
}
